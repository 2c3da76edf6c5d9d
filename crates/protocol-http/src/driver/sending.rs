//! A target's stream that knows when the head of a call has left, and when all of it has: the crash points of that name.
//! hyper alone cannot tell: what it was handed may still be in its buffer. Without crash points it only passes on.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use gate::{CrashPoint, TargetStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Progress;

/// A stream to a target.
pub(super) struct Sending {
    stream: TargetStream,
    call: UnderWay,
}

/// The call whose bytes are on their way, as the one who sends it says.
#[derive(Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Option<Arc<Progress>>>>);

impl UnderWay {
    /// From now on it is the call with this body.
    pub(super) fn is(&self, progress: &Arc<Progress>) {
        if CrashPoint::BodySent.is_armed() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(progress));
        }
    }

    /// Everything that was written has left the buffer.
    fn flushed(&self) {
        let call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if call.as_ref().is_some_and(|progress| progress.ended()) {
            CrashPoint::BodySent.pass();
        }
    }
}

impl Sending {
    pub(super) fn new(stream: TargetStream, call: UnderWay) -> Self {
        Self { stream, call }
    }
}

impl AsyncRead for Sending {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Sending {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.get_mut().stream);
        if !CrashPoint::HeadSent.is_armed() {
            return stream.poll_write(cx, bytes);
        }
        let written = ready!(stream.poll_write(cx, head(bytes)))?;
        CrashPoint::HeadSent.pass();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored() && !CrashPoint::HeadSent.is_armed()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        if CrashPoint::BodySent.is_armed() {
            this.call.flushed();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The bytes up to the end of a head, or all of them.
fn head(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    bytes.get(..end).unwrap_or(bytes)
}
