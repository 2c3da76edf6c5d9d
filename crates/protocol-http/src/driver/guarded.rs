//! A caller's stream behind the raw guard: hyper sees only bytes that read one way.
//!
//! When a head is refused, hyper is shown a harmless request in its place and the refusal waits beside it, so that the
//! refusal is answered in order, behind the answers that are still on their way. When a body is refused, reading fails.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use gate::{CallerStream, CrashPoint};
use http::HeaderMap;
use http::header::HeaderName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::codec::{BadRequest, Guard, Limits, Step};

/// How long a caller may be silent in the middle of a message.
const SILENCE: Duration = Duration::from_secs(30);

/// What is read from the socket at once.
const CHUNK: usize = 16 << 10;

/// What hyper is shown in place of a head that was refused. Its [`MARK`] tells it from every request that passed.
const INSTEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\n!refused: 1\r\nconnection: close\r\n\r\n";

/// A header that no caller can send: the guard refuses a name with a `!`.
const MARK: HeaderName = HeaderName::from_static("!refused");

/// Why the connection's last request is refused, if it is.
#[derive(Clone, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<BadRequest>>>);

impl Verdict {
    /// The refusal, if this is the head that stands in its place. hyper reads ahead: what is refused may lie behind requests
    /// that have not been served yet, and is none of theirs.
    pub(crate) fn on(&self, head: &HeaderMap) -> Option<BadRequest> {
        head.get(MARK)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, why: BadRequest) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// A caller's stream whose bytes are checked before they are read.
pub(crate) struct Guarded {
    stream: CallerStream,
    guard: Guard,
    verdict: Verdict,
    unread: Vec<u8>,
    start: usize,
    /// How many of the unread bytes are checked and not handed on yet.
    passed: usize,
    refused: bool,
    silent: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    pub(crate) fn new(stream: CallerStream, verdict: Verdict) -> Self {
        Self {
            stream,
            guard: Guard::new(Limits::default()),
            verdict,
            unread: Vec::new(),
            start: 0,
            passed: 0,
            refused: false,
            silent: None,
        }
    }

    /// Hands on what is checked of the bytes at hand, as much as fits. `false` when more are needed.
    fn hand_on(&mut self, out: &mut ReadBuf<'_>) -> io::Result<bool> {
        if self.passed == 0 {
            let at_head = self.guard.is_at_head();
            match self.guard.next(self.unread.get(self.start..).unwrap_or_default()) {
                Step::NeedMore => return Ok(false),
                Step::Pass { bytes, .. } => self.passed = bytes,
                Step::Refuse(why) if at_head => {
                    self.verdict.put(why);
                    self.unread = INSTEAD.to_vec();
                    (self.start, self.passed, self.refused) = (0, INSTEAD.len(), true);
                }
                Step::Refuse(why) => return Err(io::Error::new(io::ErrorKind::InvalidData, why)),
            }
        }
        let fits = self.passed.min(out.remaining());
        out.put_slice(self.unread.get(self.start..self.start + fits).unwrap_or_default());
        self.start += fits;
        self.passed -= fits;
        if self.start == self.unread.len() {
            self.unread.clear();
            self.start = 0;
        }
        Ok(true)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.start > 0 {
            self.unread.drain(..self.start);
            self.start = 0;
        }
        let before = self.unread.len();
        self.unread.resize(before + CHUNK, 0);
        let mut buf = ReadBuf::new(self.unread.get_mut(before..).unwrap_or_default());
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buf);
        let got = buf.filled().len();
        self.unread.truncate(before + got);
        ready!(polled)?;
        Poll::Ready(Ok(got))
    }

    /// In the middle of a message a caller may not be silent for ever. Between messages hyper keeps the time.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.guard.is_between_messages() && self.unread.is_empty() {
            self.silent = None;
            return Poll::Pending;
        }
        let silent = self.silent.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + SILENCE)));
        ready!(silent.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the caller fell silent in the middle of a message",
        )))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused && this.passed == 0 {
            // Nothing behind a refused head can be trusted to begin where it seems to.
            return Poll::Pending;
        }
        loop {
            if !this.unread.is_empty() && this.hand_on(out)? {
                this.silent = None;
                return Poll::Ready(Ok(()));
            }
            match this.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return this.poll_silence(cx),
            }
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes))?;
        CrashPoint::FirstByteOut.pass();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs))?;
        CrashPoint::FirstByteOut.pass();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
