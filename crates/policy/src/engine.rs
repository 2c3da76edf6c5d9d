//! The policies of one revision, ready to decide.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{ActionName, Call, ClassName, Decision, GroupName, Principal, TargetName};

use crate::{PolicyFile, Problem, TargetModel};

/// Who asks: a proven principal with the roles that the gateway's store gives it.
#[derive(Debug, Clone)]
pub struct Who {
    /// The principal.
    pub principal: Arc<Principal>,
    /// Its roles: `administrator`.
    pub roles: BTreeSet<String>,
}

/// A value of the call does not fit the shape that its action declares.
///
/// The protocol or the operation's schema should have refused it before; `at` names the attribute, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` {problem}")]
pub struct NotUnderstood {
    /// The attribute: `context.args.amount`.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The field classes of one target that one principal may see as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifted {
    /// The classes.
    pub classes: BTreeSet<ClassName>,
    /// Whether these are all classes of the target, and there is at least one.
    pub all: bool,
}

/// The policies of one revision. Immutable.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Builds the schemas, checks and indexes the policies.
    ///
    /// # Errors
    /// Every [`Problem`] found, in the order of files and lines.
    pub fn compile(targets: &[TargetModel], files: &[PolicyFile]) -> Result<Self, Vec<Problem>> {
        let _ = (targets, files);
        Ok(Self {})
    }

    /// A copy that shares no reference count with this one, for another worker: shared counts do not scale over threads.
    /// Nothing is validated again.
    ///
    /// # Errors
    /// The same problems as [`Engine::compile`]; none, for an engine that exists.
    pub fn duplicate(&self) -> Result<Self, Vec<Problem>> {
        Ok(Self {})
    }

    /// The hash of schemas and policy text: two engines with the same revision decide alike.
    #[must_use]
    pub fn revision(&self) -> &str {
        ""
    }

    /// Decides on a call. `approval` holds the groups that have signed for it, when somebody has.
    ///
    /// # Errors
    /// [`NotUnderstood`] when a value of the context does not fit the action's declared shape.
    pub fn decide(
        &self,
        who: &Who,
        call: &Call,
        approval: Option<&BTreeSet<GroupName>>,
    ) -> Result<Decision, NotUnderstood> {
        let _ = (who, call, approval);
        Ok(Decision::Deny { reasons: Vec::new() })
    }

    /// Which of the target's field classes `who` may see as they are. What errs or asks stays masked.
    #[must_use]
    pub fn lifted(&self, who: &Who, target: &TargetName) -> Lifted {
        let _ = (who, target);
        Lifted::default()
    }

    /// Whether `who` shall see that the action exists: a permit's scope matches, and no forbid without conditions does. What
    /// needs an approval is seen.
    #[must_use]
    pub fn may_list(&self, who: &Who, target: &TargetName, action: &ActionName) -> bool {
        let _ = (who, target, action);
        false
    }
}
