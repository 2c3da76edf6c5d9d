//! The stage itself: asking, waiting, signing, using, over the store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::{ApprovalId, CallId, Clock, Principal, TargetName, Timestamp, Ttl};
use store::seal::Sealer;
use store::{ApprovalFilter, ApprovalInsert, ApprovalLimits, Store, StoreError};

use crate::wake::Wake;
use crate::{Approval, ApprovalError, Event, NewApproval, Settled, State, Used, sealed, transition};

/// How often a waiting call looks whether another process has signed.
const POLL: Duration = Duration::from_secs(1);

/// How often a decision is made again because the row changed under it. A row changes a handful of times in its life.
const ATTEMPTS: u32 = 32;

/// How many approvals one sweep expires, or forgets, at a time.
const SWEEP: u32 = 500;

/// How long a settled approval can be looked up after its expiry; the journal has it for good.
const KEPT: i64 = 30 * 24 * 3600 * 1_000_000;

/// How many approvals a list holds at most.
const MAX_LIST: u32 = 1000;

/// What the configuration says of approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long an approval can be signed and used.
    pub lifetime: Ttl,
    /// How many may be pending in all.
    pub max_pending: u32,
    /// How many may be pending for one principal chain.
    pub max_pending_per_principal: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime: Ttl::from_secs_clamped(15 * 60),
            max_pending: 10_000,
            max_pending_per_principal: 100,
        }
    }
}

/// Which approvals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this target.
    pub target: Option<TargetName>,
    /// At most so many, the latest first; never more than 1000.
    pub limit: Option<u32>,
}

/// The approvals of a store. Cheap to clone.
#[derive(Clone)]
pub struct Approvals(Arc<Inner>);

struct Inner {
    store: Store,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    settings: Settings,
    wake: Wake,
}

impl Approvals {
    /// The approvals in `store`, sealed by what `sealer` derives for them.
    #[must_use]
    pub fn new(store: Store, sealer: Sealer, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            store,
            sealer: sealer.derive("approvals"),
            clock,
            settings,
            wake: Wake::default(),
        }))
    }

    /// Asks for a signature. An identical call (same chain, target and digest) attaches to the approval that is pending or
    /// signed and unused; one for which policy demands something else by now is voided, and asked for anew. Returns the
    /// approval, and whether this call is the first to ask for it.
    ///
    /// # Errors
    /// [`ApprovalError`] when too many are pending, the call is too large, or the store does not answer.
    pub async fn ask(&self, new: NewApproval) -> Result<(Approval, bool), ApprovalError> {
        let chain = sealed::chain_hash(&new.principal);
        for _ in 0..ATTEMPTS {
            if let Some(row) = self.0.store.live_approval(chain, &new.target, new.digest).await? {
                let live = sealed::open(row, &self.0.sealer)?;
                if live.clone().at(self.now()).serves(&new.ask) {
                    return Ok((live, false));
                }
                self.settle(live).await?;
                continue;
            }
            let asked = self.new_approval(&new);
            let limits = ApprovalLimits {
                pending: self.0.settings.max_pending,
                pending_of_chain: self.0.settings.max_pending_per_principal,
            };
            match self.0.store.insert_approval(sealed::row_of(&asked, &self.0.sealer)?, limits).await? {
                ApprovalInsert::Inserted => return Ok((asked, true)),
                ApprovalInsert::AlreadyLive => {}
                // What has expired takes no room.
                ApprovalInsert::TooMany | ApprovalInsert::TooManyOfChain if self.expire_due().await? > 0 => {}
                ApprovalInsert::TooMany | ApprovalInsert::TooManyOfChain => {
                    return Err(ApprovalError::TooMany);
                }
            }
        }
        Err(ApprovalError::Conflict)
    }

    /// Waits until the approval is no longer pending, or until `until`. Wakes at once on a change by this process and
    /// within a second of another's. May be dropped at any time.
    ///
    /// # Errors
    /// [`ApprovalError`] when there is no such approval, its row is damaged, or the store does not answer.
    pub async fn wait(&self, id: ApprovalId, until: Timestamp) -> Result<Settled, ApprovalError> {
        let mut listener = self.0.wake.listen(id);
        let mut seen: Option<Approval> = None;
        loop {
            let version = self.0.store.approval_version(id).await?.ok_or(ApprovalError::NotFound(id))?;
            let approval = match seen.take() {
                Some(approval) if approval.version == version => approval.at(self.now()),
                Some(_) | None => self.show(id).await?.ok_or(ApprovalError::NotFound(id))?,
            };
            let now = self.now();
            let settled = approval.settled();
            if settled != Settled::StillPending || now >= until {
                return Ok(settled);
            }
            let next = until.min(approval.expires).since(now).min(POLL);
            seen = Some(approval);
            listener.changed(next).await;
        }
    }

    /// Signs for the first awaited group that `signer` is in. Whether policy permits them to sign was decided before.
    ///
    /// # Errors
    /// [`ApprovalError`] when it is no longer pending, when `signer` or anybody acting for them made the call or has signed
    /// already, or when they are in none of the awaited groups.
    pub async fn sign(
        &self,
        id: ApprovalId,
        signer: &Principal,
        reason: Option<String>,
    ) -> Result<Approval, ApprovalError> {
        let sign = |approval: &mut Approval, now| approval.sign(signer, reason.clone(), now);
        self.change(id, sign).await.map(|(approval, ())| approval)
    }

    /// Rejects a pending approval, by a member of any of the asked groups.
    ///
    /// # Errors
    /// [`ApprovalError`] when it is no longer pending, or when `by` made the call or is in none of the asked groups.
    pub async fn reject(
        &self,
        id: ApprovalId,
        by: &Principal,
        reason: Option<String>,
    ) -> Result<Approval, ApprovalError> {
        let reject = |approval: &mut Approval, now| approval.reject(by, reason.clone(), now);
        self.change(id, reject).await.map(|(approval, ())| approval)
    }

    /// Takes an approval back, by the chain that asked for it. A caller that merely leaves withdraws nothing.
    ///
    /// # Errors
    /// [`ApprovalError`] when it is settled, or when another chain asked for it.
    pub async fn withdraw(&self, id: ApprovalId, by: &Principal) -> Result<Approval, ApprovalError> {
        self.change(id, |approval, _| approval.withdraw(by)).await.map(|(approval, ())| approval)
    }

    /// Ends an approval because policy demands something else by now.
    ///
    /// # Errors
    /// [`ApprovalError`] when it is settled.
    pub async fn void(&self, id: ApprovalId) -> Result<Approval, ApprovalError> {
        let void = |approval: &mut Approval, _| {
            approval.state = transition(approval.state, Event::Void)?;
            Ok(())
        };
        self.change(id, void).await.map(|(approval, ())| approval)
    }

    /// Takes a signed approval for `call`, and for no other call ever.
    ///
    /// # Errors
    /// [`ApprovalError::Conflict`] when another call was first, [`ApprovalError::NotSigned`], [`ApprovalError::Expired`], …
    pub async fn mark_used(&self, id: ApprovalId, call: CallId) -> Result<Used, ApprovalError> {
        self.change(id, |approval, _| approval.take(call)).await.map(|(_, used)| used)
    }

    /// After a crash: what was used by a call of which the journal knows no beginning becomes usable again, unless it has
    /// expired. Must run before calls are taken, by the process that holds the journal.
    ///
    /// # Errors
    /// [`ApprovalError`] when the store does not answer.
    pub async fn give_back_unbegun(
        &self,
        has_begun: impl Fn(CallId) -> bool,
    ) -> Result<Vec<ApprovalId>, ApprovalError> {
        let mut given_back = Vec::new();
        for row in self.0.store.used_approvals(self.now()).await? {
            let Some(call) = row.call.filter(|call| !has_begun(*call)) else { continue };
            match self.change(row.id, |approval, _| approval.give_back(call)).await {
                Ok(_) => given_back.push(row.id),
                // It stays used, which harms nobody: either the caller has asked anew meanwhile, or the row is not ours.
                Err(error @ (ApprovalError::Store(StoreError::Conflict(_)) | ApprovalError::Damaged(_))) => {
                    tracing::warn!(approval = %row.id, %error, "not given back");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(given_back)
    }

    /// The approvals by `filter`, the latest first. What ran out since the last sweep is listed as neither pending nor
    /// approved.
    ///
    /// # Errors
    /// [`ApprovalError`] when the store does not answer, or a row is damaged.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Approval>, ApprovalError> {
        let Filter { state, target, limit } = filter;
        let limit = limit.unwrap_or(MAX_LIST).min(MAX_LIST);
        let mut listed = Vec::new();
        for row in self.0.store.approvals(ApprovalFilter { state, target }, limit).await? {
            let approval = sealed::open(row, &self.0.sealer)?.at(self.now());
            if state.is_none_or(|state| state == approval.state) {
                listed.push(approval);
            }
        }
        Ok(listed)
    }

    /// One approval, opened.
    ///
    /// # Errors
    /// [`ApprovalError`] when the store does not answer, or the row is damaged.
    pub async fn show(&self, id: ApprovalId) -> Result<Option<Approval>, ApprovalError> {
        let row = self.0.store.approval(id).await?;
        row.map(|row| Ok(sealed::open(row, &self.0.sealer)?.at(self.now()))).transpose()
    }

    /// Ends what has run out, and forgets what was settled a month ago: a batch of each. Returns how many have expired.
    /// To be called every few seconds; nothing depends on it but that waiting calls hear of it, and the store's size.
    ///
    /// # Errors
    /// [`ApprovalError`] when the store does not answer.
    pub async fn expire_due(&self) -> Result<usize, ApprovalError> {
        let now = self.now();
        let mut expired = 0;
        for row in self.0.store.due_approvals(now, SWEEP).await? {
            let id = row.id;
            match sealed::open(row, &self.0.sealer) {
                Ok(approval) => expired += usize::from(self.settle(approval).await?),
                // One damaged row shall not keep the others alive. It opens for nobody, so it cannot be used either.
                Err(error) => tracing::error!(approval = %id, %error, "cannot expire an approval"),
            }
        }
        self.0
            .store
            .forget_approvals(Timestamp::from_micros(now.micros().saturating_sub(KEPT)), SWEEP)
            .await?;
        Ok(expired)
    }

    /// Decides on the approval as it is, and keeps that if it still is so; decides again otherwise.
    async fn change<T>(
        &self,
        id: ApprovalId,
        decide: impl Fn(&mut Approval, Timestamp) -> Result<T, ApprovalError>,
    ) -> Result<(Approval, T), ApprovalError> {
        for _ in 0..ATTEMPTS {
            let row = self.0.store.approval(id).await?.ok_or(ApprovalError::NotFound(id))?;
            let now = self.now();
            let mut approval = sealed::open(row, &self.0.sealer)?.at(now);
            let decided = decide(&mut approval, now)?;
            if self.keep(&mut approval).await? {
                return Ok((approval, decided));
            }
        }
        Err(ApprovalError::Conflict)
    }

    /// Ends a live approval that serves nobody: expired if its time is over, else void. False when it changed meanwhile.
    async fn settle(&self, mut approval: Approval) -> Result<bool, ApprovalError> {
        let event = if self.now() >= approval.expires { Event::Expire } else { Event::Void };
        approval.state = transition(approval.state, event)?;
        self.keep(&mut approval).await
    }

    async fn keep(&self, approval: &mut Approval) -> Result<bool, ApprovalError> {
        let kept = self.0.store.change_approval(sealed::change_of(approval, &self.0.sealer)?).await?;
        if kept {
            approval.version += 1;
            self.0.wake.changed(approval.id);
        }
        Ok(kept)
    }

    fn new_approval(&self, new: &NewApproval) -> Approval {
        let now = self.now();
        let new = new.clone();
        Approval {
            id: ApprovalId::new(),
            state: State::Pending,
            principal: new.principal,
            target: new.target,
            digest: new.digest,
            ask: new.ask,
            call: new.call,
            sentence: new.sentence,
            detail: new.detail,
            revision: new.revision,
            created: now,
            expires: now.plus(self.0.settings.lifetime.duration()),
            signatures: Vec::new(),
            rejection: None,
            used_by: None,
            version: 0,
        }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approvals(…)")
    }
}

#[cfg(test)]
mod interleaving;
#[cfg(test)]
mod tests;
