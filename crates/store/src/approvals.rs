//! Approvals as rows: who asked is a hash, what was asked is sealed, and a change is a compare-and-set.
//!
//! This file knows one rule: no two *live* approvals (pending or approved) stand for the same chain, target and digest.
//! Which state follows which is decided in `approval`; a change is kept only if the row is still the version that the
//! decision was made on, so of two decisions on one version one is kept.

use model::{ApprovalId, CallId, Digest, TargetName, Timestamp};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::{Store, StoreError};

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalState {
    /// Awaits signatures.
    Pending,
    /// Signed by all, not used.
    Approved,
    /// One call has taken it.
    Used,
    /// An approver said no.
    Rejected,
    /// Who asked took it back.
    Withdrawn,
    /// Its time ran out before it was used.
    Expired,
    /// Policy demands something else by now.
    Void,
}

impl ApprovalState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Used,
        Self::Rejected,
        Self::Withdrawn,
        Self::Expired,
        Self::Void,
    ];

    /// The state's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// Whether a call may still come to run by it.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}

/// One approval as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Its identity.
    pub id: ApprovalId,
    /// A hash of the principal chain, compared whole.
    pub chain: [u8; 32],
    /// What is called.
    pub target: TargetName,
    /// What is signed.
    pub digest: Digest,
    /// Where it stands.
    pub state: ApprovalState,
    /// How often it has changed.
    pub version: u64,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it can no longer be signed or used.
    pub expires: Timestamp,
    /// The call that used it.
    pub call: Option<CallId>,
    /// What was asked; sealed by the caller; never changes.
    pub request: Vec<u8>,
    /// Signatures and reasons; sealed by the caller; changes with each version.
    pub progress: Vec<u8>,
}

/// How many approvals may be pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalLimits {
    /// In all.
    pub pending: u32,
    /// For one principal chain.
    pub pending_of_chain: u32,
}

/// What came of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalInsert {
    /// It is kept.
    Inserted,
    /// A live one stands for the same chain, target and digest.
    AlreadyLive,
    /// Too many are pending in all.
    TooMany,
    /// Too many are pending for this chain.
    TooManyOfChain,
}

/// What a change sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalChange {
    /// Which approval.
    pub id: ApprovalId,
    /// The version that the change was decided on.
    pub from: u64,
    /// The state afterwards.
    pub state: ApprovalState,
    /// The call that uses it.
    pub call: Option<CallId>,
    /// Signatures and reasons afterwards, sealed.
    pub progress: Vec<u8>,
}

/// Which approvals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only those in this state.
    pub state: Option<ApprovalState>,
    /// Only those of this target.
    pub target: Option<TargetName>,
}

impl Store {
    /// Keeps a new approval, unless a live one stands for the same or too many are pending.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn insert_approval(
        &self,
        row: ApprovalRow,
        limits: ApprovalLimits,
    ) -> Result<ApprovalInsert, StoreError> {
        self.write(move |connection| {
            if find_live(connection, &row.chain, &row.target, &row.digest)?.is_some() {
                return Ok(ApprovalInsert::AlreadyLive);
            }
            let (all, of_chain): (u32, u32) = connection
                .prepare_cached("SELECT count(*), count(*) FILTER (WHERE chain = ?1) FROM approvals WHERE state = 'pending'")?
                .query_row(params![row.chain], |counts| Ok((counts.get(0)?, counts.get(1)?)))?;
            if of_chain >= limits.pending_of_chain {
                return Ok(ApprovalInsert::TooManyOfChain);
            }
            if all >= limits.pending {
                return Ok(ApprovalInsert::TooMany);
            }
            insert(connection, &row)?;
            Ok(ApprovalInsert::Inserted)
        })
        .await
    }

    /// One approval.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or the row cannot be read.
    pub async fn approval(&self, id: ApprovalId) -> Result<Option<ApprovalRow>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&select("id = ?1"))?;
            statement.query_row(params![id.to_string()], |row| Ok(read(row))).optional()?.transpose()
        })
        .await
    }

    /// How often an approval has changed: cheaper than the approval itself.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn approval_version(&self, id: ApprovalId) -> Result<Option<u64>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT version FROM approvals WHERE id = ?1")?;
            let version =
                statement.query_row(params![id.to_string()], |row| row.get::<_, i64>(0)).optional()?;
            version.map(unsigned).transpose()
        })
        .await
    }

    /// The live approval that stands for this chain, target and digest.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or the row cannot be read.
    pub async fn live_approval(
        &self,
        chain: [u8; 32],
        target: &TargetName,
        digest: Digest,
    ) -> Result<Option<ApprovalRow>, StoreError> {
        let target = target.clone();
        self.read(move |connection| find_live(connection, &chain, &target, &digest)).await
    }

    /// Keeps a change if the row is still the version that it was decided on. False, and nothing done, otherwise.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it would make a second live approval for the same, and nothing is done;
    /// any other when the store cannot be used.
    pub async fn change_approval(&self, change: ApprovalChange) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE approvals SET version = version + 1, state = :state, call = :call, progress = :progress
                     WHERE id = :id AND version = :from",
                )?
                .execute(named_params! {
                    ":id": change.id.to_string(),
                    ":from": signed(change.from),
                    ":state": change.state,
                    ":call": change.call.map(|call| call.to_string()),
                    ":progress": change.progress,
                })?;
            Ok(changed == 1)
        })
        .await
    }

    /// Approvals by `filter`, latest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or a row cannot be read.
    pub async fn approvals(
        &self,
        filter: ApprovalFilter,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        self.read(move |connection| {
            let sql = select(
                "(:state IS NULL OR state = :state) AND (:target IS NULL OR target = :target)
                 ORDER BY created DESC, id LIMIT :limit",
            );
            let target = filter.target.as_ref().map(TargetName::as_str);
            let given = named_params! { ":state": filter.state, ":target": target, ":limit": limit };
            connection.prepare_cached(&sql)?.query_map(given, |row| Ok(read(row)))?.map(|row| row?).collect()
        })
        .await
    }

    /// Live approvals that expire at `now` or before, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or a row cannot be read.
    pub async fn due_approvals(&self, now: Timestamp, limit: u32) -> Result<Vec<ApprovalRow>, StoreError> {
        self.read(move |connection| {
            let sql = select("state IN ('pending', 'approved') AND expires <= ?1 LIMIT ?2");
            let given = params![now.micros(), limit];
            connection.prepare_cached(&sql)?.query_map(given, |row| Ok(read(row)))?.map(|row| row?).collect()
        })
        .await
    }

    /// Used approvals that expire after `now`, so that they may be given back.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or a row cannot be read.
    pub async fn used_approvals(&self, now: Timestamp) -> Result<Vec<ApprovalRow>, StoreError> {
        self.read(move |connection| {
            let sql = select("state = 'used' AND expires > ?1");
            let given = params![now.micros()];
            connection.prepare_cached(&sql)?.query_map(given, |row| Ok(read(row)))?.map(|row| row?).collect()
        })
        .await
    }

    /// Forgets settled approvals that expired at `before` or earlier, at most `limit`, and returns how many they were.
    /// The journal keeps what became of them.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn forget_approvals(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        self.write(move |connection| {
            let forgotten = connection
                .prepare_cached(
                    "DELETE FROM approvals WHERE id IN (SELECT id FROM approvals
                     WHERE state NOT IN ('pending', 'approved') AND expires <= ?1 LIMIT ?2)",
                )?
                .execute(params![before.micros(), limit])?;
            Ok(forgotten)
        })
        .await
    }
}

fn select(filter: &str) -> String {
    format!(
        "SELECT id, chain, target, digest, state, version, created, expires, call, request, progress
         FROM approvals WHERE {filter}"
    )
}

fn find_live(
    connection: &Connection,
    chain: &[u8; 32],
    target: &TargetName,
    digest: &Digest,
) -> Result<Option<ApprovalRow>, StoreError> {
    let mut statement = connection.prepare_cached(&select(
        "chain = ?1 AND target = ?2 AND digest = ?3 AND state IN ('pending', 'approved')",
    ))?;
    let found = statement.query_row(params![chain, target.as_str(), digest.as_bytes()], |row| Ok(read(row)));
    found.optional()?.transpose()
}

fn insert(connection: &Connection, row: &ApprovalRow) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO approvals
             (id, chain, target, digest, state, version, created, expires, call, request, progress)
             VALUES (:id, :chain, :target, :digest, :state, :version, :created, :expires, :call, :request, :progress)",
        )?
        .execute(named_params! {
            ":id": row.id.to_string(),
            ":chain": row.chain,
            ":target": row.target.as_str(),
            ":digest": row.digest.as_bytes(),
            ":state": row.state,
            ":version": signed(row.version),
            ":created": row.created.micros(),
            ":expires": row.expires.micros(),
            ":call": row.call.map(|call| call.to_string()),
            ":request": row.request,
            ":progress": row.progress,
        })?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ApprovalRow, StoreError> {
    let text = |column| row.get::<_, String>(column);
    Ok(ApprovalRow {
        id: ApprovalId::parse(&text("id")?).map_err(damaged)?,
        chain: row.get("chain")?,
        target: TargetName::parse(&text("target")?).map_err(damaged)?,
        digest: Digest::parse(&hex::encode(row.get::<_, [u8; 32]>("digest")?)).map_err(damaged)?,
        state: row.get("state")?,
        version: unsigned(row.get("version")?)?,
        created: Timestamp::from_micros(row.get("created")?),
        expires: Timestamp::from_micros(row.get("expires")?),
        call: row
            .get::<_, Option<String>>("call")?
            .map(|call| CallId::parse(&call))
            .transpose()
            .map_err(damaged)?,
        request: row.get("request")?,
        progress: row.get("progress")?,
    })
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt(format!("an approval: {error}"))
}

fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn unsigned(version: i64) -> Result<u64, StoreError> {
    u64::try_from(version).map_err(damaged)
}

impl ToSql for ApprovalState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

impl FromSql for ApprovalState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(digest: u8, chain: u8) -> ApprovalRow {
        ApprovalRow {
            id: ApprovalId::new(),
            chain: [chain; 32],
            target: TargetName::parse("crm").unwrap(),
            digest: Digest::parse(&hex::encode([digest; 32])).unwrap(),
            state: ApprovalState::Pending,
            version: 0,
            created: Timestamp::from_secs(1),
            expires: Timestamp::from_secs(100),
            call: None,
            request: vec![1],
            progress: vec![2],
        }
    }

    fn change(row: &ApprovalRow, from: u64, state: ApprovalState) -> ApprovalChange {
        ApprovalChange { id: row.id, from, state, call: None, progress: vec![3] }
    }

    const LIMITS: ApprovalLimits = ApprovalLimits { pending: 3, pending_of_chain: 2 };

    fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_row_comes_back_as_it_was_kept() {
        let (_folder, store) = open();
        let row = ApprovalRow { call: Some(CallId::new()), ..row(1, 1) };
        assert_eq!(store.insert_approval(row.clone(), LIMITS).await.unwrap(), ApprovalInsert::Inserted);
        assert_eq!(store.approval(row.id).await.unwrap(), Some(row.clone()));
        assert_eq!(store.live_approval(row.chain, &row.target, row.digest).await.unwrap(), Some(row.clone()));
        assert_eq!(store.approvals(ApprovalFilter::default(), 10).await.unwrap(), [row]);
    }

    #[tokio::test]
    async fn of_two_changes_decided_on_one_version_one_is_kept() {
        let (folder, store) = open();
        let other = Store::open(folder.path()).unwrap();
        let row = row(1, 1);
        store.insert_approval(row.clone(), LIMITS).await.unwrap();
        let (approve, reject) = tokio::join!(
            store.change_approval(change(&row, 0, ApprovalState::Approved)),
            other.change_approval(change(&row, 0, ApprovalState::Rejected)),
        );
        assert!(approve.unwrap() ^ reject.unwrap());
        assert_eq!(store.approval_version(row.id).await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn one_live_approval_stands_for_a_chain_a_target_and_a_digest() {
        let (_folder, store) = open();
        let first = row(1, 1);
        store.insert_approval(first.clone(), LIMITS).await.unwrap();
        assert_eq!(store.insert_approval(row(1, 1), LIMITS).await.unwrap(), ApprovalInsert::AlreadyLive);
        store.change_approval(change(&first, 0, ApprovalState::Used)).await.unwrap();
        assert_eq!(store.insert_approval(row(1, 1), LIMITS).await.unwrap(), ApprovalInsert::Inserted);
        let again = store.change_approval(change(&first, 1, ApprovalState::Approved)).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    }

    #[tokio::test]
    async fn pending_approvals_have_a_bound_in_all_and_for_each_chain() {
        let (_folder, store) = open();
        for (digest, chain, comes_out) in [
            (1, 1, ApprovalInsert::Inserted),
            (2, 1, ApprovalInsert::Inserted),
            (3, 1, ApprovalInsert::TooManyOfChain),
            (3, 2, ApprovalInsert::Inserted),
            (4, 3, ApprovalInsert::TooMany),
        ] {
            assert_eq!(store.insert_approval(row(digest, chain), LIMITS).await.unwrap(), comes_out);
        }
    }

    #[tokio::test]
    async fn what_is_due_is_live_and_what_is_forgotten_is_not() {
        let (_folder, store) = open();
        let (live, settled) = (row(1, 1), row(2, 1));
        for row in [&live, &settled] {
            store.insert_approval(row.clone(), LIMITS).await.unwrap();
        }
        store.change_approval(change(&settled, 0, ApprovalState::Used)).await.unwrap();
        let due = |at| store.due_approvals(Timestamp::from_secs(at), 10);
        assert!(due(99).await.unwrap().is_empty());
        assert_eq!(due(100).await.unwrap(), std::slice::from_ref(&live));
        assert_eq!(store.used_approvals(Timestamp::from_secs(99)).await.unwrap().len(), 1);
        assert!(store.used_approvals(Timestamp::from_secs(100)).await.unwrap().is_empty());
        assert_eq!(store.forget_approvals(Timestamp::from_secs(99), 10).await.unwrap(), 0);
        assert_eq!(store.forget_approvals(Timestamp::from_secs(100), 10).await.unwrap(), 1);
        assert_eq!(store.approvals(ApprovalFilter::default(), 10).await.unwrap(), [live]);
    }
}
