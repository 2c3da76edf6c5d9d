//! One answer, masked chunk by chunk.

use std::sync::Arc;

use crate::{Counts, Plan, Withheld};

/// The most that is held back, in bytes, beside the longest form of a needle.
pub const MAX_HELD: usize = 80 * 1024;
/// The deepest nesting of JSON that is followed.
pub const MAX_DEPTH: usize = 256;

/// What an answer's bytes are, by its content type. Everything but `Opaque` is UTF-8; another charset is no content that can
/// be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// One JSON value.
    Json,
    /// Plain text.
    Text,
    /// `text/event-stream`.
    EventStream,
    /// Bytes without a known form, for calls whose policy lifted every class: only the credential is searched for.
    Opaque,
}

/// Masks one answer. What comes out is the same for any chunking.
pub struct Masker {
    plan: Arc<Plan>,
    content: Content,
    counts: Counts,
}

impl Masker {
    /// A masker for one answer.
    #[must_use]
    pub fn new(plan: Arc<Plan>, content: Content) -> Self {
        Self { plan, content, counts: Counts::new() }
    }

    /// Takes the next chunk, and appends to `out` what is safe to release.
    ///
    /// # Errors
    /// [`Withheld`] when the answer cannot be searched. What is in `out` may be shown; every later push fails the same way.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Withheld> {
        let _ = (chunk, out, &self.plan, self.content);
        Err(Withheld::Truncated)
    }

    /// Takes the end of the answer, and appends the rest to `out`.
    ///
    /// # Errors
    /// [`Withheld`] when the answer cannot be searched, or is incomplete.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Withheld> {
        self.push(&[], out)
    }

    /// How many values were masked so far, by class.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many bytes are held back at the moment.
    #[must_use]
    pub fn held(&self) -> usize {
        0
    }
}
