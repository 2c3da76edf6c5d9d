//! Answers, and the ways in which their bodies leave: whole, a byte a chunk, or an event at a time.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::time::Interval;

/// An answer of the demo API or of the development issuer.
pub(super) type Answer = Response<AnswerBody>;

/// A JSON answer with a length.
pub(super) fn of_json(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => with_type(status, "application/json", AnswerBody::Whole(body.into())),
        Err(_) => {
            with_type(StatusCode::INTERNAL_SERVER_ERROR, "application/json", AnswerBody::Whole(Bytes::new()))
        }
    }
}

/// What was wrong with a request, as problem details (RFC 9457). The detail says what to do; it repeats nothing that the
/// caller sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Problem(pub(super) StatusCode, pub(super) &'static str);

impl From<Problem> for Answer {
    fn from(Problem(status, detail): Problem) -> Self {
        let title = status.canonical_reason().unwrap_or("error");
        let body =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
        with_type(status, "application/problem+json", AnswerBody::Whole(body.to_string().into()))
    }
}

/// An answer with this status, content type and body.
pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// How a body leaves.
#[derive(Debug)]
pub(super) enum AnswerBody {
    /// At once, with a length.
    Whole(Bytes),
    /// Chunked, a byte a chunk: the hardest framing for whoever searches the answer.
    ByteAChunk(Bytes),
    /// Chunked, one event a tick, so that a reader can tell a stream from a buffered answer.
    Events {
        /// What has not been sent yet.
        rest: VecDeque<Bytes>,
        /// When the next one leaves.
        tick: Interval,
    },
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(body) if body.is_empty() => None,
            Self::Whole(body) => Some(std::mem::take(body)),
            Self::ByteAChunk(rest) if rest.is_empty() => None,
            Self::ByteAChunk(rest) => Some(rest.split_to(1)),
            Self::Events { rest, .. } if rest.is_empty() => None,
            Self::Events { rest, tick } => {
                ready!(tick.poll_tick(cx));
                rest.pop_front()
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(u64::try_from(body.len()).unwrap_or(u64::MAX)),
            Self::ByteAChunk(_) | Self::Events { .. } => SizeHint::default(),
        }
    }
}
