//! E-mail addresses.

use std::ops::Range;

use super::{Detector, Look, Text, Trigger};

/// Finds e-mail addresses: a subset of RFC 5321 and RFC 6531.
///
/// The local part is the run of letters and digits of any script, `.` and the other characters that RFC 5322 allows in an
/// atom, at most [`MAX_LOCAL`] bytes back from the `@`, without punctuation at its beginning; dots may stand anywhere in it.
/// The domain is at least two labels of letters and digits of any script, `-` and `_`, at most [`MAX_DOMAIN`] bytes, the last
/// one of at least two characters and not only of digits. `%40` and `\u0040` are read as `@`. Quoted local parts, comments
/// and address literals (`user@[192.0.2.1]`) are left.
pub(super) struct Email;

/// The longest local part (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest domain (RFC 5321, section 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;

impl Detector for Email {
    fn class(&self) -> &'static str {
        "email"
    }

    fn describe(&self) -> &'static str {
        "E-mail addresses with letters of any script and a domain of at least two labels; `%40` counts as `@`."
    }

    fn trigger(&self) -> Trigger {
        Trigger::At
    }

    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
        let Some(sign) = at_sign(text, at)? else { return Ok(None) };
        let local = trimmed(text, local_start(text, sign.start), sign.start);
        if local == sign.start {
            return Ok(None);
        }
        Ok(domain_end(text, sign.end)?.map(|end| local..end))
    }

    fn start(&self, text: &Text<'_>, at: usize) -> usize {
        let sign = match text.bytes().get(at) {
            Some(b'@') => at,
            // At the end a backslash may begin an escape whose digits have not come yet.
            None if text.before(at) == Some(b'\\') => at - 1,
            Some(_) | None => escape_start(text, at).unwrap_or(at),
        };
        local_start(text, sign)
    }
}

/// The bytes of the `@` that the trigger at `at` is part of.
fn at_sign(text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
    if text.byte(at)? == Some(b'@') {
        return Ok(Some(at..at + 1));
    }
    let Some(start) = escape_start(text, at) else { return Ok(None) };
    let digits: &[u8] = if start + 1 == at { b"40" } else { b"0040" };
    for (place, digit) in digits.iter().enumerate() {
        if text.byte(at + place)? != Some(*digit) {
            return Ok(None);
        }
    }
    Ok(Some(start..at + digits.len()))
}

/// Where the escape begins whose first digit is at `at`.
fn escape_start(text: &Text<'_>, at: usize) -> Option<usize> {
    match text.before(at)? {
        b'%' => Some(at - 1),
        b'u' if text.before(at - 1) == Some(b'\\') => Some(at - 2),
        _ => None,
    }
}

/// The beginning of the run of local characters that ends at `end`.
fn local_start(text: &Text<'_>, end: usize) -> usize {
    let mut start = end;
    while let Some((c, len)) = text.char_before(start) {
        if !is_local(c) || end - start + len > MAX_LOCAL {
            break;
        }
        start -= len;
    }
    start
}

/// `start` moved over leading punctuation.
fn trimmed(text: &Text<'_>, mut start: usize, end: usize) -> usize {
    while start < end {
        match text.char_at(start) {
            Ok(Some((c, len))) if !(c.is_alphanumeric() || c == '_') => start += len,
            _ => break,
        }
    }
    start.min(end)
}

fn is_local(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => true,
        c if c.is_ascii() => b"!#$%&'*+-/=?^_`{|}~".contains(&(c as u8)),
        c => c.is_alphanumeric(),
    }
}

/// The end of the domain that begins at `start`, or `None` when none does.
fn domain_end(text: &Text<'_>, start: usize) -> Look<Option<usize>> {
    let mut end = None;
    let mut label = Label::default();
    let mut labels = 0;
    let mut place = start;
    loop {
        let next = if place - start < MAX_DOMAIN { text.char_at(place)? } else { None };
        match next {
            Some((c, len)) if is_domain(c) => {
                label.add(c, place + len);
                place += len;
            }
            next => {
                if label.end.is_some() {
                    labels += 1;
                    // Labels that cannot be the last one are kept only when another one follows.
                    if labels > 1 && label.may_be_last() {
                        end = label.end;
                    }
                }
                match next {
                    Some(('.', 1)) if label.end.is_some() => {
                        label = Label::default();
                        place += 1;
                    }
                    _ => return Ok(end),
                }
            }
        }
    }
}

#[derive(Default)]
struct Label {
    /// The end of its last letter or digit.
    end: Option<usize>,
    chars: usize,
    letters: bool,
}

impl Label {
    fn add(&mut self, c: char, end: usize) {
        self.chars += 1;
        if c.is_alphanumeric() {
            self.end = Some(end);
            self.letters |= !c.is_ascii_digit();
        }
    }

    fn may_be_last(&self) -> bool {
        self.chars >= 2 && self.letters
    }
}

fn is_domain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (!c.is_ascii() && c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hits, matches, misses};
    use super::*;

    #[test]
    fn addresses_are_found() {
        hits(
            &Email,
            &[
                "alice@example.com",
                "alice.b+tag@mail.example.co.uk",
                "a@b.de",
                "o'neil_1@sub-domain.example.org",
                "alice=example.com@lists.example.net",
                "jürgen@müller.example",
                "用户@例子.公司",
                "user@xn--mller-kva.example",
                "a..b@example.com",
                "alice%40example.com",
                "alice\\u0040example.com",
                "4111111111111111@example.com",
                "user@123.example",
            ],
        );
    }

    #[test]
    fn what_stands_around_an_address_stays() {
        assert_eq!(matches(&Email, "<mailto:alice@example.com>."), ["alice@example.com"]);
        assert_eq!(matches(&Email, "'alice@example.com'"), ["alice@example.com"]);
        assert_eq!(matches(&Email, "“alice@example.com”"), ["alice@example.com"]);
        assert_eq!(matches(&Email, "{alice@example.com}"), ["alice@example.com"]);
        assert_eq!(matches(&Email, "alice@example.com-"), ["alice@example.com"]);
        assert_eq!(matches(&Email, "alice@example.com.12 "), ["alice@example.com"]);
        assert_eq!(matches(&Email, "a@b.com,c@d.com"), ["a@b.com", "c@d.com"]);
    }

    #[test]
    fn near_misses_pass() {
        misses(
            &Email,
            &[
                "alice@localhost",
                "alice@",
                "@example.com",
                "alice@example.c",
                "alice@1.22",
                "alice@.com",
                "alice @example.com",
                "alice@ex\nample.com",
                "alice@example..com",
                "git@github",
                "alice%41example.com",
                "++@example.com",
            ],
        );
    }

    #[test]
    fn a_long_local_part_is_masked_as_far_back_as_one_can_be() {
        let text = format!("{}@example.com", "a".repeat(100));
        assert_eq!(matches(&Email, &text), [&text[36..]]);
    }
}
