//! How a call ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RefusalKind;

/// How a call ended. What failed before the target could have acted is a refusal; what failed after it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The target answered, and the answer was given in full.
    Answered {
        /// The protocol's own status: an HTTP status code.
        status: u16,
    },
    /// The target answered, and what it said cannot be shown. It has run: not to be tried again.
    Withheld {
        /// Why it cannot be shown; never what it said.
        reason: String,
    },
    /// Refused; nothing of the call reached the target.
    Refused {
        /// Which refusal.
        refusal: RefusalKind,
    },
    /// Something of the call reached the target, and no whole answer came back.
    Failed {
        /// What failed.
        reason: String,
    },
    /// The caller left before the answer was given in full.
    Abandoned,
    /// The gateway ended while the call was under way: it may have run.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status } => write!(f, "answered {status}"),
            Self::Withheld { reason } => write!(f, "withheld: {reason}"),
            Self::Refused { refusal } => write!(f, "refused: {refusal}"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Abandoned => f.write_str("abandoned by the caller"),
            Self::Interrupted => f.write_str("interrupted: may have run"),
        }
    }
}
