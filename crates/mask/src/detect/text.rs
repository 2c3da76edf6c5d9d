//! A stretch of text as detectors see it: bytes, and whether more may follow.

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

    /// The byte at `at`; `None` beyond the end.
    ///
    /// # Errors
    /// [`Unknown`] where the text may go on.
    #[inline]
    pub fn byte(&self, at: usize) -> Look<Option<u8>> {
        match self.bytes.get(at) {
            Some(byte) => Ok(Some(*byte)),
            None if self.complete => Ok(None),
            None => Err(Unknown),
        }
    }

    /// The byte before `at`; `None` at the beginning.
    #[inline]
    #[must_use]
    pub fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|i| self.bytes.get(i)).copied()
    }

    /// Whether an ASCII letter or digit stands right before `at`.
    pub(crate) fn word_before(&self, at: usize) -> bool {
        self.before(at).is_some_and(|b| b.is_ascii_alphanumeric())
    }

    /// Whether an ASCII letter or digit stands at `at`.
    pub(crate) fn word_at(&self, at: usize) -> Look<bool> {
        Ok(self.byte(at)?.is_some_and(|b| b.is_ascii_alphanumeric()))
    }

    /// Whether one of `marks` stands at `at` with a digit after it: `-7`.
    pub(crate) fn mark_and_digit_at(&self, at: usize, marks: &[u8]) -> Look<bool> {
        Ok(self.byte(at)?.is_some_and(|b| marks.contains(&b))
            && self.byte(at + 1)?.is_some_and(|b| b.is_ascii_digit()))
    }

    /// Whether one of `marks` stands right before `at` with a digit before it: `7-`.
    pub(crate) fn digit_and_mark_before(&self, at: usize, marks: &[u8]) -> bool {
        self.before(at).is_some_and(|b| marks.contains(&b))
            && self.before(at.saturating_sub(1)).is_some_and(|b| b.is_ascii_digit())
    }

    /// The character at `at` and its length, in text that is valid UTF-8; `None` beyond the end.
    pub(crate) fn char_at(&self, at: usize) -> Look<Option<(char, usize)>> {
        let Some(first) = self.byte(at)? else { return Ok(None) };
        let len = match first {
            0..=0x7f => return Ok(Some((char::from(first), 1))),
            0xf0.. => 4,
            0xe0.. => 3,
            _ => 2,
        };
        let Some(bytes) = self.bytes.get(at..at + len) else {
            return if self.complete { Ok(None) } else { Err(Unknown) };
        };
        Ok(std::str::from_utf8(bytes).ok().and_then(|s| s.chars().next()).map(|c| (c, len)))
    }

    /// The character that ends right before `at`, and its length.
    pub(crate) fn char_before(&self, at: usize) -> Option<(char, usize)> {
        let last = self.before(at)?;
        if last.is_ascii() {
            return Some((char::from(last), 1));
        }
        (2..=4).find_map(|len| {
            let bytes = self.bytes.get(at.checked_sub(len)?..at)?;
            std::str::from_utf8(bytes).ok().and_then(|s| s.chars().next()).map(|c| (c, len))
        })
    }
}
