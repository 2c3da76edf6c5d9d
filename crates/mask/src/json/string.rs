//! One JSON string that is decoded while it comes: it holds escapes, or its end is not in sight.

use super::Feed;
use crate::Withheld;
use crate::detect::{LOOK_BEHIND, Text};
use crate::escape::{Escape, Step};
use crate::scan::{Piece, Span, cut, scan};
use crate::stream::split_block;

/// How much is decoded before it is searched.
const BLOCK: usize = 4 * 1024;

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The name of a member.
    Key,
    /// A value.
    Value,
    /// A value that the field rule with this index masks.
    Field(usize),
}

/// The decoded value of a string, where each of its bytes came from, and the raw bytes that are held back.
#[derive(Default)]
pub(super) struct Decoder {
    /// What was released (at most [`LOOK_BEHIND`] bytes), then what is held back.
    text: Vec<u8>,
    /// Where the held bytes begin.
    from: usize,
    /// For each held byte, where the character that it belongs to begins in `raw`.
    origin: Vec<usize>,
    raw: Vec<u8>,
    masked_to: usize,
    escape: Escape,
    spans: Vec<Span>,
    /// The beginning of the decoded value, where it decides something.
    prefix: Vec<u8>,
    /// How long `prefix` may become, and whether the value went on after that.
    prefix_limit: usize,
    prefix_full: bool,
    /// Whether the value is searched and released; otherwise it is only decoded.
    shown: bool,
}

impl Decoder {
    /// Begins a new string. Its first `prefix_limit` decoded bytes are kept.
    pub(super) fn begin(&mut self, shown: bool, prefix_limit: usize) {
        self.text.clear();
        self.origin.clear();
        self.raw.clear();
        self.prefix.clear();
        (self.from, self.masked_to) = (0, 0);
        self.escape = Escape::default();
        (self.shown, self.prefix_limit, self.prefix_full) = (shown, prefix_limit, false);
    }

    /// The whole decoded value, if it is no longer than the prefix that is kept.
    pub(super) fn whole(&self) -> Option<&str> {
        if self.prefix_full { None } else { std::str::from_utf8(&self.prefix).ok() }
    }

    /// How many bytes are held back.
    pub(super) fn held(&self) -> usize {
        self.raw.len() + self.escape.raw().len()
    }

    /// Whether an escape is incomplete.
    pub(super) fn in_escape(&self) -> bool {
        self.escape.is_open()
    }

    /// Takes bytes that stand for themselves.
    pub(super) fn plain(&mut self, mut bytes: &[u8], feed: &mut Feed<'_>) {
        while !bytes.is_empty() {
            let (block, rest) = split_block(bytes, BLOCK);
            bytes = rest;
            self.keep_prefix(block);
            if self.shown {
                let begin = self.raw.len();
                self.text.extend_from_slice(block);
                self.raw.extend_from_slice(block);
                self.origin.extend(begin..begin + block.len());
                if self.raw.len() >= BLOCK {
                    self.release(false, feed);
                }
            }
        }
    }

    /// Takes one byte of an escape.
    pub(super) fn escaped(&mut self, byte: u8, feed: &mut Feed<'_>) -> Result<(), Problem> {
        match self.escape.push(byte) {
            Step::More => Ok(()),
            Step::Bad => Err("a string holds an escape that JSON does not have"),
            Step::Unpaired => {
                Err("a string holds half a surrogate pair, which readers take in different ways")
            }
            Step::Char(c) => {
                let mut utf8 = [0; 4];
                let utf8 = c.encode_utf8(&mut utf8).as_bytes();
                self.keep_prefix(utf8);
                if self.shown {
                    self.text.extend_from_slice(utf8);
                    self.origin.extend(std::iter::repeat_n(self.raw.len(), utf8.len()));
                    self.raw.extend_from_slice(self.escape.raw());
                    if self.raw.len() >= BLOCK {
                        self.release(false, feed);
                    }
                }
                self.escape = Escape::default();
                Ok(())
            }
        }
    }

    /// Releases what is decided; at the string's end (`complete`) that is everything.
    pub(super) fn release(&mut self, complete: bool, feed: &mut Feed<'_>) {
        if !self.shown {
            return;
        }
        let (base, origin, raw) = (self.from, &self.origin, &self.raw);
        let decided = scan(feed.plan, &Text::new(&self.text, complete), base, &mut self.spans);
        let at = |place: usize| origin.get(place - base).copied().unwrap_or(raw.len());
        cut(&mut self.spans, base, decided, &mut self.masked_to, |piece| match piece {
            Piece::Keep(from, to) => {
                feed.out.extend_from_slice(raw.get(at(from)..at(to)).unwrap_or_default())
            }
            Piece::Mask(class) => feed.plan.mask(class, feed.counts, feed.out),
        });
        let raw_decided = at(decided);
        self.raw.drain(..raw_decided);
        self.origin.drain(..decided - base);
        self.origin.iter_mut().for_each(|place| *place -= raw_decided);
        let passed = decided.saturating_sub(LOOK_BEHIND);
        self.text.drain(..passed);
        self.from = decided - passed;
        self.masked_to = self.masked_to.saturating_sub(passed);
    }

    fn keep_prefix(&mut self, bytes: &[u8]) {
        let room = self.prefix_limit - self.prefix.len();
        self.prefix_full |= bytes.len() > room;
        self.prefix.extend(bytes.iter().take(room));
    }
}

/// What is wrong with a document, for [`Withheld::InvalidJson`].
pub(super) type Problem = &'static str;

/// A problem at an offset.
pub(super) fn invalid(offset: u64, problem: Problem) -> Withheld {
    Withheld::InvalidJson { offset, problem }
}
