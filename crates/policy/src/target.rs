//! What the configuration declares of a target, as far as policies can speak of it.

use std::collections::BTreeMap;

use model::{ActionName, ClassName, Field, ResourceKind, TargetName, Verb};

/// The action that asks whether a field class may be seen as it is. It acts on a `FieldClass`, and no call has it.
pub const READ_UNMASKED: &str = "readUnmasked";

/// One target: its actions and its field classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetModel {
    /// The target's name.
    pub name: TargetName,
    /// Every action that a call to it can have.
    pub actions: Vec<ActionModel>,
    /// The classes of its fields that are masked by default.
    pub classes: Vec<ClassName>,
}

/// One action that a call can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionModel {
    /// Its name.
    pub name: ActionName,
    /// How strong it is; also the first group that it is in.
    pub verb: Verb,
    /// The group of what declares it: `http`, `operation`, `countersign`.
    pub group: &'static str,
    /// What it acts on.
    pub resource: ResourceKind,
    /// The attributes of its context, without `approval`, which this crate adds.
    pub context: BTreeMap<String, Field>,
}
