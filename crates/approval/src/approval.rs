//! One approval as its readers see it.

use std::collections::BTreeSet;
use std::fmt;

use model::{
    ApprovalId, ApprovalNotice, Ask, CallId, Digest, GroupName, Principal, PrincipalKey, TargetName,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::State;

/// What a call asks to have signed.
#[derive(Clone)]
pub struct NewApproval {
    /// Who calls, with everyone acting for them.
    pub principal: Principal,
    /// What is called.
    pub target: TargetName,
    /// What a signature covers.
    pub digest: Digest,
    /// Which groups must sign, and which policies say so.
    pub ask: Ask,
    /// The call that asks first.
    pub call: CallId,
    /// The call in one line. May hold personal data; sealed at rest.
    pub sentence: String,
    /// What the approver sees of the call: accesses, arguments, head, body. Sealed at rest.
    pub detail: serde_json::Value,
    /// The policy revision that asked.
    pub revision: String,
}

impl fmt::Debug for NewApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApproval")
            .field("target", &self.target)
            .field("digest", &self.digest)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// One approval, opened.
#[derive(Clone, Serialize)]
pub struct Approval {
    /// Its identity; random.
    pub id: ApprovalId,
    /// Where it stands, expiry taken into account.
    pub state: State,
    /// Who called, with everyone acting for them.
    pub principal: Principal,
    /// What is called.
    pub target: TargetName,
    /// What a signature covers.
    pub digest: Digest,
    /// Which groups must sign, and which policies say so.
    pub ask: Ask,
    /// The call that asked first.
    pub call: CallId,
    /// The call in one line. May hold personal data.
    pub sentence: String,
    /// What the approver sees of the call.
    pub detail: serde_json::Value,
    /// The policy revision that asked.
    pub revision: String,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it can no longer be signed or used.
    pub expires: Timestamp,
    /// Who has signed so far.
    pub signatures: Vec<Signature>,
    /// Who said no.
    pub rejection: Option<Rejection>,
    /// The call that used it.
    pub used_by: Option<CallId>,
    /// How often it has changed, for the compare-and-set.
    #[serde(skip)]
    pub(crate) version: u64,
}

impl Approval {
    /// The groups that have signed.
    #[must_use]
    pub fn signed(&self) -> BTreeSet<GroupName> {
        self.signatures.iter().map(|signature| signature.group.clone()).collect()
    }

    /// The groups whose signature is awaited.
    #[must_use]
    pub fn awaited(&self) -> BTreeSet<GroupName> {
        &self.ask.groups - &self.signed()
    }

    /// Who has signed, with whom acting for them: `dev/alice via dev/bot`.
    #[must_use]
    pub fn signers(&self) -> Vec<String> {
        self.signatures.iter().map(Signature::signer).collect()
    }

    /// What a refusal says of it.
    #[must_use]
    pub fn notice(&self) -> ApprovalNotice {
        ApprovalNotice { id: self.id, expires: self.expires }
    }

    /// How it stands with a call that waits for it.
    #[must_use]
    pub fn settled(&self) -> Settled {
        match self.state {
            State::Pending => Settled::StillPending,
            State::Approved => Settled::Approved { groups: self.signed(), by: self.signers() },
            State::Used => Settled::Used,
            State::Rejected => match &self.rejection {
                Some(rejection) => {
                    Settled::Rejected { by: rejection.by.clone(), reason: rejection.reason.clone() }
                }
                None => Settled::Void,
            },
            State::Withdrawn => Settled::Withdrawn,
            State::Expired => Settled::Expired,
            State::Void => Settled::Void,
        }
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("target", &self.target)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// One group's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The group that it counts for.
    pub group: GroupName,
    /// Who signed.
    pub by: PrincipalKey,
    /// Who acted for them, outermost last.
    pub via: Vec<PrincipalKey>,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
}

impl Signature {
    /// Who signed, with whom acting for them: `dev/alice via dev/bot`.
    #[must_use]
    pub fn signer(&self) -> String {
        let keys: Vec<String> = self.chain().map(PrincipalKey::to_string).collect();
        keys.join(" via ")
    }

    /// Who signed, then everybody who acted for them.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &PrincipalKey> {
        std::iter::once(&self.by).chain(&self.via)
    }
}

/// An approver's no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Who said it.
    pub by: PrincipalKey,
    /// Who acted for them, outermost last.
    pub via: Vec<PrincipalKey>,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
}

/// How it stands with a call that waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Signed by every group that was asked. Policy decides again with these.
    Approved {
        /// The groups that signed.
        groups: BTreeSet<GroupName>,
        /// Who signed, with whom acting for them.
        by: Vec<String>,
    },
    /// An approver said no.
    Rejected {
        /// Who.
        by: PrincipalKey,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Its time ran out.
    Expired,
    /// Policy demands something else by now.
    Void,
    /// Who asked took it back.
    Withdrawn,
    /// Another call that waited for the same signature was first.
    Used,
    /// Nobody has said anything in the time given.
    StillPending,
}

/// A signature taken by one call: what the call's record says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Which approval.
    pub approval: ApprovalId,
    /// The call that took it, and the only one.
    pub call: CallId,
    /// The groups that signed.
    pub groups: BTreeSet<GroupName>,
    /// Who signed, with whom acting for them.
    pub by: Vec<String>,
}
