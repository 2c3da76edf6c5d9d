//! An answer on its way back: recorded, then opened, masked chunk by chunk, then finished.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use mask::{Content, Masker, Plan};
use model::Outcome;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::caller::{OpenAnswer, ToCaller};
use crate::ended::Ended;
use crate::entry::Entry;
use crate::failpoint::CrashPoint;
use crate::path::Cleared;
use crate::session::{GRACE, Session};
use crate::wire::{Reply, TargetFault};

/// A target that says nothing for this long in the middle of an answer is given up.
const SILENCE: Duration = Duration::from_secs(300);

/// The beginning of an answer. Nothing of it may be shown before [`Answer::recorded`].
pub struct Answer<R> {
    cleared: Cleared,
    reply: R,
}

/// An answer whose call has left the process: its bytes may be released, masked.
///
/// It owns the entry, the masker that the decision demands and the connection. Dropped before its end, the call is
/// recorded as abandoned and the connection closed.
pub struct Open<R: Reply> {
    session: Session,
    entry: Option<Entry>,
    reply: Option<R>,
    plan: Arc<Plan>,
    masker: Option<Masker>,
    content: Content,
    call: model::CallId,
    status: u16,
    ends: Pin<Box<Sleep>>,
    silent: Pin<Box<Sleep>>,
    first: bool,
}

/// Bytes of a target that were not masked yet. Nothing can be done with them but to mask them.
pub struct Raw(RawChunk);

enum RawChunk {
    Bytes(Bytes),
    End,
}

impl<R: Reply> Answer<R> {
    pub(crate) fn new(cleared: Cleared, reply: R) -> Self {
        Self { cleared, reply }
    }

    /// Waits until the entry has left the process. Usually it does not yield: the task that needs it writes the group.
    ///
    /// # Errors
    /// [`Ended::Withheld`] when the journal cannot be written: the target has run the call, and nobody may see the answer.
    pub async fn recorded(self) -> Result<Open<R>, Ended> {
        let Self { cleared, reply } = self;
        if let Err(error) = cleared.entry.written().await {
            tracing::error!(%error, call = %cleared.entry.call(), "an answer is withheld: the journal cannot be written");
            let ended = withheld(&cleared.entry, "the journal cannot be written".to_owned());
            cleared.entry.finish(ended.outcome());
            return Err(ended);
        }
        CrashPoint::Recorded.pass();
        let Cleared { session, entry, plan, .. } = cleared;
        let call = entry.call();
        let left = session.0.expires.since(entry.begun());
        Ok(Open {
            session,
            entry: Some(entry),
            reply: Some(reply),
            plan,
            masker: None,
            content: Content::Opaque,
            call,
            status: 0,
            ends: Box::pin(sleep_until(Instant::now() + left + GRACE)),
            silent: Box::pin(sleep_until(Instant::now() + SILENCE)),
            first: true,
        })
    }
}

impl<R: Reply> Open<R> {
    /// The answer as the protocol received it, for reading its head. What is shown of it goes through
    /// [`Open::mask_text`].
    #[must_use]
    pub fn reply(&self) -> Option<&R> {
        self.reply.as_ref()
    }

    /// The call's session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The call's identity.
    #[must_use]
    pub fn call(&self) -> model::CallId {
        self.call
    }

    /// A whole text of the head, masked: a header's value, a reason.
    pub fn mask_text(&mut self, text: &str) -> ToCaller {
        let (masked, counts) = self.plan.mask_text(text);
        if let Some(entry) = &mut self.entry {
            entry.count(&counts);
        }
        ToCaller::masked(Bytes::from(masked.into_owned()))
    }

    /// Says what the body is, and what of the head is recorded, as the caller is shown it. `None` is a kind that cannot be
    /// searched for personal data: it passes only where policy lifted every class, and the credential is searched for
    /// even then.
    ///
    /// # Errors
    /// [`Ended::Withheld`] when the body cannot be searched and must be.
    pub fn body_is(
        mut self,
        content: Option<Content>,
        status: u16,
        head: serde_json::Value,
    ) -> Result<Self, Ended> {
        self.status = status;
        let content = match content {
            Some(content) => content,
            None if !self.session.masks() => Content::Opaque,
            None => return Err(self.withhold("its content type cannot be searched for what must be masked")),
        };
        if let Some(entry) = &mut self.entry {
            entry.answered(head, content, self.session.keeps_less());
        }
        self.content = content;
        self.masker = Some(Masker::new(Arc::clone(&self.plan), content));
        Ok(self)
    }

    /// Ends the answer as withheld, with the reason for the caller and the journal.
    #[must_use]
    pub fn withhold(mut self, reason: &str) -> Ended {
        self.end_with(|entry| withheld(entry, reason.to_owned()))
    }

    /// The next bytes of the body; `None` after the last.
    ///
    /// # Errors
    /// [`Ended::Failed`] when the target breaks off, [`Ended::Refused`] when the session has ended.
    pub async fn next(&mut self) -> Result<Option<Raw>, Ended> {
        std::future::poll_fn(|cx| self.poll_raw(cx)).await
    }

    /// Masks what [`Open::next`] gave. May be empty: what could be part of something to mask is held back.
    ///
    /// # Errors
    /// [`Ended::Withheld`] when the bytes cannot be searched: the answer is cut here.
    pub fn mask(&mut self, raw: Raw) -> Result<ToCaller, Ended> {
        let mut out = Vec::new();
        let masked = match (&mut self.masker, &raw.0) {
            (Some(masker), RawChunk::Bytes(bytes)) => {
                out.reserve(bytes.len() + 64);
                masker.push(bytes, &mut out)
            }
            (Some(masker), RawChunk::End) => {
                let last = masker.finish(&mut out);
                if let Some(entry) = &mut self.entry {
                    entry.count(masker.counts());
                }
                last
            }
            (None, _) => {
                return Err(self.end_with(|entry| withheld(entry, "nobody said what the body is".to_owned())));
            }
        };
        if let Err(error) = masked {
            return Err(self.end_with(|entry| withheld(entry, error.to_string())));
        }
        if let Some(entry) = &mut self.entry {
            entry.keep(&out);
        }
        Ok(ToCaller::masked(Bytes::from(out)))
    }

    /// Ends the call as answered, and gives the connection back if it can carry another.
    pub fn finish(mut self) {
        self.close();
    }

    fn close(&mut self) {
        if let Some(entry) = self.entry.take() {
            entry.finish(Outcome::Answered { status: self.status });
        }
        if let Some(link) = self.reply.take().and_then(Reply::into_link) {
            self.session.target().pool().put(link);
        }
    }

    fn poll_raw(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Raw>, Ended>> {
        if self.masker.is_none() && self.entry.is_some() {
            return Poll::Ready(Err(
                self.end_with(|entry| withheld(entry, "nobody said what the body is".to_owned()))
            ));
        }
        let Some(reply) = &mut self.reply else { return Poll::Ready(Ok(None)) };
        match reply.poll_data(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                self.silent.as_mut().reset(Instant::now() + SILENCE);
                Poll::Ready(Ok(Some(Raw(RawChunk::Bytes(bytes)))))
            }
            Poll::Ready(Some(Err(fault))) => Poll::Ready(Err(self.end_with(|entry| failed(entry, &fault)))),
            Poll::Ready(None) if self.first => {
                self.first = false;
                Poll::Ready(Ok(Some(Raw(RawChunk::End))))
            }
            Poll::Ready(None) => Poll::Ready(Ok(None)),
            Poll::Pending => {
                if self.ends.poll_unpin(cx).is_ready() {
                    return Poll::Ready(
                        Err(self.end_with(|entry| failed(entry, &TargetFault::SessionEnded))),
                    );
                }
                ready!(self.silent.poll_unpin(cx));
                Poll::Ready(Err(self.end_with(|entry| failed(entry, &TargetFault::TimedOut))))
            }
        }
    }

    /// Ends the entry this way and drops the connection.
    fn end_with(&mut self, how: impl FnOnce(&Entry) -> Ended) -> Ended {
        self.reply = None;
        let Some(entry) = self.entry.take() else { return crate::refused::lost().into() };
        let ended = how(&entry);
        entry.finish(ended.outcome());
        ended
    }
}

impl<R: Reply> OpenAnswer for Open<R> {
    fn status(&self) -> u16 {
        self.status
    }

    fn media(&self) -> &'static str {
        match self.content {
            Content::Json => "application/json",
            Content::Text => "text/plain; charset=utf-8",
            Content::EventStream => "text/event-stream",
            Content::Opaque => "application/octet-stream",
        }
    }

    fn call(&self) -> Option<model::CallId> {
        Some(self.call)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ToCaller, Ended>>> {
        loop {
            let raw = match ready!(self.poll_raw(cx)) {
                Ok(Some(raw)) => raw,
                Ok(None) => {
                    self.close();
                    return Poll::Ready(None);
                }
                Err(ended) => return Poll::Ready(Some(Err(ended))),
            };
            match self.mask(raw) {
                Ok(shown) if shown.is_empty() => {}
                Ok(shown) => return Poll::Ready(Some(Ok(shown))),
                Err(ended) => return Poll::Ready(Some(Err(ended))),
            }
        }
    }
}

fn withheld(entry: &Entry, reason: String) -> Ended {
    Ended::Withheld { call: entry.call(), reason }
}

fn failed(entry: &Entry, fault: &TargetFault) -> Ended {
    Ended::Failed { call: entry.call(), reason: fault.to_string(), effect: entry.has_effect() }
}
