//! Escapes of JSON strings (RFC 8259, section 7), read wherever they may stand.

use crate::detect::{Look, Text};

/// The character that the escape at `at` (a backslash) stands for, and the length of the escape. `None` where no escape is,
/// or an unpaired surrogate.
pub(crate) fn escape_at(text: &Text<'_>, at: usize) -> Look<Option<(char, usize)>> {
    let mut escape = Escape::default();
    let mut place = at;
    loop {
        let Some(byte) = text.byte(place)? else { return Ok(None) };
        place += 1;
        match escape.push(byte) {
            Step::More => {}
            Step::Char(c) => return Ok(Some((c, place - at))),
            Step::Bad | Step::Unpaired => return Ok(None),
        }
    }
}

/// One escape, read byte by byte; surrogate pairs are one escape.
#[derive(Debug, Default, Clone)]
pub(crate) struct Escape {
    raw: [u8; 12],
    len: usize,
    code: u32,
    high: u32,
}

/// What a byte did to an escape.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes on.
    More,
    /// It is complete.
    Char(char),
    /// It is none.
    Bad,
    /// It is half of a pair without the other half.
    Unpaired,
}

impl Escape {
    /// Whether an escape has begun.
    pub(crate) fn is_open(&self) -> bool {
        self.len > 0
    }

    /// The bytes so far.
    pub(crate) fn raw(&self) -> &[u8] {
        self.raw.get(..self.len).unwrap_or_default()
    }

    /// Takes the next byte; the first is a backslash.
    pub(crate) fn push(&mut self, byte: u8) -> Step {
        let place = self.len;
        let Some(slot) = self.raw.get_mut(place) else { return Step::Bad };
        *slot = byte;
        self.len += 1;
        match place {
            0 if byte == b'\\' => Step::More,
            1 => short(byte),
            6 if byte == b'\\' => Step::More,
            7 if byte == b'u' => Step::More,
            6 | 7 => Step::Unpaired,
            2..=5 | 8..=11 => match char::from(byte).to_digit(16) {
                None => Step::Bad,
                Some(digit) => {
                    self.code = (self.code << 4) | digit;
                    if place == 5 || place == 11 { self.unit(place) } else { Step::More }
                }
            },
            _ => Step::Bad,
        }
    }

    /// Four hexadecimal digits are complete.
    fn unit(&mut self, place: usize) -> Step {
        let code = std::mem::take(&mut self.code);
        match (place, code) {
            (5, 0xd800..=0xdbff) => {
                self.high = code - 0xd800;
                Step::More
            }
            (11, 0xdc00..=0xdfff) => as_char(0x1_0000 + (self.high << 10) + (code - 0xdc00)),
            (5, _) => as_char(code),
            _ => Step::Unpaired,
        }
    }
}

/// A surrogate is no character.
fn as_char(code: u32) -> Step {
    char::from_u32(code).map_or(Step::Unpaired, Step::Char)
}

fn short(byte: u8) -> Step {
    match byte {
        b'"' | b'\\' | b'/' => Step::Char(char::from(byte)),
        b'b' => Step::Char('\u{8}'),
        b'f' => Step::Char('\u{c}'),
        b'n' => Step::Char('\n'),
        b'r' => Step::Char('\r'),
        b't' => Step::Char('\t'),
        b'u' => Step::More,
        _ => Step::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Look<Option<(char, usize)>> {
        escape_at(&Text::new(text.as_bytes(), true), 0)
    }

    #[test]
    fn escapes_stand_for_their_characters() {
        for (text, c) in [
            ("\\u0040", '@'),
            ("\\\"", '"'),
            ("\\/", '/'),
            ("\\n", '\n'),
            ("\\uD83D\\ude00", '\u{1f600}'),
            ("\\u00E9", '\u{e9}'),
        ] {
            assert_eq!(read(text), Ok(Some((c, text.len()))), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_or_half_a_pair_is_none() {
        for text in [
            "\\x",
            "\\u00g0",
            "\\uD83D",
            "\\uD83Dx",
            "\\uD83D\\n",
            "\\uD83D\\u0041",
            "\\uDE00",
            "\\",
            "\\u12",
        ] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
        assert!(escape_at(&Text::new(b"\\u00", false), 0).is_err());
    }
}
