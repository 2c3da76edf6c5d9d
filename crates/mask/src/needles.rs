//! The injected credential, in every form in which a target could echo it.
//!
//! Forms are the secret itself, its hexadecimal and its base64 (RFC 4648, both alphabets, at each of the three alignments
//! that text before it can give it, as in `user:secret` of basic authentication). Any character of a form may itself stand
//! percent-encoded (RFC 3986) or as a JSON escape: `p%40ss`, `p\u0040ss`. Where base64 shares a character between the secret
//! and what stands before it, that character (at most four bits of the secret) stays.
//!
//! A secret of several lines is also searched line by line, so that no form is missed where lines are sent apart.

use aho_corasick::{AhoCorasick, Input, MatchKind};

use crate::detect::{Look, Text};
use crate::escape::escape_at;
use crate::scan::{Class, Span};

/// The shortest secret that can be searched for, in bytes: a shorter one would be found everywhere.
pub const MIN_SECRET: usize = 8;
/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 8 * 1024;
/// The shortest line of a secret that is searched for by itself.
const MIN_LINE: usize = 16;
/// How many bytes of a form its anchors have.
const ANCHOR: usize = 3;
/// The most bytes that one byte of a form can be written in: `\u0041`.
const WIDEST: usize = 6;

/// A secret that cannot be searched for, and so must not be injected: refuse it where it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNeedle {
    /// Shorter than [`MIN_SECRET`].
    #[error("a secret shorter than {MIN_SECRET} bytes cannot be searched for in answers: use a longer one")]
    TooShort,
    /// Longer than [`MAX_SECRET`].
    #[error("a secret longer than {MAX_SECRET} bytes cannot be searched for in answers: use a shorter one")]
    TooLong,
    /// The search could not be built.
    #[error("these secrets are too many to be searched for together")]
    TooMany,
}

/// The injected credentials as they are searched for. Built once a target, and shared in an `Arc`.
#[derive(Default)]
pub struct Needles {
    forms: Vec<Form>,
    anchors: Option<AhoCorasick>,
    /// Whether a secret holds characters that JSON structure is made of, so that it could be found across it.
    pub(crate) across_json: bool,
    /// Whether a secret could be a JSON number.
    pub(crate) numeric: bool,
}

struct Form {
    bytes: Vec<u8>,
    alphabet: Alphabet,
    /// Whether it holds characters that could begin an escape.
    has_escapes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Plain,
    Hex,
    Base64 {
        /// Whether bits of the secret are left over, which the next character carries.
        more: bool,
    },
}

impl Needles {
    /// Nothing to search for: the call carries no permanent secret.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The forms of these secrets.
    ///
    /// # Errors
    /// [`BadNeedle`] when one is too short or too long to be searched for.
    pub fn new(secrets: &[&[u8]]) -> Result<Self, BadNeedle> {
        let mut needles = Self::none();
        for secret in secrets {
            match secret.len() {
                0..MIN_SECRET => return Err(BadNeedle::TooShort),
                MIN_SECRET..=MAX_SECRET => needles.add(secret),
                _ => return Err(BadNeedle::TooLong),
            }
        }
        if needles.forms.is_empty() {
            return Ok(needles);
        }
        let mut anchors: Vec<Vec<u8>> = needles.forms.iter().flat_map(Form::anchors).collect();
        anchors.sort_unstable();
        anchors.dedup();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(anchors);
        needles.anchors = Some(automaton.map_err(|_| BadNeedle::TooMany)?);
        Ok(needles)
    }

    /// Whether there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The most bytes that any form can take, and so the most that its search holds back.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.forms.iter().map(|f| f.bytes.len() * WIDEST + 3).max().unwrap_or(0)
    }

    /// Whether these bytes are a secret, or a line of one, to the letter.
    pub(crate) fn is_secret(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| form.alphabet == Alphabet::Plain && form.bytes == bytes)
    }

    fn add(&mut self, secret: &[u8]) {
        self.across_json |= secret.iter().any(|b| b"\"{}[],:\\ \t\r\n".contains(b));
        self.numeric |= secret.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
        let lines = secret.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| {
            line.len() >= MIN_LINE && line.len() < secret.len() && !line.starts_with(b"-----")
        });
        for text in lines.chain([secret]) {
            self.forms.push(Form::new(text.to_vec(), Alphabet::Plain));
            self.forms.push(Form::new(hex(text), Alphabet::Hex));
            self.forms.extend((0..3).map(|before| base64(text, before)));
        }
    }

    /// Finds every form that begins at or after `from`. Returns the first byte that a form could still begin with whose end
    /// is not in sight.
    pub(crate) fn find(&self, text: &Text<'_>, from: usize, spans: &mut Vec<Span>) -> usize {
        let bytes = text.bytes();
        let mut hold = bytes.len();
        let Some(anchors) = &self.anchors else { return hold };
        let mut check = |start: usize| {
            for form in &self.forms {
                match form.at(text, start) {
                    Ok(Some(end)) => {
                        let (start, end) = (char_start(bytes, start, from), char_end(bytes, end));
                        spans.push(Span { start, end, class: Class::CREDENTIAL });
                    }
                    Ok(None) => {}
                    Err(_) => hold = hold.min(char_start(bytes, start, from)),
                }
            }
        };
        let mut next = from;
        while let Some(found) = anchors.find(Input::new(bytes).range(next.min(bytes.len())..)) {
            check(found.start());
            next = found.start() + 1;
        }
        // An anchor that is partly escaped: the escape is one of its bytes.
        let mut checked = from;
        for place in memchr::memchr2_iter(b'%', b'\\', bytes.get(from..).unwrap_or_default()) {
            let place = from + place;
            for start in checked.max(place.saturating_sub(ANCHOR - 1))..=place {
                check(start);
            }
            checked = place + 1;
        }
        // An anchor that the end cuts in two.
        if !text.is_complete() {
            for start in from.max(bytes.len().saturating_sub(ANCHOR - 1))..bytes.len() {
                check(start);
            }
        }
        hold
    }

    /// The first place at or after `from` where a form could begin; the length of `bytes` when there is none.
    pub(crate) fn candidate(&self, bytes: &[u8], from: usize) -> usize {
        let Some(anchors) = &self.anchors else { return bytes.len() };
        let from = from.min(bytes.len());
        let literal = anchors.find(Input::new(bytes).range(from..)).map_or(bytes.len(), |m| m.start());
        let escaped = memchr::memchr2(b'%', b'\\', bytes.get(from..literal).unwrap_or_default());
        escaped.map_or(literal, |place| literal.min((from + place).saturating_sub(ANCHOR - 1).max(from)))
    }
}

impl Form {
    fn new(bytes: Vec<u8>, alphabet: Alphabet) -> Self {
        let has_escapes = bytes.iter().any(|b| matches!(b, b'%' | b'\\'));
        Self { bytes, alphabet, has_escapes }
    }

    /// The end of the form that begins at `start`.
    fn at(&self, text: &Text<'_>, start: usize) -> Look<Option<usize>> {
        let literal = self.follow(text, start, false)?;
        // A form that holds `%` or `\` itself may be meant literally or as the beginning of an escape: both are tried.
        let escaped = if self.has_escapes { self.follow(text, start, true)? } else { None };
        Ok(literal.max(escaped))
    }

    /// Follows the form through the text, one written character after another.
    fn follow(&self, text: &Text<'_>, start: usize, escapes_first: bool) -> Look<Option<usize>> {
        let mut place = start;
        let mut wanted = self.bytes.as_slice();
        while let Some((&want, rest)) = wanted.split_first() {
            let Some(byte) = text.byte(place)? else { return Ok(None) };
            let literal = self.alphabet.same(byte, want);
            if (!literal || (escapes_first && matches!(byte, b'%' | b'\\')))
                && let Some((rest, len)) = self.unescape(text, place, wanted)?
            {
                place += len;
                wanted = rest;
                continue;
            }
            if !literal {
                return Ok(None);
            }
            place += 1;
            wanted = rest;
        }
        self.rest(text, place).map(Some)
    }

    /// If an escape at `at` stands for what is wanted next: what is wanted after it, and its length.
    fn unescape<'a>(&self, text: &Text<'_>, at: usize, wanted: &'a [u8]) -> Look<Option<(&'a [u8], usize)>> {
        let mut utf8 = [0; 4];
        let (decoded, len) = match text.byte(at)? {
            Some(b'%') => match percent_at(text, at)? {
                Some(byte) => (&[byte][..], 3),
                None => return Ok(None),
            },
            Some(b'\\') => match escape_at(text, at)? {
                Some((c, len)) => (c.encode_utf8(&mut utf8).as_bytes(), len),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some((head, rest)) = wanted.split_at_checked(decoded.len()) else { return Ok(None) };
        let same = decoded.iter().zip(head).all(|(byte, want)| self.alphabet.same(*byte, *want));
        Ok(same.then_some((rest, len)))
    }

    /// Base64 ends with a character that carries the last bits, and padding.
    fn rest(&self, text: &Text<'_>, mut place: usize) -> Look<usize> {
        if self.alphabet == (Alphabet::Base64 { more: true }) {
            if text.byte(place)?.is_some_and(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b)) {
                place += 1;
            }
            for _ in 0..2 {
                if text.byte(place)? != Some(b'=') {
                    break;
                }
                place += 1;
            }
        }
        Ok(place)
    }

    /// The ways in which the first bytes can be written without escapes.
    fn anchors(&self) -> Vec<Vec<u8>> {
        self.bytes.iter().take(ANCHOR).fold(vec![Vec::new()], |begun, want| {
            let written = (0..=u8::MAX).filter(|byte| self.alphabet.same(*byte, *want));
            written.flat_map(|byte| begun.iter().map(move |b| [b.as_slice(), &[byte]].concat())).collect()
        })
    }
}

impl Alphabet {
    /// Whether `byte` can stand for `want`.
    fn same(self, byte: u8, want: u8) -> bool {
        byte == want
            || match self {
                Self::Plain => (want, byte) == (b' ', b'+'),
                Self::Hex => byte.to_ascii_lowercase() == want,
                Self::Base64 { .. } => matches!((want, byte), (b'+', b'-') | (b'/', b'_')),
            }
    }
}

/// Where the character at `at` begins. A secret that is no UTF-8 can match from the middle of one on.
fn char_start(bytes: &[u8], at: usize, from: usize) -> usize {
    let first = at.saturating_sub(3).max(from);
    (first..=at).rev().find(|place| !is_continuation(bytes, *place)).unwrap_or(at)
}

/// Where the character ends that `at` cuts.
fn char_end(bytes: &[u8], at: usize) -> usize {
    (at..at + 3).find(|place| !is_continuation(bytes, *place)).unwrap_or(at + 3).min(bytes.len().max(at))
}

fn is_continuation(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|b| (0x80..0xc0).contains(b))
}

fn percent_at(text: &Text<'_>, at: usize) -> Look<Option<u8>> {
    let mut value = 0;
    for place in [at + 1, at + 2] {
        let Some(digit) = text.byte(place)?.and_then(|b| char::from(b).to_digit(16)) else { return Ok(None) };
        value = value << 4 | digit;
    }
    Ok(u8::try_from(value).ok())
}

fn hex(secret: &[u8]) -> Vec<u8> {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).map_or(b'0', |c| c as u8);
    secret.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The characters of base64 that the secret alone determines when `before` bytes stand in its first group before it.
fn base64(secret: &[u8], before: usize) -> Form {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (6 - before * 8 % 6) % 6;
    let mut bytes = Vec::with_capacity(secret.len() * 4 / 3 + 1);
    let (mut value, mut bits) = (0u32, 0usize);
    let mut to_skip = skipped;
    for byte in secret {
        value = value << 8 | u32::from(*byte);
        bits += 8;
        if to_skip > 0 {
            bits -= std::mem::take(&mut to_skip);
        }
        while bits >= 6 {
            bits -= 6;
            let six = (value >> bits) & 63;
            bytes.extend(usize::try_from(six).ok().and_then(|i| ALPHABET.get(i)));
        }
        value &= (1 << bits) - 1;
    }
    Form::new(bytes, Alphabet::Base64 { more: bits > 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"s3cr3t%/+? \"k\xc3\xa9y\\!";

    fn found(needles: &Needles, text: &str) -> Option<std::ops::Range<usize>> {
        let mut spans = Vec::new();
        needles.find(&Text::new(text.as_bytes(), true), 0, &mut spans);
        spans.iter().map(|s| s.start..s.end).max_by_key(ExactSizeIterator::len)
    }

    #[test]
    fn every_form_is_found_whole() {
        let needles = Needles::new(&[SECRET]).unwrap();
        for form in [
            "s3cr3t%/+? \"k\u{e9}y\\!",
            "s3cr3t%/+?+\"k\u{e9}y\\!",
            "s3cr3t%25%2F%2b%3F%20%22k%C3%A9y%5c!",
            "%733cr3t%/+? \"k\u{e9}y\\%21",
            "s3cr3t%\\/+? \\\"k\\u00e9y\\\\!",
            "s3cr3t%\\/\\u002b\\u003F\\u0020\\u0022k\u{e9}y\\u005c\\u0021",
        ] {
            let text = format!("[{form}]");
            assert_eq!(found(&needles, &text), Some(1..1 + form.len()), "{form}");
            assert_eq!(found(&needles, form.get(..form.len() - 1).unwrap()), None, "{form} cut short");
        }
    }

    #[test]
    fn hexadecimal_is_found_in_any_case() {
        let needles = Needles::new(&[b"\xab\xcd\xef12345"]).unwrap();
        for form in ["abcdef3132333435", "ABCDEF3132333435", "aBcDeF3132333435"] {
            assert_eq!(found(&needles, form), Some(0..16), "{form}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment_and_in_both_alphabets() {
        let needles = Needles::new(&[b"\xfb\xff\xbfsecret!"]).unwrap();
        for (form, hit) in [
            ("+/+/c2VjcmV0IQ==", 0..16),
            ("-_-_c2VjcmV0IQ==", 0..16),
            ("-_-_c2VjcmV0IQ", 0..14),
            ("Ovv/v3NlY3JldCE=", 2..16),
            ("dXNlcjr7_79zZWNyZXQh", 7..20),
            ("dXNlcjr7%2F79zZWNyZXQh", 7..22),
            ("dXNlcjr7\\/79zZWNyZXQh", 7..21),
        ] {
            assert_eq!(found(&needles, form), Some(hit), "{form}");
        }
    }

    #[test]
    fn lines_of_a_secret_are_found_by_themselves() {
        let needles =
            Needles::new(&[b"-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG\n-----END KEY-----"]).unwrap();
        assert_eq!(found(&needles, "x MIIBVgIBADANBgkqhkiG x"), Some(2..22));
        assert_eq!(found(&needles, "-----BEGIN KEY-----"), None);
    }

    #[test]
    fn secrets_that_cannot_be_searched_for_are_refused() {
        assert_eq!(Needles::new(&[b"1234567"]).err(), Some(BadNeedle::TooShort));
        assert_eq!(Needles::new(&[&[b'x'; MAX_SECRET + 1]]).err(), Some(BadNeedle::TooLong));
        assert!(Needles::new(&[]).unwrap().is_empty());
        assert!(Needles::none().is_empty());
    }
}
