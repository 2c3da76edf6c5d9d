//! The way of one call, on one screen. Everything else in this crate is what these steps use.

use std::sync::Arc;

use journal::{Event, Refused};
use model::{Decision, Obligations, Refusal, Secret};

use crate::answer::Answer;
use crate::ended::Ended;
use crate::entry::Entry;
use crate::failpoint::CrashPoint;
use crate::proposal::Proposal;
use crate::session::{Arrival, Session};
use crate::signature::Signed;
use crate::waiting::Waiting;
use crate::wire::Wire;

pub use crate::inner::Gate;

/// A call that policy allows, or that was signed for. Only [`Gate::admit`] makes one.
pub struct Admitted {
    pub(crate) session: Session,
    pub(crate) proposal: Proposal,
    pub(crate) obligations: Obligations,
    pub(crate) reasons: Vec<model::Reason>,
    pub(crate) signed: Option<Signed>,
}

/// A call whose rate is taken, whose entry is begun and whose credential is there. Only [`Gate::begin`] makes one.
pub struct Cleared {
    pub(crate) session: Session,
    pub(crate) entry: Entry,
    pub(crate) credential: lease::Credential,
    pub(crate) plan: Arc<mask::Plan>,
}

impl Gate {
    /// Who calls, and what: proves the credential and finds the target.
    ///
    /// # Errors
    /// `unauthenticated`, `expired`, `denied` for a target that is not there, `shutting_down`. Recorded.
    pub async fn identify(
        &self,
        arrival: &Arrival,
        target: &str,
        credential: Option<&Secret>,
    ) -> Result<Session, Ended> {
        let identified = self.prove(arrival, target, credential).await;
        identified.map_err(|refusal| self.refuse_stranger(arrival, refusal))
    }

    /// Whether it may: decides, and waits for a countersign where policy asks for one. Dropping the future leaves the
    /// approval standing and runs nothing.
    ///
    /// # Errors
    /// `denied`, `approval_required`, `rejected`, `expired`, `not_understood`, `store_unavailable`. Recorded.
    pub async fn admit(
        &self,
        session: &Session,
        proposal: Proposal,
        waiting: &dyn Waiting,
    ) -> Result<Admitted, Ended> {
        let admitted = match self.decide(session, &proposal.call, None) {
            Ok(Decision::Allow { obligations, reasons }) => Ok((obligations, reasons, None)),
            Ok(Decision::Ask { ask, .. }) => self.signature(session, &proposal, &ask, waiting).await,
            Ok(Decision::Deny { reasons }) => Err(crate::refused::denied(&reasons)),
            Err(refusal) => Err(refusal),
        };
        match admitted {
            Ok((obligations, reasons, signed)) => {
                Ok(Admitted { session: session.clone(), proposal, obligations, reasons, signed })
            }
            Err(refusal) => Err(self.refuse(session, &proposal.call, refusal)),
        }
    }

    /// What must stand before it runs: takes the rate, uses the signature, begins the entry, acquires the credential; all
    /// on the disk if the call has an effect. Runs to its end even if the caller leaves.
    ///
    /// # Errors
    /// `rate_limited`, `conflict`, `journal_unavailable`, `credential_unavailable`, `store_unavailable`. Recorded.
    pub async fn begin(&self, admitted: Admitted) -> Result<Cleared, Ended> {
        let principal = &admitted.session.principal().key;
        if let Err(refusal) = self.rates().take(principal, &admitted.obligations.rates) {
            return Err(self.refuse(&admitted.session, &admitted.proposal.call, refusal));
        }
        if admitted.signed.is_none() && !admitted.proposal.call.verb().has_effect() {
            return self.clear(admitted).await;
        }
        let gate = self.clone();
        let owned = tokio::spawn(async move { gate.clear(admitted).await });
        owned.await.unwrap_or_else(|_| Err(crate::refused::lost().into()))
    }

    /// Use the signature, begin the entry, then sync and acquire side by side.
    pub(crate) async fn clear(&self, admitted: Admitted) -> Result<Cleared, Ended> {
        if let Some(signed) = &admitted.signed
            && let Err(refusal) = self.use_signature(signed, admitted.proposal.call.id).await
        {
            return Err(self.refuse(&admitted.session, &admitted.proposal.call, refusal));
        }
        let entry = match self.enter(&admitted) {
            Ok(entry) => entry,
            Err(ended) => {
                if admitted.signed.is_some() {
                    self.unuse_signature(admitted.proposal.call.id).await;
                }
                return Err(ended);
            }
        };
        let (synced, credential) = tokio::join!(self.sync(&entry), self.acquire(&admitted));
        let call = Some(entry.call());
        match synced.and(credential) {
            Ok((credential, plan)) => Ok(Cleared { session: admitted.session, entry, credential, plan }),
            Err(refusal) => {
                let ended = Ended::Refused { refusal, call };
                entry.finish(ended.outcome());
                Err(ended)
            }
        }
    }

    /// The only way to a target: lends or dials a connection, sends the call with its credential, and waits for the
    /// beginning of the answer. Another connection is tried only if not a byte was written.
    ///
    /// # Errors
    /// `target_unavailable` when nothing was sent; [`Ended::Failed`] when the target may have run it. Recorded.
    pub async fn send<W: Wire>(
        &self,
        cleared: Cleared,
        request: W::Request,
    ) -> Result<Answer<W::Reply>, Ended> {
        CrashPoint::Minted.pass();
        match self.exchange::<W>(&cleared, request).await {
            Ok(reply) => {
                CrashPoint::AnswerBegun.pass();
                Ok(Answer::new(cleared, reply))
            }
            Err(ended) => {
                cleared.entry.finish(ended.outcome());
                Err(ended)
            }
        }
    }

    /// Ends a call that policy, the rate or a stage refused; the refusal is in the journal before it is told.
    pub(crate) fn refuse(&self, session: &Session, call: &model::Call, refusal: Refusal) -> Ended {
        let refused = Refused {
            call: call.id,
            principal: Some(session.principal().chain_text()),
            target: Some(call.target.clone()),
            accesses: Some(call.accesses.clone()),
            sentence: self.kept().text(&call.sentence),
            kind: refusal.kind,
            detail: refusal.detail.clone(),
            policy: Some(session.0.snapshot.engine().revision().to_owned()),
            reasons: Vec::new(),
            approval: refusal.approval.as_ref().map(|approval| approval.id),
        };
        self.record_refusal(Event::Refused(Box::new(refused)), &refusal);
        Ended::Refused { refusal, call: Some(call.id) }
    }
}

impl Admitted {
    /// What policy asks of the call.
    #[must_use]
    pub fn obligations(&self) -> &Obligations {
        &self.obligations
    }
}

impl Cleared {
    /// The call's identity.
    #[must_use]
    pub fn call(&self) -> model::CallId {
        self.entry.call()
    }

    /// What is called.
    #[must_use]
    pub fn target(&self) -> &Arc<crate::target::Target> {
        self.session.target()
    }

    /// Ends a call whose caller could not send it whole. Nothing has reached the target.
    #[must_use]
    pub fn give_up(self, refusal: Refusal) -> Ended {
        let ended = Ended::Refused { refusal, call: Some(self.entry.call()) };
        self.entry.finish(ended.outcome());
        ended
    }
}
