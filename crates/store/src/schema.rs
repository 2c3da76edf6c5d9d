//! The tables, and the way from each version of them to the next. Forward only: a step that has shipped never changes.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// One step a version; the store's `user_version` counts those taken.
const STEPS: &[&str] = &["
    CREATE TABLE keys (
        name TEXT PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE secrets (
        name TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        updated INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE role_members (
        role TEXT NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (role, issuer, subject)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE codes (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        hash BLOB NOT NULL,
        expires INTEGER NOT NULL,
        redeemed INTEGER
    ) STRICT;

    CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        chain BLOB NOT NULL,
        target TEXT NOT NULL,
        digest BLOB NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('pending', 'approved', 'used', 'rejected', 'withdrawn', 'expired', 'void')),
        version INTEGER NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        call TEXT,
        request BLOB NOT NULL,
        progress BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX approvals_live ON approvals (chain, target, digest) WHERE state IN ('pending', 'approved');
    CREATE INDEX approvals_by_state ON approvals (state, expires);
    CREATE INDEX approvals_by_time ON approvals (created);
    "];

/// Brings the store to the latest version, in one transaction, so that two processes that start together agree.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let taken = usize::try_from(found).map_err(|_| StoreError::corrupt("a negative schema version"))?;
    let Some(missing) = STEPS.get(taken..) else { return Err(StoreError::Newer { found, known }) };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO keys (name, sealed) VALUES ('k', x'00')", []).unwrap();
        migrate(&mut connection).unwrap();
        let keys: i64 = connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
        assert_eq!(keys, 1);
    }

    #[test]
    fn a_store_that_a_newer_version_wrote_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }));
        assert!(error.to_string().contains("run the version that wrote it"));
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 99);
    }
}
