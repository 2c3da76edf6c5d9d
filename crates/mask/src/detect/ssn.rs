//! Social security numbers of the United States.

use std::ops::Range;

use super::digits::{Separator, run_end, separator};
use super::{Detector, Look, Text, Trigger};

/// Finds `123-45-6789`, with dashes, spaces or full stops, the same twice. Areas 000, 666 and 900 to 999, group 00 and serial
/// 0000 were never issued and pass. Nine digits in a row are left: they are more often an id than a number of this kind.
pub(super) struct Ssn;

impl Detector for Ssn {
    fn class(&self) -> &'static str {
        "ssn"
    }

    fn describe(&self) -> &'static str {
        "US social security numbers written in three groups, without the ranges that are never issued."
    }

    fn trigger(&self) -> Trigger {
        Trigger::Digit
    }

    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
        if text.word_before(at) || text.digit_and_mark_before(at, b"-./") || run_end(text, at, 3)? != at + 3 {
            return Ok(None);
        }
        let Some((first, len)) = separator(text, at + 3)? else { return Ok(None) };
        let group = at + 3 + len;
        if first == Separator::Slash || run_end(text, group, 2)? != group + 2 {
            return Ok(None);
        }
        let Some((second, len)) = separator(text, group + 2)? else { return Ok(None) };
        let serial = group + 2 + len;
        if second != first || run_end(text, serial, 4)? != serial + 4 {
            return Ok(None);
        }
        let end = serial + 4;
        if text.word_at(end)? || text.mark_and_digit_at(end, b"-./")? {
            return Ok(None);
        }
        let digits = |from: usize, to: usize| text.bytes().get(from..to).unwrap_or_default();
        let area = digits(at, at + 3);
        let issued = area != b"000"
            && area != b"666"
            && area.first() != Some(&b'9')
            && digits(group, group + 2) != b"00"
            && digits(serial, end) != b"0000";
        Ok(issued.then_some(at..end))
    }

    fn start(&self, _text: &Text<'_>, at: usize) -> usize {
        at
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hits, misses};
    use super::*;

    #[test]
    fn numbers_in_three_groups_are_found() {
        hits(
            &Ssn,
            &["123-45-6789", "123 45 6789", "123.45.6789", "899-99-9999", "123\u{2011}45\u{2011}6789"],
        );
    }

    #[test]
    fn near_misses_pass() {
        misses(
            &Ssn,
            &[
                "123456789",
                "000-45-6789",
                "666-45-6789",
                "900-45-6789",
                "123-00-6789",
                "123-45-0000",
                "123-45 6789",
                "123-45-67890",
                "1123-45-6789",
                "a123-45-6789",
                "123-45-6789b",
                "1-123-45-6789",
                "123-45-6789-1",
                "123/45/6789",
                "123-45-678",
            ],
        );
    }
}
