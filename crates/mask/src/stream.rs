//! Text whose bytes are what they stand for, masked as it comes.

use crate::detect::{LOOK_BEHIND, Text};
use crate::scan::{Piece, Span, cut, scan};
use crate::{Counts, Plan};

/// How many bytes are looked at together, so that they are still near when they are copied out.
const BLOCK: usize = 16 * 1024;

/// A stretch of text that is pushed in chunks. Line breaks need no care: no detector's match crosses one.
#[derive(Default)]
pub(crate) struct Stream {
    /// What was released (at most [`LOOK_BEHIND`] bytes, for detectors that look back), then what is held back.
    buffer: Vec<u8>,
    /// Where the held bytes begin.
    from: usize,
    /// Where the last match ends.
    masked_to: usize,
    spans: Vec<Span>,
}

impl Stream {
    /// Takes more of the text, which ends with a whole character (or is searched for needles only).
    pub(crate) fn push(&mut self, plan: &Plan, mut chunk: &[u8], counts: &mut Counts, out: &mut Vec<u8>) {
        while !chunk.is_empty() {
            let (block, rest) = split_block(chunk, BLOCK);
            chunk = rest;
            self.buffer.extend_from_slice(block);
            self.release(plan, false, counts, out);
        }
    }

    /// Takes the end of the text.
    pub(crate) fn finish(&mut self, plan: &Plan, counts: &mut Counts, out: &mut Vec<u8>) {
        self.release(plan, true, counts, out);
        self.buffer.clear();
        (self.from, self.masked_to) = (0, 0);
    }

    /// How many bytes are held back.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len() - self.from
    }

    fn release(&mut self, plan: &Plan, complete: bool, counts: &mut Counts, out: &mut Vec<u8>) {
        let buffer = &self.buffer;
        let decided = scan(plan, &Text::new(buffer, complete), self.from, &mut self.spans);
        cut(&mut self.spans, self.from, decided, &mut self.masked_to, |piece| match piece {
            Piece::Keep(from, to) => out.extend_from_slice(buffer.get(from..to).unwrap_or_default()),
            Piece::Mask(class) => plan.mask(class, counts, out),
        });
        let passed = decided.saturating_sub(LOOK_BEHIND);
        self.buffer.drain(..passed);
        self.from = decided - passed;
        self.masked_to = self.masked_to.saturating_sub(passed);
    }
}

/// The first `limit` bytes of valid UTF-8, or a few less so that no character is cut in two, and the rest.
pub(crate) fn split_block(bytes: &[u8], limit: usize) -> (&[u8], &[u8]) {
    let is_inside = |at: usize| bytes.get(at).is_some_and(|b| (0x80..0xc0).contains(b));
    let mut at = limit.min(bytes.len());
    // A character has at most four bytes; in bytes that are no text any place will do.
    for _ in 0..3 {
        if at > 1 && is_inside(at) {
            at -= 1;
        }
    }
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}
