//! Detectors: what a value must look like to be masked. One file each, and one line in the registry.

use std::ops::Range;

/// Every detector, in the order in which classes are listed.
#[must_use]
pub fn detectors() -> &'static [&'static dyn Detector] {
    &[]
}

/// What makes the scanner ask a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// An `@`, and a digit that may be part of an encoded one.
    At,
    /// The first digit of a run of digits.
    Digit,
}

/// The text ends here for now: what comes next decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

/// What a detector sees, or that it has to wait.
pub type Look<T> = Result<T, Unknown>;

/// A stretch of text as detectors see it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    bytes: &'a [u8],
    complete: bool,
}

impl<'a> Text<'a> {
    /// Text that ends with `bytes`, or (`complete` is false) may go on after them.
    #[must_use]
    pub fn new(bytes: &'a [u8], complete: bool) -> Self {
        Self { bytes, complete }
    }
    /// The bytes so far.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// Whether nothing follows.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

/// Recognises one kind of personal data.
pub trait Detector: Send + Sync {
    /// The field class that it finds: `email`.
    fn class(&self) -> &'static str;

    /// What makes the scanner ask.
    fn trigger(&self) -> Trigger;

    /// The match, if any, that the trigger at `at` is part of.
    ///
    /// # Errors
    /// [`Unknown`] when the text so far does not decide it.
    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>>;

    /// The first byte that a match triggered at `at` could begin with.
    fn start(&self, text: &Text<'_>, at: usize) -> usize;
}
