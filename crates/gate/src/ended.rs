//! How a call ends without a whole answer.

use std::fmt;

use model::{CallId, Outcome, Refusal};

/// A call that did not come to a whole answer. Only a refusal means that the target has not acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Nothing reached the target.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The call, if it had come to be one.
        call: Option<CallId>,
    },
    /// The target has run it, and the answer cannot be shown. Not to be tried again.
    Withheld {
        /// The call.
        call: CallId,
        /// Why it cannot be shown.
        reason: String,
    },
    /// The target may have run it, and no whole answer came. `effect` says whether trying again could repeat one.
    Failed {
        /// The call.
        call: CallId,
        /// What failed.
        reason: String,
        /// Whether the call may have changed something.
        effect: bool,
    },
}

impl Ended {
    /// The outcome that the journal keeps.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Refused { refusal, .. } => Outcome::Refused { refusal: refusal.kind },
            Self::Withheld { reason, .. } => Outcome::Withheld { reason: reason.clone() },
            Self::Failed { reason, .. } => Outcome::Failed { reason: reason.clone() },
        }
    }

    /// The call that ended, if there was one.
    #[must_use]
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::Refused { call, .. } => *call,
            Self::Withheld { call, .. } | Self::Failed { call, .. } => Some(*call),
        }
    }
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, call: None }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { refusal, .. } => fmt::Display::fmt(refusal, f),
            Self::Withheld { reason, .. } => write!(f, "withheld: {reason}"),
            Self::Failed { reason, .. } => write!(f, "failed: {reason}"),
        }
    }
}

impl std::error::Error for Ended {}
