//! Masks what a target answers: detectors, field classes and the streaming redactor. Bytes in, bytes out; no I/O.
//!
//! A [`Plan`] says what one decision demands: which [`Detector`]s search values, which [`FieldRule`]s mask by place, and
//! which [`Needles`] (the injected credential in every form in which it could come back) are searched whatever policy
//! says. A [`Masker`] applies it to one answer, chunk by chunk.
//!
//! # Promises
//! - **The same output for any chunking**, one byte at a time included: whatever could still become part of a match is
//!   held back, and nothing else.
//! - **Constant memory**: never more than [`MAX_HELD`] bytes and the longest form of a needle are held back.
//! - JSON strings, keys and numbers are searched as their **decoded values**; what does not match passes byte for byte,
//!   escapes and white space included, and valid JSON stays valid JSON.
//! - In text and events no detector's match crosses a line break, so a complete line is released at once.
//! - Two matches that overlap are masked together: every reading of an answer is masked.
//!
//! # What it refuses
//! What cannot be searched is [`Withheld`]: invalid UTF-8, invalid JSON (RFC 8259, with nothing before or after the one
//! value), unpaired surrogates, nesting beyond [`MAX_DEPTH`], a NUL in text (another charset read as UTF-8), and a
//! credential where it cannot be cut out. `Withheld` never carries content.
//!
//! # Placeholders
//! A masked value becomes `[class]`, as in `[email]`; a field that keeps its last four becomes `[class *4242]`; a masked
//! JSON number becomes `null`. [`contains_placeholder`] recognises them, so that masked data never comes back to stay.
//!
//! # What it does not see
//! Values that are reversed, hashed, spelled out, spread over several values, or written in other digits than ASCII ones.

mod detect;
mod escape;
mod event;
mod json;
mod masker;
mod needles;
mod placeholder;
mod plan;
mod pointer;
mod scan;
mod stream;
mod view;
mod withheld;

pub use detect::{Detector, Look, Text, Trigger, Unknown, detectors};
pub use masker::{Content, MAX_DEPTH, MAX_HELD, Masker};
pub use needles::{BadNeedle, MAX_SECRET, MIN_SECRET, Needles};
pub use placeholder::{CREDENTIAL, contains_placeholder};
pub use plan::{Counts, FieldRule, Plan, Replace};
pub use pointer::{BadPointer, Pointer};
pub use withheld::Withheld;
