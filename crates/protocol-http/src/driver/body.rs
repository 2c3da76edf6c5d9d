//! Bodies on their way to a target: none, whole, or streamed from the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gate::model::{Refusal, RefusalKind};
use gate::{Allowance, BODY_LIMIT, Whole};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::timeout;

/// How long a body that is read in full may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A body as a target gets it.
pub(crate) struct CallBody {
    source: Source,
    progress: Arc<Progress>,
}

enum Source {
    Whole(Option<Bytes>),
    Stream(Incoming),
}

/// How far a body has come; read when the answer is there, to see whether it came early.
#[derive(Default)]
pub(crate) struct Progress {
    sent: AtomicU64,
    ended: AtomicBool,
}

impl Progress {
    /// Whether all of the body was handed to the connection.
    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

impl CallBody {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let progress = Arc::new(Progress::default());
        if bytes.is_empty() {
            progress.ended.store(true, Ordering::Release);
        }
        Self { source: Source::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())), progress }
    }

    pub(crate) fn stream(incoming: Incoming) -> Self {
        let progress = Arc::new(Progress::default());
        if incoming.is_end_stream() {
            progress.ended.store(true, Ordering::Release);
        }
        Self { source: Source::Stream(incoming), progress }
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

impl Body for CallBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let bytes = match &mut this.source {
            Source::Whole(bytes) => bytes.take(),
            Source::Stream(incoming) => loop {
                match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        // The guard lets no trailers through; a frame that is no data is none of the caller's.
                        if let Ok(bytes) = frame.into_data() {
                            break Some(bytes);
                        }
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => break None,
                }
            },
        };
        match bytes {
            Some(bytes) => {
                this.progress.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                if this.is_end_stream() {
                    this.progress.end();
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            None => {
                this.progress.end();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(bytes) => bytes.is_none(),
            Source::Stream(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Stream(incoming) => incoming.size_hint(),
        }
    }
}

/// Reads a body in full, up to the limit, into the room that was reserved for it.
///
/// # Errors
/// `too_large` beyond the limit, `not_understood` when it breaks off or breaks the rules, `timed_out` when it is too slow.
pub(crate) async fn read_whole(body: Incoming, room: Allowance) -> Result<Whole, Refusal> {
    let too_slow = |_| Refusal::new(RefusalKind::TimedOut, "the body did not arrive within 60 seconds");
    let bytes = timeout(DEADLINE, collect(body)).await.map_err(too_slow)??;
    Ok(Whole { bytes, room })
}

async fn collect(mut body: Incoming) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(RefusalKind::TooLarge, "the body is larger than 1 MiB, the most that is read in full")
    };
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(too_large());
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let broken = |_| {
            Refusal::new(RefusalKind::NotUnderstood, "the body ended early or breaks the rules of HTTP/1.1")
        };
        if let Ok(bytes) = frame.map_err(broken)?.into_data() {
            if whole.len() + bytes.len() > BODY_LIMIT {
                return Err(too_large());
            }
            whole.extend_from_slice(&bytes);
        }
    }
    Ok(whole.freeze())
}
