//! Answers that the gateway gives itself: Countersign's own interface, which is a target too.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use mask::Content;
use model::{Refusal, Secret};
use serde_json::Value;

use crate::answer::{Answer, Open};
use crate::budget::{Allowance, Whole};
use crate::caller::OpenAnswer;
use crate::ended::Ended;
use crate::path::{Cleared, Gate};
use crate::protocol::BoxFuture;
use crate::session::Arrival;
use crate::waiting::Waiting;
use crate::wire::{Reply, TargetFault};

/// A request to Countersign's own interface, as a protocol hands it over: proven by nobody yet.
pub struct OwnRequest {
    /// Where it comes from.
    pub arrival: Arrival,
    /// The caller's token.
    pub credential: Option<Secret>,
    /// The method.
    pub method: String,
    /// The path's segments, decoded.
    pub segments: Vec<String>,
    /// The query's parameters, decoded.
    pub parameters: Vec<(String, String)>,
    /// How long the caller waits for a signature.
    pub waiting: Box<dyn Waiting>,
    /// The body, not read yet.
    pub body: Box<dyn Unread>,
}

/// A body that was not read yet.
pub trait Unread: Send {
    /// Reads it in full into the room that [`Gate::room`] gave, within [`crate::BODY_LIMIT`] and a deadline.
    fn read(self: Box<Self>, room: Allowance) -> BoxFuture<'static, Result<Whole, Refusal>>;
}

/// An answer of Countersign's own interface.
pub struct OwnAnswer {
    /// Its status.
    pub status: u16,
    /// Its media type, from a closed list.
    pub media: &'static str,
    /// Its body.
    pub body: Box<dyn OpenAnswer>,
}

/// Countersign's own interface, as a protocol sees it.
pub type Interface = Arc<dyn Fn(OwnRequest) -> BoxFuture<'static, Result<OwnAnswer, Ended>> + Send + Sync>;

/// An answer of the gateway's own, whole.
pub struct OwnReply(Option<Bytes>);

impl Reply for OwnReply {
    type Link = ();

    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, TargetFault>>> {
        Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(Ok))
    }

    fn into_link(self) -> Option<()> {
        None
    }
}

impl Gate {
    /// Answers a call on Countersign's own interface. Nothing is sent anywhere; the entry stands as for any target.
    ///
    /// # Errors
    /// [`Ended::Withheld`] when the journal cannot be written.
    pub async fn serve(&self, cleared: Cleared, status: u16, body: Vec<u8>) -> Result<Open<OwnReply>, Ended> {
        let answer = Answer::new(cleared, OwnReply(Some(Bytes::from(body))));
        // What is shown here was masked before it was kept, or is the gateway's own state.
        answer.recorded().await?.body_is(Some(Content::Opaque), status, Value::Null)
    }
}
