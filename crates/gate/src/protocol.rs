//! What a protocol hands to `gate`: its actions, its targets' settings, and how it runs a named operation.

use std::any::Any;
use std::path::Path;
use std::pin::Pin;

use model::Refusal;
use operation::{Arguments, Operation};
use policy::ActionModel;

use crate::caller::OpenAnswer;
use crate::dial::Dialer;
use crate::ended::Ended;
use crate::path::{Cleared, Gate};
use crate::proposal::Proposal;
use crate::target::Target;

/// A future that a trait object gives back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A setting of a target that cannot be used: which key, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SettingError {
    /// The key within the target's table, empty for the table itself.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl SettingError {
    /// An error about one key.
    #[must_use]
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), message: message.into() }
    }
}

/// A target's settings as its protocol parsed them.
pub struct ProtocolSettings {
    /// How to reach it.
    pub dialer: Dialer,
    /// What only the protocol reads.
    pub own: Box<dyn Any + Send + Sync>,
}

/// A protocol. One registry line in the binary makes it known.
pub trait Protocol: Send + Sync + 'static {
    /// Its name in `protocol = "…"`.
    fn name(&self) -> &'static str;

    /// The actions that its calls ask for, with the context that policies may read.
    fn actions(&self) -> Vec<ActionModel>;

    /// Parses the keys of a target's table that are the protocol's own. Files are read relative to `folder`.
    ///
    /// # Errors
    /// [`SettingError`] for a key that is missing, unknown or wrong.
    fn settings(&self, table: toml::Table, folder: &Path) -> Result<ProtocolSettings, SettingError>;

    /// Binds a named operation's arguments, once: what is prepared here is what is decided on and what is sent.
    ///
    /// # Errors
    /// A refusal when the arguments cannot be bound.
    fn prepare(
        &self,
        target: &Target,
        operation: &Operation,
        arguments: Arguments,
    ) -> Result<Box<dyn Prepared>, Refusal>;
}

/// A named operation with its arguments bound.
pub trait Prepared: Send {
    /// The call that it is, whole.
    fn proposal(&self) -> Proposal;

    /// Sends it.
    fn run(
        self: Box<Self>,
        gate: &Gate,
        cleared: Cleared,
    ) -> BoxFuture<'_, Result<Box<dyn OpenAnswer>, Ended>>;
}
