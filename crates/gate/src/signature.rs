//! Waiting for a countersign, and giving one.

use std::collections::BTreeSet;

use approval::{Approval, ApprovalError, NewApproval, Settled};
use journal::{Asked, Event};
use model::{
    ApprovalId, ApprovalNotice, Ask, CallId, Decision, Digest, GroupName, Obligations, Principal, Reason,
    Refusal, RefusalKind,
};
use serde_json::json;

use crate::failpoint::CrashPoint;
use crate::path::Gate;
use crate::proposal::Proposal;
use crate::session::Session;
use crate::waiting::Waiting;

/// A signature that covers a call.
pub(crate) struct Signed {
    pub(crate) approval: ApprovalId,
    pub(crate) digest: Digest,
    pub(crate) groups: BTreeSet<GroupName>,
    pub(crate) by: Vec<String>,
}

type Granted = (Obligations, Vec<Reason>, Option<Signed>);

impl Gate {
    /// Asks for the signatures that policy wants, waits as long as the client does, and lets policy decide again.
    pub(crate) async fn signature(
        &self,
        session: &Session,
        proposal: &Proposal,
        ask: &Ask,
        waiting: &dyn Waiting,
    ) -> Result<Granted, Refusal> {
        let digest = self.digest(session, proposal)?;
        let approval = self.ask(session, proposal, ask, digest).await?;
        let notice = approval.notice();
        waiting.asked(&notice);
        let until = self.now().plus(waiting.patience()).min(session.0.expires);
        let about = |kind, detail: String| Refusal::new(kind, detail).with_approval(notice.clone());
        let settled = tokio::select! {
            settled = self.approvals().wait(approval.id, until) => settled,
            () = self.stopped() => return Err(about(RefusalKind::ShuttingDown, "the gateway is stopping".to_owned())),
        };
        let settled = settled.map_err(|error| crate::refused::approval(&error))?;
        match settled {
            Settled::Approved { groups, by } => {
                self.signed(session, proposal, &notice, digest, groups, by).await
            }
            Settled::Rejected { by, reason } => {
                let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
                Err(about(RefusalKind::Rejected, format!("{by} rejected it: {reason}")))
            }
            Settled::Expired => Err(about(RefusalKind::Expired, "nobody signed in time".to_owned())),
            Settled::Withdrawn => Err(about(RefusalKind::Conflict, "the request was withdrawn".to_owned())),
            Settled::Void => {
                Err(about(RefusalKind::Conflict, "policy changed: send the call again".to_owned()))
            }
            Settled::Used => {
                Err(about(RefusalKind::Conflict, "an identical call used the signature".to_owned()))
            }
            Settled::StillPending => {
                let groups: Vec<&str> = ask.groups.iter().map(GroupName::as_str).collect();
                let detail =
                    format!("approval {} awaits a signature of {}", approval.id, groups.join(" and of "));
                Err(about(RefusalKind::ApprovalRequired, detail)
                    .retry_after(std::time::Duration::from_secs(5)))
            }
        }
    }

    /// The digest of a call: only a whole call has one.
    fn digest(&self, session: &Session, proposal: &Proposal) -> Result<Digest, Refusal> {
        let not_whole =
            || Refusal::new(RefusalKind::Conflict, "policy changed while the call arrived: send it again");
        let dialer = session.target().dialer().ok_or_else(not_whole)?;
        let calls = std::slice::from_ref(&proposal.call);
        let digest = Digest::of(calls, dialer.address(), dialer.identity());
        digest
            .map_err(|error| Refusal::new(RefusalKind::NotUnderstood, error.to_string()))?
            .ok_or_else(not_whole)
    }

    async fn ask(
        &self,
        session: &Session,
        proposal: &Proposal,
        ask: &Ask,
        digest: Digest,
    ) -> Result<Approval, Refusal> {
        let call = &proposal.call;
        let new = NewApproval {
            principal: session.principal().clone(),
            target: call.target.clone(),
            digest,
            ask: ask.clone(),
            call: call.id,
            sentence: self.kept().text(&call.sentence),
            detail: json!({
                "accesses": call.accesses,
                "heads": self.kept().json(&call.heads),
                "body": proposal.body.as_ref().and_then(|body| self.keep_body(body)),
                "asked_by": ask.policies,
            }),
            revision: session.0.snapshot.engine().revision().to_owned(),
        };
        let (approval, fresh) =
            self.approvals().ask(new).await.map_err(|error| crate::refused::approval(&error))?;
        CrashPoint::Asked.pass();
        if fresh {
            let asked = Asked {
                approval: approval.id,
                call: call.id,
                principal: session.principal().chain_text(),
                target: call.target.clone(),
                digest,
                groups: ask.groups.iter().cloned().collect(),
                sentence: self.kept().text(&call.sentence),
                expires: approval.expires,
            };
            self.keep(Event::Asked(Box::new(asked))).await?;
        }
        Ok(approval)
    }

    /// Policy decides again with the real approval: Cedar stays the authority.
    async fn signed(
        &self,
        session: &Session,
        proposal: &Proposal,
        notice: &ApprovalNotice,
        digest: Digest,
        groups: BTreeSet<GroupName>,
        by: Vec<String>,
    ) -> Result<Granted, Refusal> {
        let session = self.renewed(session)?;
        match self.decide(&session, &proposal.call, Some(&groups))? {
            Decision::Allow { obligations, reasons } => {
                Ok((obligations, reasons, Some(Signed { approval: notice.id, digest, groups, by })))
            }
            Decision::Ask { .. } => {
                self.approvals().void(notice.id).await.map_err(|error| crate::refused::approval(&error))?;
                let detail = "policy demands another signature by now: send the call again";
                Err(Refusal::new(RefusalKind::Conflict, detail).with_approval(notice.clone()))
            }
            Decision::Deny { reasons } => {
                self.approvals().void(notice.id).await.map_err(|error| crate::refused::approval(&error))?;
                Err(crate::refused::denied(&reasons).with_approval(notice.clone()))
            }
        }
    }

    /// Marks the signature used by this call: exactly one call can.
    pub(crate) async fn use_signature(&self, signed: &Signed, call: CallId) -> Result<(), Refusal> {
        let used = self.approvals().mark_used(signed.approval, call).await;
        used.map_err(|error| crate::refused::approval(&error))?;
        CrashPoint::Used.pass();
        Ok(())
    }

    /// Gives a signature back whose call could not be begun.
    pub(crate) async fn unuse_signature(&self, call: CallId) {
        if let Err(error) = self.approvals().give_back_unbegun(|used| used != call).await {
            tracing::error!(%error, %call, "a signature was taken by a call that never began; a restart gives it back");
        }
    }

    /// Signs a request. Policy's permit of `approval.sign` was checked by the caller's own `admit`; membership in an asked
    /// group and the separation of persons are checked where the signature is stored.
    ///
    /// # Errors
    /// [`ApprovalError`] when it cannot be signed by this person or any more.
    pub async fn sign(
        &self,
        id: ApprovalId,
        signer: &Principal,
        reason: Option<String>,
    ) -> Result<Approval, ApprovalError> {
        let approval = self.approvals().sign(id, signer, reason.clone()).await?;
        CrashPoint::Signed.pass();
        let event =
            Event::Signed { approval: id, by: signer.chain_text(), reason: reason.unwrap_or_default() };
        self.keep_or_log(event).await;
        Ok(approval)
    }

    /// Rejects a request.
    ///
    /// # Errors
    /// [`ApprovalError`] when it cannot be rejected by this person or any more.
    pub async fn reject(
        &self,
        id: ApprovalId,
        by: &Principal,
        reason: Option<String>,
    ) -> Result<Approval, ApprovalError> {
        let approval = self.approvals().reject(id, by, reason.clone()).await?;
        let event = Event::Rejected { approval: id, by: by.chain_text(), reason: reason.unwrap_or_default() };
        self.keep_or_log(event).await;
        Ok(approval)
    }
}
