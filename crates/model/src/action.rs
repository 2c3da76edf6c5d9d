//! What a call asks for: an action on a resource, and how strong it is.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{OperationName, TargetName};

/// How strong an action is, weakest first. A call's verb is the strongest of its accesses'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Changes nothing at the target.
    Read,
    /// Creates or changes.
    Write,
    /// Removes.
    Delete,
    /// Runs something whose effect is not known beforehand.
    Execute,
    /// Changes who may do what.
    Admin,
}

impl Verb {
    /// All verbs, weakest first.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Delete, Self::Execute, Self::Admin];

    /// Whether the target may be changed, so that the record must be on the disk before the call is sent.
    #[must_use]
    pub fn has_effect(self) -> bool {
        self != Self::Read
    }

    /// The verb's name, which is also that of its action group in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Execute => "execute",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action's name as policies write it: `http.get`, `crm:customers.read`, `approval.sign`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionName(Cow<'static, str>);

impl ActionName {
    /// An action that a protocol or Countersign itself declares.
    #[must_use]
    pub const fn builtin(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The action that a named operation is: `target:operation`.
    #[must_use]
    pub fn operation(target: &TargetName, operation: &OperationName) -> Self {
        Self(Cow::Owned(format!("{target}:{operation}")))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of thing that can be acted on; each is an entity type of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A target as a whole.
    Target,
    /// A request for a second signature.
    Approval,
}

impl ResourceKind {
    /// The entity type in policies.
    #[must_use]
    pub fn entity_type(self) -> &'static str {
        match self {
            Self::Target => "Target",
            Self::Approval => "Approval",
        }
    }
}

/// What is acted on: `Target::"crm"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// Which kind of thing.
    pub kind: ResourceKind,
    /// Which one of its kind.
    pub id: String,
}

impl Resource {
    /// The target as a whole.
    #[must_use]
    pub fn target(name: &TargetName) -> Self {
        Self { kind: ResourceKind::Target, id: name.as_str().to_owned() }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{:?}", self.kind.entity_type(), self.id)
    }
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Access {
    /// What is done.
    pub action: ActionName,
    /// How strong that is.
    pub verb: Verb,
    /// What it is done to.
    pub resource: Resource,
}
