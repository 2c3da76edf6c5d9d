//! Who may sign, and what a change does to an approval: pure functions over one approval.

use std::collections::BTreeSet;

use model::{Ask, CallId, GroupName, Principal, PrincipalKey, Timestamp};

use crate::{Approval, ApprovalError, Event, Rejection, Signature, State, Used, transition};

/// The longest reason, in characters.
pub(crate) const MAX_REASON: usize = 1000;

impl Approval {
    /// The approval as it stands at `now`: a live one whose time is over has expired, whether or not that is kept yet.
    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        if self.state.is_live() && now >= self.expires {
            self.state = State::Expired;
        }
        self
    }

    /// Adds a signature of `signer` for the first awaited group that they are in.
    pub(crate) fn sign(
        &mut self,
        signer: &Principal,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        // Whether anybody could sign comes first: who signs too late learns that, whoever they are.
        transition(self.state, Event::Sign { complete: false })?;
        self.refuse_own(signer)?;
        if self.signatures.iter().any(|signature| meets(signer, signature.chain())) {
            return Err(ApprovalError::AlreadySigned);
        }
        let awaited = self.awaited();
        let group = awaited.intersection(&signer.groups).next().cloned();
        let group = group.ok_or_else(|| ApprovalError::NotAsked { awaited: names(&awaited) })?;
        self.state = transition(self.state, Event::Sign { complete: awaited.len() == 1 })?;
        let (by, via) = who(signer);
        self.signatures.push(Signature { group, by, via, at: now, reason: readable(reason)? });
        Ok(())
    }

    /// An approver's no. Who has signed may still say it while others are awaited.
    pub(crate) fn reject(
        &mut self,
        approver: &Principal,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        let next = transition(self.state, Event::Reject)?;
        self.refuse_own(approver)?;
        if self.ask.groups.is_disjoint(&approver.groups) {
            return Err(ApprovalError::NotAsked { awaited: names(&self.ask.groups) });
        }
        let (by, via) = who(approver);
        self.rejection = Some(Rejection { by, via, at: now, reason: readable(reason)? });
        self.state = next;
        Ok(())
    }

    /// Takes it back, by the very chain that asked.
    pub(crate) fn withdraw(&mut self, by: &Principal) -> Result<(), ApprovalError> {
        if !self.principal.chain().map(|p| &p.key).eq(by.chain().map(|p| &p.key)) {
            return Err(ApprovalError::NotYours);
        }
        self.state = transition(self.state, Event::Withdraw)?;
        Ok(())
    }

    /// Takes it for one call.
    pub(crate) fn take(&mut self, call: CallId) -> Result<Used, ApprovalError> {
        self.state = transition(self.state, Event::Use)?;
        self.used_by = Some(call);
        Ok(Used { approval: self.id, call, groups: self.signed(), by: self.signers() })
    }

    /// Gives it back by `call`, which took it and never began.
    pub(crate) fn give_back(&mut self, call: CallId) -> Result<(), ApprovalError> {
        if self.used_by != Some(call) {
            return Err(ApprovalError::Conflict);
        }
        self.state = transition(self.state, Event::GiveBack)?;
        self.used_by = None;
        Ok(())
    }

    /// Whether an identical call that needs `ask` may wait for this one or use it. Otherwise policy has changed its mind.
    pub(crate) fn serves(&self, ask: &Ask) -> bool {
        match self.state {
            State::Pending => self.ask.groups == ask.groups,
            State::Approved => ask.groups.is_subset(&self.signed()),
            State::Used | State::Rejected | State::Withdrawn | State::Expired | State::Void => false,
        }
    }

    fn refuse_own(&self, signer: &Principal) -> Result<(), ApprovalError> {
        let own = meets(signer, self.principal.chain().map(|principal| &principal.key));
        if own { Err(ApprovalError::OwnCall) } else { Ok(()) }
    }
}

/// Whether anybody in the signer's chain is among `others`: one person, or one agent, that would count twice.
fn meets<'a>(signer: &Principal, mut others: impl Iterator<Item = &'a PrincipalKey>) -> bool {
    others.any(|other| signer.chain().any(|principal| principal.key == *other))
}

fn who(signer: &Principal) -> (PrincipalKey, Vec<PrincipalKey>) {
    (signer.key.clone(), signer.chain().skip(1).map(|principal| principal.key.clone()).collect())
}

fn names(groups: &BTreeSet<GroupName>) -> String {
    groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join("`, `")
}

/// Reasons are shown on terminals: what could steer one is refused.
fn readable(reason: Option<String>) -> Result<Option<String>, ApprovalError> {
    match reason {
        Some(text) if text.chars().count() > MAX_REASON || text.chars().any(char::is_control) => {
            Err(ApprovalError::BadReason { max: MAX_REASON })
        }
        reason => Ok(reason.filter(|text| !text.trim().is_empty())),
    }
}
