//! Refusals: one enum for every way in which the gateway says no, the same in every protocol.
//!
//! A refusal means that the target has not acted. Each kind answers three questions as fields: whose fault it is, whether
//! trying again is worth it, and whether the client may see the detail. A protocol renders it once, from these fields.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ApprovalId, Timestamp};

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The caller's: another call is needed.
    Caller,
    /// The target's.
    Target,
    /// The gateway's.
    Gateway,
}

/// The kinds of refusal, each with a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// Who calls is not proven.
    Unauthenticated,
    /// Policy does not allow it.
    Denied,
    /// A second signature is needed and has not been given.
    ApprovalRequired,
    /// An approver said no.
    Rejected,
    /// The identity or the approval is over.
    Expired,
    /// The principal, session, lease or target was ended.
    Revoked,
    /// A rate of a policy is used up.
    RateLimited,
    /// Larger than a limit.
    TooLarge,
    /// A deadline passed.
    TimedOut,
    /// The bytes do not say one thing.
    NotUnderstood,
    /// Another call holds what this one needs.
    Conflict,
    /// The target cannot be reached.
    TargetUnavailable,
    /// The target's credential cannot be had.
    CredentialUnavailable,
    /// The journal cannot be written.
    JournalUnavailable,
    /// The store cannot be used.
    StoreUnavailable,
    /// The gateway is stopping.
    ShuttingDown,
}

impl RefusalKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Unauthenticated,
        Self::Denied,
        Self::ApprovalRequired,
        Self::Rejected,
        Self::Expired,
        Self::Revoked,
        Self::RateLimited,
        Self::TooLarge,
        Self::TimedOut,
        Self::NotUnderstood,
        Self::Conflict,
        Self::TargetUnavailable,
        Self::CredentialUnavailable,
        Self::JournalUnavailable,
        Self::StoreUnavailable,
        Self::ShuttingDown,
    ];

    /// The stable code that programs match on.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::ApprovalRequired => "approval_required",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::RateLimited => "rate_limited",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::NotUnderstood => "not_understood",
            Self::Conflict => "conflict",
            Self::TargetUnavailable => "target_unavailable",
            Self::CredentialUnavailable => "credential_unavailable",
            Self::JournalUnavailable => "journal_unavailable",
            Self::StoreUnavailable => "store_unavailable",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// One sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Unauthenticated => "Countersign does not know who calls.",
            Self::Denied => "Policy does not allow this call.",
            Self::ApprovalRequired => "This call needs a second signature.",
            Self::Rejected => "An approver rejected this call.",
            Self::Expired => "The identity or approval behind this call has expired.",
            Self::Revoked => "What this call relied on was revoked.",
            Self::RateLimited => "A policy's rate for this principal is used up.",
            Self::TooLarge => "This call is larger than a limit allows.",
            Self::TimedOut => "A deadline passed.",
            Self::NotUnderstood => "This call cannot be read in one way only.",
            Self::Conflict => "Another call holds what this one needs.",
            Self::TargetUnavailable => "The target cannot be reached.",
            Self::CredentialUnavailable => "The target's credential cannot be had.",
            Self::JournalUnavailable => "The journal cannot be written, so nothing may run.",
            Self::StoreUnavailable => "The gateway's store cannot be used.",
            Self::ShuttingDown => "The gateway is stopping.",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Unauthenticated => "Send a valid token of a configured issuer.",
            Self::Denied => "Ask the owner of the policies, naming the call's id.",
            Self::ApprovalRequired => "Have it signed, then send the identical call again.",
            Self::Rejected => "Read the reason, change the call or talk to the approver.",
            Self::Expired => "Get a fresh token, or ask for approval again.",
            Self::Revoked => "Sign in again, or ask an administrator.",
            Self::RateLimited => "Wait as long as Retry-After says.",
            Self::TooLarge => "Send less.",
            Self::TimedOut => "Try again, and look at the target if it happens twice.",
            Self::NotUnderstood => "Correct the request.",
            Self::Conflict => "Send the call again when the other one has ended.",
            Self::TargetUnavailable => "Try again, and look at the target if it goes on.",
            Self::CredentialUnavailable => "Ask the gateway's operator to check the target's secret.",
            Self::JournalUnavailable => "Ask the gateway's operator to look at the disk.",
            Self::StoreUnavailable => "Ask the gateway's operator to look at the store.",
            Self::ShuttingDown => "Try again, at another gateway or in a moment.",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(self) -> Fault {
        match self {
            Self::Unauthenticated
            | Self::Denied
            | Self::ApprovalRequired
            | Self::Rejected
            | Self::Expired
            | Self::Revoked
            | Self::RateLimited
            | Self::TooLarge
            | Self::NotUnderstood
            | Self::Conflict => Fault::Caller,
            Self::TimedOut | Self::TargetUnavailable => Fault::Target,
            Self::CredentialUnavailable
            | Self::JournalUnavailable
            | Self::StoreUnavailable
            | Self::ShuttingDown => Fault::Gateway,
        }
    }

    /// Whether the identical call may succeed later without anybody changing anything.
    #[must_use]
    pub fn worth_retrying(self) -> bool {
        match self {
            Self::RateLimited
            | Self::TimedOut
            | Self::Conflict
            | Self::TargetUnavailable
            | Self::JournalUnavailable
            | Self::StoreUnavailable
            | Self::ShuttingDown => true,
            Self::Unauthenticated
            | Self::Denied
            | Self::ApprovalRequired
            | Self::Rejected
            | Self::Expired
            | Self::Revoked
            | Self::TooLarge
            | Self::NotUnderstood
            | Self::CredentialUnavailable => false,
        }
    }

    /// Whether the client may see the detail. The gateway's own troubles stay in its log.
    #[must_use]
    pub fn detail_is_for_the_client(self) -> bool {
        self.fault() == Fault::Caller
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The approval that a refused call waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalNotice {
    /// Which one.
    pub id: ApprovalId,
    /// When it can no longer be signed or used.
    pub expires: Timestamp,
}

/// One refusal: a kind, and what is particular to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which kind.
    pub kind: RefusalKind,
    /// What exactly, without any secret or masked value. Shown to the client where its kind allows, else logged.
    pub detail: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The approval that would turn it, or that ended it.
    pub approval: Option<ApprovalNotice>,
}

impl Refusal {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: None, approval: None }
    }

    /// The same, with the time after which trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The same, with the approval that it is about.
    #[must_use]
    pub fn with_approval(mut self, approval: ApprovalNotice) -> Self {
        self.approval = Some(approval);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Refusal {}
