//! The only bytes that a caller's writer takes.

use std::task::{Context, Poll};

use bytes::Bytes;
use model::CallId;

use crate::ended::Ended;

/// Bytes that may be shown to a caller: masked, or from a closed list of texts that hold nothing of the target's.
///
/// Only `gate` makes one from bytes that came from elsewhere, by masking them. A protocol makes one from its own
/// fixed texts (status lines, header names, frame tags), which the `'static` bound keeps apart from anything received.
#[derive(Debug, Clone, Default)]
pub struct ToCaller(Bytes);

impl ToCaller {
    pub(crate) fn masked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// A text of the protocol's own, from its closed list.
    #[must_use]
    pub const fn structure(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The rendering of something that `gate` itself says: a refusal, an ending, a page of its own interface.
    #[must_use]
    pub fn rendered(said: Said) -> Self {
        Self(said.0)
    }

    /// How many bytes there are to write.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the caller's writer.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// What Countersign itself says. It can be made from a refusal or an ending, whose texts never hold what a target sent,
/// and from the public pages.
#[derive(Debug)]
pub struct Said(Bytes);

impl Said {
    /// A protocol's rendering of `ended`. The renderer captures nothing: it has the fields and nothing else to render from.
    pub fn ended(ended: &Ended, render: fn(&Ended) -> Vec<u8>) -> Self {
        Self(Bytes::from(render(ended)))
    }

    /// A page that anyone may see.
    #[must_use]
    pub fn page(page: &PublicPage) -> Self {
        Self(page.bytes.clone())
    }
}

/// The pages that are open to anyone; there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Public {
    /// The process runs.
    Healthz,
    /// It can serve calls.
    Readyz,
    /// The public keys of tokens that it signs.
    Jwks,
    /// The description of `/v1`.
    OpenApi,
}

/// One public page with its content.
#[derive(Debug, Clone)]
pub struct PublicPage {
    /// Which one.
    pub page: Public,
    /// Whether all is well.
    pub ok: bool,
    bytes: Bytes,
}

impl PublicPage {
    /// The page with this content, made of Countersign's own state.
    pub(crate) fn new(page: Public, ok: bool, content: impl Into<Bytes>) -> Self {
        Self { page, ok, bytes: content.into() }
    }
}

/// An answer under way to a caller, whatever protocol it comes from.
pub trait OpenAnswer: Send {
    /// The status with which the target answered, in its protocol's terms.
    fn status(&self) -> u16;

    /// The media type of its body, from a closed list.
    fn media(&self) -> &'static str;

    /// The call that it answers.
    fn call(&self) -> Option<CallId>;

    /// The next masked bytes; `None` at the end. An error cuts the answer: nothing more may be written.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ToCaller, Ended>>>;
}
