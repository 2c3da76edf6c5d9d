//! The gateway's state, and each stage as one small step of the path.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use approval::Approvals;
use arc_swap::ArcSwap;
use identity::Identity;
use journal::{Begun, Event, Health, Journal, RecordPart, Refused};
use lease::{Credential, Credentials, MintFor};
use mask::Plan;
use model::{
    ActionName, Call, CallId, Clock, Decision, GroupName, PrincipalKey, Refusal, RefusalKind, Secret,
    Timestamp,
};
use policy::Who;
use serde_json::{Value, json};
use store::{Redeemed, Store};
use tokio::sync::watch;

use crate::budget::{Allowance, Budget};
use crate::caller::{Public, PublicPage};
use crate::ended::Ended;
use crate::entry::{Entry, SAMPLE};
use crate::failpoint::CrashPoint;
use crate::kept::Kept;
use crate::metrics::Metrics;
use crate::path::{Admitted, Cleared};
use crate::proposal::Body;
use crate::rate::Rates;
use crate::refused;
use crate::session::{Arrival, Session, Sessions};
use crate::snapshot::Snapshot;
use crate::wire::{SendFailure, Wire};

/// The role whose members may administer Countersign, by the policy that ships.
pub const ADMINISTRATOR: &str = "administrator";

/// The gateway. Cheap to clone; the last clone that is dropped closes nothing: call [`Gate::drained`] and close the journal.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    identity: ArcSwap<Identity>,
    snapshot: ArcSwap<Snapshot>,
    sessions: Sessions,
    administrators: ArcSwap<HashSet<PrincipalKey>>,
    approvals: Approvals,
    rates: Rates,
    journal: Journal,
    credentials: Credentials,
    store: Store,
    budget: Budget,
    metrics: Arc<Metrics>,
    kept: Kept,
    openapi: String,
    stopping: watch::Sender<bool>,
}

/// What a gateway is made from: each stage, opened.
pub struct Stages {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Stage 1.
    pub identity: Identity,
    /// Targets and policies.
    pub snapshot: Snapshot,
    /// The second signature.
    pub approvals: Approvals,
    /// The record.
    pub journal: Journal,
    /// Credentials.
    pub credentials: Credentials,
    /// State.
    pub store: Store,
    /// The description of `/v1`, as OpenAPI.
    pub openapi: serde_json::Value,
    /// Members of the administrator role.
    pub administrators: HashSet<PrincipalKey>,
}

/// What the head of a call says about its body.
#[derive(Debug)]
pub enum HeadDecision {
    /// It may stream.
    Stream,
    /// It must be read in full, up to [`crate::BODY_LIMIT`], because only a whole call can be signed for.
    NeedBody(Allowance),
}

impl Gate {
    /// Puts the stages together.
    #[must_use]
    pub fn new(stages: Stages) -> Self {
        Self(Arc::new(Inner {
            clock: stages.clock,
            identity: ArcSwap::from_pointee(stages.identity),
            snapshot: ArcSwap::from_pointee(stages.snapshot),
            sessions: Sessions::default(),
            administrators: ArcSwap::from_pointee(stages.administrators),
            approvals: stages.approvals,
            rates: Rates::default(),
            journal: stages.journal,
            credentials: stages.credentials,
            store: stages.store,
            budget: Budget::new(),
            metrics: Arc::new(Metrics::default()),
            kept: Kept::new(Vec::new()),
            openapi: stages.openapi.to_string(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Replaces identity settings, targets and policies together. Calls under way keep what they began with.
    ///
    /// # Errors
    /// `journal_unavailable` when the change cannot be recorded; then nothing changes.
    pub async fn replace(&self, identity: Identity, snapshot: Snapshot) -> Result<(), Refusal> {
        let revision = snapshot.engine().revision().to_owned();
        self.keep(Event::PolicyLoaded { revision }).await?;
        self.0.identity.store(Arc::new(identity));
        self.0.snapshot.store(Arc::new(snapshot));
        self.0.sessions.clear();
        Ok(())
    }

    /// Ends when the gateway is told to stop.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        while !*stopping.borrow_and_update() {
            if stopping.changed().await.is_err() {
                return;
            }
        }
    }

    /// Refuses new calls from now on, and those that wait for a signature.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Whether calls can be served: the journal can be written and the gateway is not stopping.
    #[must_use]
    pub fn ready(&self) -> bool {
        !*self.0.stopping.borrow() && matches!(self.0.journal.health(), Health::Serving)
    }

    /// A page that anyone may see.
    #[must_use]
    pub fn page(&self, page: Public) -> PublicPage {
        match page {
            Public::Healthz => PublicPage::new(page, true, "ok\n"),
            Public::Readyz if self.ready() => PublicPage::new(page, true, "ready\n"),
            Public::Readyz => {
                PublicPage::new(page, false, "not ready: the journal cannot be written, or it stops\n")
            }
            Public::Jwks => PublicPage::new(page, true, self.0.credentials.jwks().to_string()),
            Public::OpenApi => PublicPage::new(page, true, self.0.openapi.clone()),
        }
    }

    /// Counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The metrics page.
    #[must_use]
    pub fn metrics_page(&self) -> String {
        self.0.metrics.render(self.0.sessions.len())
    }

    /// The journal, for reading.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// The approvals.
    #[must_use]
    pub fn approvals(&self) -> &Approvals {
        &self.0.approvals
    }

    /// The configuration that new calls begin with.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// Makes the principal an administrator, if `code` is the one-time code that the gateway printed.
    ///
    /// # Errors
    /// `denied` for a code that is wrong, used or expired; `store_unavailable`, `journal_unavailable`.
    pub async fn redeem(&self, principal: &PrincipalKey, code: &Secret) -> Result<(), Refusal> {
        let redeemed = self.0.store.redeem_code(code, principal, self.now()).await.map_err(|error| {
            tracing::error!(%error, "the store cannot be used");
            Refusal::new(RefusalKind::StoreUnavailable, error.to_string())
        })?;
        if redeemed != Redeemed::Joined {
            return Err(Refusal::new(RefusalKind::Denied, redeemed.to_string()));
        }
        let mut administrators = HashSet::clone(&self.0.administrators.load());
        administrators.insert(principal.clone());
        self.0.administrators.store(Arc::new(administrators));
        self.0.sessions.clear();
        self.keep(Event::AdministratorMade { principal: principal.to_string() }).await
    }

    /// Room for a body that is read in full, whatever policy says of it: that of a named operation.
    ///
    /// # Errors
    /// `too_large` while 64 MiB of bodies are held.
    pub fn room(&self) -> Result<Allowance, Refusal> {
        self.0.budget.reserve()
    }

    /// Whether a body may stream or must be read in full, from the head alone.
    ///
    /// # Errors
    /// `denied`, recorded, when no signature could turn the denial; `too_large` when no room for a body is left.
    pub fn decide_head(&self, session: &Session, head: &Call) -> Result<HeadDecision, Ended> {
        let decided = match self.decide(session, head, None) {
            Ok(Decision::Allow { .. }) => Ok(HeadDecision::Stream),
            Ok(Decision::Ask { .. }) => self.0.budget.reserve().map(HeadDecision::NeedBody),
            Ok(Decision::Deny { reasons }) => Err(refused::denied(&reasons)),
            Err(refusal) => Err(refusal),
        };
        decided.map_err(|refusal| self.refuse(session, head, refusal))
    }

    /// Records a request that is no call, of a caller whose identity is not known or does not matter, and gives the
    /// refusal back to be rendered. Counted by source and reason, so that strangers cannot fill the disk.
    pub fn refuse_stranger(&self, arrival: &Arrival, refusal: Refusal) -> Ended {
        self.0.metrics.refused(refusal.kind);
        self.0.journal.append_stranger(arrival.peer.ip(), refusal.kind);
        refusal.into()
    }

    /// Records a request of a known principal that could not be read as a call, and gives the refusal back.
    pub fn refuse_unread(&self, session: &Session, refusal: Refusal) -> Ended {
        let call = CallId::new();
        let refused = Refused {
            call,
            principal: Some(session.principal().chain_text()),
            target: Some(session.target().name().clone()),
            accesses: None,
            sentence: String::new(),
            kind: refusal.kind,
            detail: refusal.detail.clone(),
            policy: None,
            reasons: Vec::new(),
            approval: None,
        };
        self.record_refusal(Event::Refused(Box::new(refused)), &refusal);
        Ended::Refused { refusal, call: Some(call) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// Stage 1.
    pub(crate) async fn prove(
        &self,
        arrival: &Arrival,
        target: &str,
        credential: Option<&Secret>,
    ) -> Result<Session, Refusal> {
        if *self.0.stopping.borrow() {
            return Err(Refusal::new(RefusalKind::ShuttingDown, "the gateway is draining"));
        }
        let unauthenticated = |detail: &str| Refusal::new(RefusalKind::Unauthenticated, detail);
        if !arrival.private {
            return Err(unauthenticated("a bearer token off loopback needs TLS"));
        }
        let token = credential.ok_or_else(|| unauthenticated("there is no bearer token"))?;
        let identity = self.0.identity.load();
        let proven = match identity.remembered(token) {
            Some(proven) => proven,
            None => identity.verify(token).await.map_err(|error| refused::unproven(&error))?,
        };
        let snapshot = self.0.snapshot.load_full();
        let Some(target) = snapshot.target(target) else {
            let detail = "no policy permits it, or there is no such target";
            return Err(Refusal::new(RefusalKind::Denied, detail));
        };
        let who = || self.who(&proven.principal);
        let session = self.0.sessions.of(&proven, target, &snapshot, self.now(), who);
        session.live(&*self.0.clock)?;
        Ok(session)
    }

    fn who(&self, principal: &Arc<model::Principal>) -> Who {
        let mut roles = BTreeSet::new();
        if self.0.administrators.load().contains(&principal.key) {
            roles.insert(ADMINISTRATOR.to_owned());
        }
        Who { principal: Arc::clone(principal), roles }
    }

    /// Stage 3.
    pub(crate) fn decide(
        &self,
        session: &Session,
        call: &Call,
        approval: Option<&BTreeSet<GroupName>>,
    ) -> Result<Decision, Refusal> {
        session.live(&*self.0.clock)?;
        if call.target != *session.target().name() {
            return Err(Refusal::new(
                RefusalKind::NotUnderstood,
                "the call names another target than its session",
            ));
        }
        let decided = session.0.snapshot.engine().decide(&session.0.who, call, approval);
        decided.map_err(|error| Refusal::new(RefusalKind::NotUnderstood, error.to_string()))
    }

    /// The same identity and target under the configuration that stands now.
    pub(crate) fn renewed(&self, session: &Session) -> Result<Session, Refusal> {
        session.live(&*self.0.clock)?;
        let snapshot = self.0.snapshot.load_full();
        if Arc::ptr_eq(&snapshot, &session.0.snapshot) {
            return Ok(session.clone());
        }
        let name = session.target().name().as_str();
        let gone =
            || Refusal::new(RefusalKind::Revoked, format!("the target `{name}` is no longer configured"));
        let target = Arc::clone(snapshot.target(name).ok_or_else(gone)?);
        Ok(Session::new(self.who(&session.0.who.principal), target, snapshot, session.0.expires))
    }

    /// Stage 6: begins the entry. What policies read is kept apart and unmasked, in the sealed record only.
    pub(crate) fn enter(&self, admitted: &Admitted) -> Result<Entry, Ended> {
        let call = &admitted.proposal.call;
        let session = &admitted.session;
        let signed = admitted.signed.as_ref();
        let begun = Begun {
            call: call.id,
            session: session.0.id,
            principal: session.principal().chain_text(),
            target: call.target.clone(),
            accesses: call.accesses.clone(),
            sentence: self.0.kept.text(&call.sentence),
            policy: session.0.snapshot.engine().revision().to_owned(),
            reasons: admitted.reasons.clone(),
            obligations: admitted.obligations.clone(),
            approval: signed.map(|signed| signed.approval),
            digest: signed.map(|signed| signed.digest),
            signers: signed.map(|signed| signed.by.clone()).unwrap_or_default(),
            credential: self.planned(admitted),
        };
        let full = admitted.obligations.record == model::RecordLevel::Full;
        let record = RecordPart::json(&json!({
            "heads": self.0.kept.json(&call.heads),
            "body": admitted.proposal.body.as_ref().filter(|_| full).and_then(|body| self.keep_body(body)),
            "inputs": {
                "principal": session.principal(),
                "roles": session.0.who.roles,
                "accesses": call.accesses,
                "context": call.context,
                "approval": signed.map(|signed| &signed.groups),
            },
        }));
        let inner = &self.0;
        let level = admitted.obligations.record;
        let entry = record.and_then(|record| {
            Entry::begin(&inner.journal, &inner.clock, &inner.metrics, call, level, begun, record)
        });
        entry.map_err(|error| {
            let refusal = refused::journal(&error);
            self.0.metrics.refused(refusal.kind);
            Ended::Refused { refusal, call: Some(call.id) }
        })
    }

    /// What the entry says of the credential that is about to be acquired.
    fn planned(&self, admitted: &Admitted) -> Option<journal::Credential> {
        let plan = admitted.session.target().credential();
        let planned = plan.planned(self.now(), admitted.obligations.ttl);
        (planned.issuer != lease::Issuer::None).then(|| journal::Credential {
            issuer: planned.issuer.as_str().to_owned(),
            name: plan.needs_secret().map(ToString::to_string),
            expires: planned.expires,
        })
    }

    /// Waits for the disk, if the call has an effect.
    pub(crate) async fn sync(&self, entry: &Entry) -> Result<(), Refusal> {
        if !entry.has_effect() {
            return Ok(());
        }
        entry.durable().await.map_err(|error| refused::journal(&error))?;
        CrashPoint::Durable.pass();
        Ok(())
    }

    /// Stage 7.
    pub(crate) async fn acquire(&self, admitted: &Admitted) -> Result<(Credential, Arc<Plan>), Refusal> {
        let call = &admitted.proposal.call;
        let nameless = ActionName::builtin("none");
        let what = MintFor {
            principal: admitted.session.principal(),
            target: &call.target,
            action: call.accesses.as_slice().first().map_or(&nameless, |access| &access.action),
            call: call.id,
            ttl: admitted.obligations.ttl,
        };
        let plan = admitted.session.target().credential();
        let credential =
            self.0.credentials.acquire(plan, what).await.map_err(|error| refused::credential(&error))?;
        let plan = admitted.session.plan(&credential).map_err(|error| refused::unsearchable(&error))?;
        Ok((credential, plan))
    }

    /// Stage 8: one exchange over a lent or a fresh connection.
    pub(crate) async fn exchange<W: Wire>(
        &self,
        cleared: &Cleared,
        mut request: W::Request,
    ) -> Result<W::Reply, Ended> {
        let call = cleared.entry.call();
        let effect = cleared.entry.has_effect();
        let refuse = |detail: String| {
            let refusal = Refusal::new(RefusalKind::TargetUnavailable, detail);
            Ended::Refused { refusal, call: Some(call) }
        };
        let target = cleared.session.target();
        let injection = &cleared.credential.injection;
        if let Some(link) = target.pool().take(W::usable) {
            match W::exchange(link, request, injection).await {
                Ok(reply) => return Ok(reply),
                Err(SendFailure::Unwritten(unwritten)) => request = unwritten,
                Err(SendFailure::Written(fault)) => {
                    return Err(Ended::Failed { call, reason: fault.to_string(), effect });
                }
            }
        }
        let dialer = target
            .dialer()
            .ok_or_else(|| refuse("this target is served by the gateway itself".to_owned()))?;
        let stream = dialer.dial().await.map_err(|error| {
            tracing::warn!(%error, target = %target.name(), "a target cannot be reached");
            refuse(error.to_string())
        })?;
        let link = W::open(stream).await.map_err(|fault| refuse(fault.to_string()))?;
        match W::exchange(link, request, injection).await {
            Ok(reply) => Ok(reply),
            Err(SendFailure::Unwritten(_)) => Err(refuse("the target closed a fresh connection".to_owned())),
            Err(SendFailure::Written(fault)) => {
                Err(Ended::Failed { call, reason: fault.to_string(), effect })
            }
        }
    }

    /// Writes an event of ours and waits until it is on the disk.
    pub(crate) async fn keep(&self, event: Event) -> Result<(), Refusal> {
        let position = self.0.journal.append(event, None).map_err(|error| refused::journal(&error))?;
        self.0.journal.durable(position).await.map_err(|error| refused::journal(&error))
    }

    /// The same for what has happened already and cannot be taken back: the log is told when the journal cannot be.
    pub(crate) async fn keep_or_log(&self, event: Event) {
        if let Err(refusal) = self.keep(event).await {
            tracing::error!(%refusal, "something happened that the journal does not hold");
        }
    }

    pub(crate) fn record_refusal(&self, event: Event, refusal: &Refusal) {
        self.0.metrics.refused(refusal.kind);
        // A refusal is told when it has left the process: nothing else will write it soon, as an answer would.
        match self.0.journal.append(event, None) {
            Ok(_) => self.0.journal.write_now(),
            Err(error) => tracing::error!(%error, %refusal, "a refusal is not in the journal"),
        }
    }

    /// What masks that which is kept.
    pub(crate) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    /// The beginning of a body as it is kept, or nothing when it cannot be searched.
    pub(crate) fn keep_body(&self, body: &Body) -> Option<Value> {
        let masked = self.0.kept.body(body.content?, &body.bytes);
        let beginning = masked.get(..SAMPLE.min(masked.len()))?;
        Some(json!({ "text": String::from_utf8_lossy(beginning), "bytes": body.bytes.len() }))
    }
}
