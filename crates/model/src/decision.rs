//! What policy says, as plain data.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{GroupName, Ttl};

/// A policy's identity: its file and its `@id`, or its place in the file: `payments.cedar#refunds`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(pub Arc<str>);

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a decision came out as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Reason {
    /// A permit applied.
    Permit {
        /// Which one.
        policy: PolicyId,
    },
    /// A forbid applied.
    Forbid {
        /// Which one.
        policy: PolicyId,
    },
    /// No permit applied to one of the accesses.
    NoPermit {
        /// The action that nothing permits.
        action: String,
        /// What it was asked on.
        resource: String,
    },
    /// A policy could not be evaluated; that denies.
    Error {
        /// Which one, where the engine says.
        policy: Option<PolicyId>,
        /// What went wrong, without argument values.
        detail: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permit { policy } => write!(f, "permitted by `{policy}`"),
            Self::Forbid { policy } => write!(f, "forbidden by `{policy}`"),
            Self::NoPermit { action, resource } => write!(f, "no policy permits `{action}` on `{resource}`"),
            Self::Error { policy: Some(policy), detail } => write!(f, "`{policy}` failed: {detail}"),
            Self::Error { policy: None, detail } => write!(f, "evaluation failed: {detail}"),
        }
    }
}

/// How much of a call is kept in its sealed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordLevel {
    /// Heads only.
    #[default]
    Heads,
    /// Heads and masked bodies, up to a limit.
    Full,
}

/// How often a policy lets one principal call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateLimit {
    /// The policy that says so; calls are counted by policy and principal.
    pub policy: PolicyId,
    /// How many calls.
    pub calls: std::num::NonZeroU32,
    /// In how long.
    pub per: Duration,
}

/// What an allow carries. Several permits merge strictest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Obligations {
    /// The longest that a credential minted for the call may live.
    pub ttl: Option<Ttl>,
    /// Every rate that must be kept.
    pub rates: Vec<RateLimit>,
    /// How much is recorded.
    pub record: RecordLevel,
}

impl Obligations {
    /// Both together, the stricter of each.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.ttl = match (self.ttl, other.ttl) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for rate in other.rates {
            if !self.rates.contains(&rate) {
                self.rates.push(rate);
            }
        }
        self.record = self.record.max(other.record);
        self
    }
}

/// What would turn a denial: signatures of these groups, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Every group that must sign.
    pub groups: BTreeSet<GroupName>,
    /// The policies that ask.
    pub policies: Vec<PolicyId>,
}

/// What policy says of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may run, under obligations.
    Allow {
        /// What the allow carries.
        obligations: Obligations,
        /// The permits that applied.
        reasons: Vec<Reason>,
    },
    /// It may run once it is signed for.
    Ask {
        /// Who must sign.
        ask: Ask,
        /// The forbids that applied.
        reasons: Vec<Reason>,
    },
    /// It may not run.
    Deny {
        /// Why.
        reasons: Vec<Reason>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_obligations_are_the_strictest_of_each() {
        let rate = |calls| RateLimit {
            policy: PolicyId("a".into()),
            calls: std::num::NonZeroU32::new(calls).unwrap(),
            per: Duration::from_secs(60),
        };
        let short = Obligations {
            ttl: Some(Ttl::parse("5s").unwrap()),
            rates: vec![rate(1)],
            record: RecordLevel::Heads,
        };
        let full = Obligations {
            ttl: Some(Ttl::parse("9s").unwrap()),
            rates: vec![rate(2)],
            record: RecordLevel::Full,
        };
        let both = full.merge(short);
        assert_eq!(both.ttl.unwrap().secs(), 5);
        assert_eq!(both.rates.len(), 2);
        assert_eq!(both.record, RecordLevel::Full);
    }
}
