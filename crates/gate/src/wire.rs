//! How a protocol speaks to a target: over streams that `gate` dialled, with a credential that `gate` acquired.
//!
//! A protocol implements [`Wire`] and gives [`crate::Gate::send`] the bytes of one call. It never dials, and learns the
//! credential only inside [`Wire::exchange`], where it puts it on the wire.

use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;
use lease::Injection;

use crate::stream::TargetStream;

/// Why a call could not be sent, and whether another connection may be tried.
#[derive(Debug)]
pub enum SendFailure<R> {
    /// Not a byte of the call was written: it is given back, and another connection may be tried once.
    Unwritten(R),
    /// Something was written, or may have been: the target may have acted.
    Written(TargetFault),
}

/// What went wrong between gateway and target once a call was under way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// The target closed or reset the connection.
    #[error("the target closed the connection")]
    Closed,
    /// The target did not answer in time.
    #[error("the target did not answer within the deadline")]
    TimedOut,
    /// The target's bytes do not parse, or break the protocol.
    #[error("the target's answer breaks the protocol: {0}")]
    Malformed(&'static str),
    /// The session behind the call is over, and so is its time of grace.
    #[error("the session has ended")]
    SessionEnded,
    /// The caller's own body ended early or broke a limit while it was being sent.
    #[error("the caller's body ended early")]
    CallerBody,
}

/// A protocol's side of the connection to a target.
pub trait Wire: Send + Sync + 'static {
    /// One open connection, lent to one call at a time.
    type Link: Send + 'static;
    /// The bytes of one call, as the protocol holds them.
    type Request: Send;
    /// An answer as it arrives.
    type Reply: Reply<Link = Self::Link>;

    /// Makes a connection ready for calls over a stream that was just dialled.
    fn open(stream: TargetStream) -> impl Future<Output = Result<Self::Link, TargetFault>> + Send;

    /// Whether an idle connection can carry another call: nothing unread on it, not closed.
    fn usable(link: &mut Self::Link) -> bool;

    /// Sends one call with its credential and waits for the beginning of the answer. Dropping the future closes the link.
    fn exchange(
        link: Self::Link,
        request: Self::Request,
        injection: &Injection,
    ) -> impl Future<Output = Result<Self::Reply, SendFailure<Self::Request>>> + Send;
}

/// An answer as it arrives from a target.
pub trait Reply: Send + 'static {
    /// The connection that it comes over.
    type Link: Send + 'static;

    /// The next bytes of the body; `None` at its end.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TargetFault>>>;

    /// The connection, when the answer was read to its end and nothing forbids using it again.
    fn into_link(self) -> Option<Self::Link>;
}
