//! One thing that a principal asks of a target.

use serde::{Deserialize, Serialize};

use crate::{Access, CallId, Record, TargetName, Verb};

/// A call without any access, which would be a call that policy cannot see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a call has at least one access")]
pub struct NoAccess;

/// One or more accesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Access>", into = "Vec<Access>")]
pub struct Accesses(Vec<Access>);

impl Accesses {
    /// A single access.
    #[must_use]
    pub fn one(access: Access) -> Self {
        Self(vec![access])
    }

    /// The accesses, in the order in which the protocol found them.
    #[must_use]
    pub fn as_slice(&self) -> &[Access] {
        &self.0
    }

    /// The strongest of their verbs.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.0.iter().map(|access| access.verb).max().unwrap_or(Verb::Admin)
    }
}

impl TryFrom<Vec<Access>> for Accesses {
    type Error = NoAccess;
    fn try_from(accesses: Vec<Access>) -> Result<Self, NoAccess> {
        if accesses.is_empty() { Err(NoAccess) } else { Ok(Self(accesses)) }
    }
}

impl From<Accesses> for Vec<Access> {
    fn from(accesses: Accesses) -> Self {
        accesses.0
    }
}

/// What will be sent, whole, as far as a signature covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The arguments as the caller gave them: a named operation's object, or null for a free call.
    pub arguments: serde_json::Value,
    /// What the protocol sends before the body: for HTTP method, target and signed headers.
    pub head: serde_json::Value,
    /// SHA-256 of the body's bytes.
    pub body_sha256: [u8; 32],
}

/// One call, classified: what it asks for, in the terms of policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its identity.
    pub id: CallId,
    /// What is called.
    pub target: TargetName,
    /// What is asked for. Each must be allowed.
    pub accesses: Accesses,
    /// What policies may read, by attribute of the context.
    pub context: Record,
    /// The call in one line, for lists, approvers and errors. It holds no credential; it may hold personal data, so it is
    /// masked before it is kept.
    pub sentence: String,
    /// What is recorded of the request before its body: for HTTP its method, target and headers without the caller's
    /// credential. Null where there is nothing beyond the context. It is masked before it is kept.
    pub heads: serde_json::Value,
    /// What will be sent, when the call is whole; `None` while a body streams.
    pub sent: Option<Sent>,
}

impl Call {
    /// The strongest verb of its accesses.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.accesses.verb()
    }
}
