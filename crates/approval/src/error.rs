//! Why an approval cannot be asked for, signed or used.

use model::{ApprovalId, RefusalKind};
use store::StoreError;

use crate::{Event, NotNow, State};

/// A refusal of this stage. Nothing has changed then, but that an approval whose time is over may now be marked so.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// There is no such approval.
    #[error("there is no approval `{0}`")]
    NotFound(ApprovalId),
    /// Its time is over.
    #[error("the approval has expired: make the call again to ask for a new one")]
    Expired,
    /// It was to be used and is not signed by all who were asked.
    #[error("the approval is not signed yet")]
    NotSigned,
    /// Another call has used it.
    #[error("another call has used the approval: make the call again to ask for a new one")]
    Conflict,
    /// It is settled otherwise.
    #[error("the approval is {} already", .0.as_str())]
    Settled(State),
    /// Who would sign made the call, or acts through somebody who did.
    #[error("nobody signs for a call that they, or an agent on their behalf, made")]
    OwnCall,
    /// Who would sign or reject is in none of the groups that are awaited.
    #[error("the approval awaits a signature of `{awaited}`, and you are in no such group")]
    NotAsked {
        /// The groups whose signature is awaited.
        awaited: String,
    },
    /// Who would sign has signed already, or acts through somebody who has.
    #[error(
        "one person signs once, however many groups they are in: another person has to sign for the rest"
    )]
    AlreadySigned,
    /// Who would withdraw it did not ask for it.
    #[error("an approval is withdrawn by who asked for it; reject it instead")]
    NotYours,
    /// A reason that cannot be shown to people as it is.
    #[error("a reason is at most {max} characters, without control characters")]
    BadReason {
        /// The limit.
        max: usize,
    },
    /// Too many approvals are pending, for this principal or in all.
    #[error("too many approvals are pending: have some signed or withdrawn, or try again later")]
    TooMany,
    /// What an approver would have to see is too large to keep.
    #[error("the call is too large to be kept for an approver: at most {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// The row was changed by somebody without the key, or is damaged.
    #[error("the approval `{0}` in the store is not as it was written, and is not used")]
    Damaged(ApprovalId),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApprovalError {
    /// The refusal that a call meets by this.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::Expired => RefusalKind::Expired,
            Self::NotSigned => RefusalKind::ApprovalRequired,
            Self::Conflict | Self::Settled(State::Used | State::Approved) => RefusalKind::Conflict,
            Self::Settled(State::Rejected) => RefusalKind::Rejected,
            Self::Settled(State::Withdrawn | State::Expired | State::Void | State::Pending) => {
                RefusalKind::Expired
            }
            Self::NotFound(_)
            | Self::OwnCall
            | Self::NotAsked { .. }
            | Self::AlreadySigned
            | Self::NotYours => RefusalKind::Denied,
            Self::BadReason { .. } => RefusalKind::NotUnderstood,
            Self::TooMany => RefusalKind::RateLimited,
            Self::TooLarge { .. } => RefusalKind::TooLarge,
            Self::Damaged(_) | Self::Store(_) => RefusalKind::StoreUnavailable,
        }
    }
}

impl From<NotNow> for ApprovalError {
    fn from(refused: NotNow) -> Self {
        match (refused.state, refused.event) {
            (State::Expired, _) => Self::Expired,
            (State::Pending, _) => Self::NotSigned,
            (State::Used, Event::Use) => Self::Conflict,
            (state, _) => Self::Settled(state),
        }
    }
}
