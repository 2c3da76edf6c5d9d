//! How a protocol tells its client, in its own tongue, that an approval is awaited.

use std::time::Duration;

use model::ApprovalNotice;

/// A protocol's side of a wait for a signature. A client that goes away is told to `gate` by dropping the future of
/// [`crate::Gate::admit`]: the call then never runs, and its approval stays usable until it expires.
pub trait Waiting: Send + Sync {
    /// How long this client waits before it is told to come back.
    fn patience(&self) -> Duration;

    /// Tells the client that its call waits for `notice`. Protocols without a way to say so do nothing.
    fn asked(&self, notice: &ApprovalNotice);
}
