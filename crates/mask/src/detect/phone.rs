//! Telephone numbers.

use std::ops::Range;

use super::digits::{Separator, in_uuid, run_end, separator};
use super::{Detector, Look, Text, Trigger};

/// Finds telephone numbers that are written as such:
/// - international (E.164): `+` or, with separators, `00`, a country code and 8 to 15 digits in all;
/// - North American: `(415) 555-2671`, `415-555-2671`, `1.415.555.2671`, area and exchange beginning with 2 to 9;
/// - national with a trunk `0`: 10 or 11 digits in at least two groups of two or more with the same separator
///   (`020 7946 0958`, `(020) 7946 0958`, `01 23 45 67 89`), or 8 to 12 digits after an area code and a slash (`030/1234567`).
///
/// Digits in a row without a `+` are left: they are more often an id. A JSON number is never a telephone number.
pub(super) struct Phone;

impl Detector for Phone {
    fn class(&self) -> &'static str {
        "phone"
    }

    fn describe(&self) -> &'static str {
        "Telephone numbers with a `+`, and the common national forms that are written with separators."
    }

    fn trigger(&self) -> Trigger {
        Trigger::Digit
    }

    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
        let found = match written_international(text, at)? {
            Some(span) => Some(span),
            None => national(text, at)?,
        };
        match found {
            Some(span) if !in_uuid(text, &span)? => Ok(Some(span)),
            _ => Ok(None),
        }
    }

    /// A `+`, a `(` or both before the first digit.
    fn start(&self, text: &Text<'_>, at: usize) -> usize {
        if !matches!(text.before(at), Some(b'+' | b'(' | b' ')) {
            return at;
        }
        [&b"+ ("[..], b"+(", b"+ ", b"+", b"("].iter().find_map(|open| before(text, at, open)).unwrap_or(at)
    }
}

/// Where `open` begins if it stands right before `at`.
fn before(text: &Text<'_>, at: usize, open: &[u8]) -> Option<usize> {
    let from = at.checked_sub(open.len())?;
    (text.bytes().get(from..at)? == open).then_some(from)
}

/// A number that begins with `+`.
fn written_international(text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
    if !matches!(text.before(at), Some(b'+' | b'(' | b' ')) {
        return Ok(None);
    }
    let plus = [&b"+ ("[..], b"+(", b"+ ", b"+"].iter().find_map(|open| before(text, at, open));
    match plus.filter(|start| !text.word_before(*start)) {
        Some(start) => Ok(international(text, at, 8)?.map(|end| start..end)),
        None => Ok(None),
    }
}

/// A number in a national form, its area code in parentheses or not.
fn national(text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
    for (start, paren) in [(before(text, at, b"("), true), (Some(at), false)] {
        let Some(start) = start else { continue };
        if text.word_before(start) || text.digit_and_mark_before(start, b"-./+") {
            continue;
        }
        let end = match text.byte(at)? {
            Some(b'0') => trunk(text, at, paren)?,
            _ => north_american(text, at, paren)?,
        };
        if let Some(end) = end {
            return Ok(Some(start..end));
        }
    }
    Ok(None)
}

/// The end of a number's digits after its `+` or `00`: the longest that ends with a group and has `min` to 15 digits.
fn international(text: &Text<'_>, at: usize, min: usize) -> Look<Option<usize>> {
    const MAX: usize = 15;
    if text.byte(at)? == Some(b'0') {
        return Ok(None);
    }
    let mut digits = 0;
    let mut from = at;
    let mut longest = None;
    loop {
        let end = run_end(text, from, MAX)?;
        digits += end - from;
        if end == from || digits > MAX {
            return Ok(longest);
        }
        if digits >= min && !text.word_at(end)? {
            longest = Some(end);
        }
        let Some(next) = after_punctuation(text, end)? else { return Ok(longest) };
        from = next;
    }
}

/// The place of the digit that follows at most three separators and parentheses.
fn after_punctuation(text: &Text<'_>, at: usize) -> Look<Option<usize>> {
    let mut place = at;
    for _ in 0..3 {
        let len = match text.byte(place)? {
            Some(b'(' | b')') => 1,
            _ => match separator(text, place)? {
                Some((_, len)) => len,
                None => break,
            },
        };
        place += len;
    }
    Ok((place > at && text.byte(place)?.is_some_and(|b| b.is_ascii_digit())).then_some(place))
}

/// The end of `415-555-2671` in one of its forms; `paren` says that a `(` stands before it.
fn north_american(text: &Text<'_>, at: usize, paren: bool) -> Look<Option<usize>> {
    let mut area = at;
    let mut paren = paren;
    if !paren && text.byte(at)? == Some(b'1') {
        let Some((_, len)) = separator(text, at + 1)? else { return Ok(None) };
        area = at + 1 + len;
        if text.byte(area)? == Some(b'(') {
            paren = true;
            area += 1;
        }
    }
    if !starts_2_to_9(text, area)? || run_end(text, area, 3)? != area + 3 {
        return Ok(None);
    }
    let mut place = area + 3;
    let mut kind = None;
    if paren {
        if text.byte(place)? != Some(b')') {
            return Ok(None);
        }
        place += 1;
        if let Some((_, len)) = separator(text, place)? {
            place += len;
        }
    } else {
        let Some((first, len)) = separator(text, place)? else { return Ok(None) };
        kind = Some(first);
        place += len;
    }
    if !starts_2_to_9(text, place)? || run_end(text, place, 3)? != place + 3 {
        return Ok(None);
    }
    let Some((second, len)) = separator(text, place + 3)? else { return Ok(None) };
    // `415/555-2671` and `415 555-2671` are common; `415.555 2671` is not.
    let agree = kind.is_none_or(|k| k == second || (second == Separator::Dash && k != Separator::Dot));
    let last = place + 3 + len;
    if !agree || second == Separator::Slash || run_end(text, last, 4)? != last + 4 {
        return Ok(None);
    }
    let end = last + 4;
    Ok((!text.word_at(end)? && !text.mark_and_digit_at(end, b"-.")?).then_some(end))
}

fn starts_2_to_9(text: &Text<'_>, at: usize) -> Look<bool> {
    Ok(matches!(text.byte(at)?, Some(b'2'..=b'9')))
}

/// The end of a number that begins with `0`; `paren` says that a `(` stands before it.
fn trunk(text: &Text<'_>, at: usize, paren: bool) -> Look<Option<usize>> {
    if text.byte(at + 1)? == Some(b'0') {
        // `00` is international only where separators show that it is no zero-padded id.
        let end = run_end(text, at, 6)?;
        let written = !paren && end - at <= 6 && separator(text, end)?.is_some();
        return if written { international(text, at + 2, 9) } else { Ok(None) };
    }
    let mut digits = 0;
    let mut from = at;
    let mut kind = None;
    let mut enough = 10..=11;
    let mut longest = None;
    loop {
        let mut end = run_end(text, from, 12)?;
        let group = end - from;
        let is_area = from == at;
        digits += group;
        if group < 2 || digits > 12 {
            return Ok(longest);
        }
        if !is_area
            && enough.contains(&digits)
            && !text.word_at(end)?
            && !text.mark_and_digit_at(end, b":-./")?
        {
            longest = Some(end);
        }
        if is_area && paren {
            if text.byte(end)? != Some(b')') {
                return Ok(None);
            }
            end += 1;
        }
        match separator(text, end)? {
            Some((Separator::Slash, len)) if is_area && !paren && group >= 3 => {
                enough = 8..=12;
                end += len;
            }
            Some((Separator::Slash, _)) => return Ok(longest),
            Some((_, len)) if is_area && paren => end += len,
            Some((next, len)) if kind.is_none_or(|kind| kind == next) => {
                kind = Some(next);
                end += len;
            }
            None if is_area && paren => {}
            Some(_) | None => return Ok(longest),
        }
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hits, matches, misses};
    use super::*;

    #[test]
    fn numbers_are_found_in_international_and_national_forms() {
        hits(
            &Phone,
            &[
                "+14155552671",
                "+1 415 555 2671",
                "+1 (415) 555-2671",
                "+1.415.555.2671",
                "+49 30 1234567",
                "+49 (0)30 123456",
                "+44 20 7946 0958",
                "+33\u{a0}1\u{a0}23\u{a0}45\u{a0}67\u{a0}89",
                "0044 20 7946 0958",
                "(415) 555-2671",
                "(415)555-2671",
                "415-555-2671",
                "415.555.2671",
                "415 555 2671",
                "415 555-2671",
                "1-800-555-0199",
                "1 (415) 555-2671",
                "020 7946 0958",
                "07911 123456",
                "01 23 45 67 89",
                "03-1234-5678",
                "0412 345 678",
                "030/1234567",
                "030/123 456 78",
                "(020) 7946 0958",
                "(030)12345678",
            ],
        );
    }

    #[test]
    fn numbers_are_found_beside_other_text() {
        assert_eq!(matches(&Phone, "tel:+14155552671;ext=3"), ["+14155552671"]);
        assert_eq!(matches(&Phone, "call (415) 555-2671."), ["(415) 555-2671"]);
        assert_eq!(matches(&Phone, "(415-555-2671)"), ["415-555-2671"]);
        assert_eq!(matches(&Phone, "(020 7946 0958)"), ["020 7946 0958"]);
        assert_eq!(matches(&Phone, "+020 7946 0958"), ["020 7946 0958"]);
        assert_eq!(matches(&Phone, "+14155552671,+14155552672"), ["+14155552671", "+14155552672"]);
    }

    #[test]
    fn near_misses_pass() {
        misses(
            &Phone,
            &[
                "4155552671",
                "14155552671",
                "+0123456789",
                "+1234567",
                "+1234567890123456",
                "x+14155552671",
                "115-555-2671",
                "415-155-2671",
                "415-555-26711",
                "415-555-2671-1",
                "1-415-555-267",
                "2026-11-24",
                "01-02-2026",
                "01.02.2026 12:30",
                "01 02 2026 12:30",
                "0123456789",
                "0001 2345 678",
                "00000000012345",
                "415\n555\n2671",
                "0.1234567890",
                "1 2 3 4 5 6 7 8 9 10",
            ],
        );
    }
}
