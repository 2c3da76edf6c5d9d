//! What the journal records: one closed enum, with names that never change once released.
//!
//! An event holds no secret and no masked value: whoever appends it has masked the texts in it. What was said in a call is
//! not in the event but in the sealed record beside it.

use std::collections::BTreeMap;

use model::{
    Accesses, ApprovalId, CallId, ClassName, Digest, GroupName, Obligations, Outcome, Reason, RefusalKind,
    SecretName, SessionId, TargetName, Timestamp,
};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The gateway started.
    Started {
        /// Its version.
        version: String,
    },
    /// The gateway stopped in order.
    Stopped,
    /// The journal was opened after an end that was not in order.
    Recovered {
        /// How many calls were begun and unfinished; each is `interrupted`.
        interrupted: u64,
        /// How many bytes of an unfinished write were cut off. None of them had been promised to anybody.
        cut: u64,
    },
    /// A call was allowed and may be sent from here on.
    Begun(Box<Begun>),
    /// A begun call ended.
    Finished(Box<Finished>),
    /// A call was refused before it was begun.
    Refused(Box<Refused>),
    /// A call waits for a second signature.
    Asked(Box<Asked>),
    /// An approver signed.
    Signed {
        /// What was signed.
        approval: ApprovalId,
        /// Who signed.
        by: String,
        /// Why, in the approver's words.
        reason: String,
    },
    /// An approver said no.
    Rejected {
        /// What was rejected.
        approval: ApprovalId,
        /// Who rejected it.
        by: String,
        /// Why, in the approver's words.
        reason: String,
    },
    /// An approval ended without a rejection.
    ApprovalEnded {
        /// Which one.
        approval: ApprovalId,
        /// How.
        how: ApprovalEnd,
    },
    /// A policy revision was loaded.
    PolicyLoaded {
        /// The revision.
        revision: String,
    },
    /// A policy draft was refused and the old revision kept.
    PolicyRefused {
        /// What is wrong with it.
        detail: String,
    },
    /// A secret was sealed.
    SecretSet {
        /// Its name; never its value.
        name: SecretName,
        /// Who set it.
        by: String,
    },
    /// The one-time code was redeemed.
    AdministratorMade {
        /// Who became a member of the administrators.
        principal: String,
    },
    /// Refusals of callers that proved nothing, counted over a second.
    Strangers {
        /// Where from: a network, or `other` when there were too many.
        source: String,
        /// Which refusal.
        kind: RefusalKind,
        /// How many.
        count: u64,
    },
}

/// A call that was allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Which call.
    pub call: CallId,
    /// In which session.
    pub session: SessionId,
    /// Who calls, with everyone acting for them: `dev/alice via dev/agent`.
    pub principal: String,
    /// What is called.
    pub target: TargetName,
    /// What is asked of it.
    pub accesses: Accesses,
    /// The call in one masked line.
    pub sentence: String,
    /// The policy revision that decided.
    pub policy: String,
    /// Why it was allowed.
    pub reasons: Vec<Reason>,
    /// What the allow carries.
    pub obligations: Obligations,
    /// The approval that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// What that approval signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Who signed it. Said again here, so that no effect lacks its signers, even if a crash came before their own entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// The credential that is injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

/// What is known of an injected credential; never the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The kind of issuer that it comes from: `static`, `jwt`.
    pub issuer: String,
    /// The name under which the target or the store knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// How a begun call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Which call.
    pub call: CallId,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes of the request's body that were sent to the target.
    #[serde(default)]
    pub bytes_in: u64,
    /// Bytes of the answer's body that were released to the caller.
    #[serde(default)]
    pub bytes_out: u64,
    /// How many values of each class were masked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masked: BTreeMap<ClassName, u64>,
    /// Microseconds from `begun` to here.
    #[serde(default)]
    pub micros: u64,
}

impl Finished {
    /// An end of which nothing but the outcome is known.
    #[must_use]
    pub fn bare(call: CallId, outcome: Outcome) -> Self {
        Self { call, outcome, bytes_in: 0, bytes_out: 0, masked: BTreeMap::new(), micros: 0 }
    }
}

/// A call that was refused before it was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which call.
    pub call: CallId,
    /// Who calls, where that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What is called, where that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// What was asked of it, where that was understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesses: Option<Accesses>,
    /// The call in one masked line; empty where it was not understood.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// Which refusal.
    pub kind: RefusalKind,
    /// What exactly, without a secret or a masked value.
    pub detail: String,
    /// The policy revision that decided, where it came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Why policy said no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The approval that it waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

/// A call that waits for a second signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What is to be signed.
    pub approval: ApprovalId,
    /// Which call asks.
    pub call: CallId,
    /// Who calls.
    pub principal: String,
    /// What is called.
    pub target: TargetName,
    /// What a signature covers.
    pub digest: Digest,
    /// The groups that must sign.
    pub groups: Vec<GroupName>,
    /// The call in one masked line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// When it can no longer be signed or used.
    pub expires: Timestamp,
}

/// How an approval ended without a rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum ApprovalEnd {
    /// A call used it.
    Used {
        /// Which one.
        call: CallId,
    },
    /// A use was taken back, because the call was never begun.
    GivenBack {
        /// The call that never began.
        call: CallId,
    },
    /// The caller withdrew it.
    Withdrawn,
    /// Its time passed.
    Expired,
    /// What it was signed for is no longer what would run.
    Void,
}

/// The half of a call's sealed record that an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What was asked.
    Asked,
    /// What was answered.
    Answered,
}

impl Part {
    /// The part's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Answered => "answered",
        }
    }
}

impl Event {
    /// The call that the event is about, where it is about one.
    #[must_use]
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::Begun(begun) => Some(begun.call),
            Self::Finished(finished) => Some(finished.call),
            Self::Refused(refused) => Some(refused.call),
            Self::Asked(asked) => Some(asked.call),
            Self::ApprovalEnded {
                how: ApprovalEnd::Used { call } | ApprovalEnd::GivenBack { call }, ..
            } => Some(*call),
            Self::Started { .. }
            | Self::Stopped
            | Self::Recovered { .. }
            | Self::Signed { .. }
            | Self::Rejected { .. }
            | Self::ApprovalEnded { .. }
            | Self::PolicyLoaded { .. }
            | Self::PolicyRefused { .. }
            | Self::SecretSet { .. }
            | Self::AdministratorMade { .. }
            | Self::Strangers { .. } => None,
        }
    }

    /// The approval that the event is about, where it is about one.
    #[must_use]
    pub fn approval(&self) -> Option<ApprovalId> {
        match self {
            Self::Begun(begun) => begun.approval,
            Self::Refused(refused) => refused.approval,
            Self::Asked(asked) => Some(asked.approval),
            Self::Signed { approval, .. }
            | Self::Rejected { approval, .. }
            | Self::ApprovalEnded { approval, .. } => Some(*approval),
            Self::Finished(_)
            | Self::Started { .. }
            | Self::Stopped
            | Self::Recovered { .. }
            | Self::PolicyLoaded { .. }
            | Self::PolicyRefused { .. }
            | Self::SecretSet { .. }
            | Self::AdministratorMade { .. }
            | Self::Strangers { .. } => None,
        }
    }

    /// The call and the half of its record that this event may carry.
    #[must_use]
    pub fn part(&self) -> Option<(CallId, Part)> {
        match self {
            Self::Begun(begun) => Some((begun.call, Part::Asked)),
            Self::Refused(refused) => Some((refused.call, Part::Asked)),
            Self::Finished(finished) => Some((finished.call, Part::Answered)),
            _ => None,
        }
    }
}

/// One entry of the journal: an event, when it happened, and where its part of the sealed record lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// The sealed part that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRef>,
}

/// Where a sealed part lies, and what binds it to its event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RecordRef {
    /// In the record segments.
    At {
        /// Bytes of record frames before it, over all segments: it stays the same when a segment is written again.
        offset: u64,
        /// Bytes of the sealed part.
        length: u32,
        /// SHA-256 of the sealed part.
        sha256: Digest,
    },
    /// There was no room for it when its end was recorded.
    Lost {
        /// Always true.
        lost: bool,
    },
}
