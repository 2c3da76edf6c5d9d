//! Digits in groups, as people write long numbers.

use std::ops::Range;

use super::{Look, Text};

/// What stands between two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// A space, or one of the spaces that do not break a line.
    Space,
    /// A hyphen or dash.
    Dash,
    /// A full stop.
    Dot,
    /// A slash.
    Slash,
}

/// The separator at `at` and its length in bytes.
#[inline]
pub(super) fn separator(text: &Text<'_>, at: usize) -> Look<Option<(Separator, usize)>> {
    use Separator::{Dash, Dot, Slash, Space};
    let ascii = match text.byte(at)? {
        Some(b' ') => Some(Space),
        Some(b'-') => Some(Dash),
        Some(b'.') => Some(Dot),
        Some(b'/') => Some(Slash),
        Some(0x80..) => {
            return Ok(match text.char_at(at)? {
                Some(('\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}', len)) => Some((Space, len)),
                Some(('\u{2010}'..='\u{2013}' | '\u{2212}', len)) => Some((Dash, len)),
                _ => None,
            });
        }
        _ => None,
    };
    Ok(ascii.map(|s| (s, 1)))
}

/// The end of the run of digits that begins at `at`, looked for no further than `limit` digits and one more.
#[inline]
pub(super) fn run_end(text: &Text<'_>, at: usize, limit: usize) -> Look<usize> {
    let mut end = at;
    while end - at <= limit && text.byte(end)?.is_some_and(|b| b.is_ascii_digit()) {
        end += 1;
    }
    Ok(end)
}

/// Whether digits from `start` to `end` are part of a UUID: nobody reads a number there.
pub(super) fn in_uuid(text: &Text<'_>, span: &Range<usize>) -> Look<bool> {
    const GROUPS: [usize; 5] = [0, 9, 14, 19, 24];
    for offset in GROUPS {
        let Some(start) = span.start.checked_sub(offset) else { continue };
        if is_uuid_at(text, start)? && span.end <= start + 36 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_uuid_at(text: &Text<'_>, start: usize) -> Look<bool> {
    if text.word_before(start) {
        return Ok(false);
    }
    for offset in 0..36 {
        let Some(byte) = text.byte(start + offset)? else { return Ok(false) };
        let fits = match offset {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(!text.word_at(start + 36)?)
}
