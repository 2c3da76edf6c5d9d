//! Payment card numbers: 13 to 19 digits with a valid check digit (Luhn, ISO/IEC 7812-1).

use std::ops::Range;

use super::digits::{Separator, in_uuid, run_end, separator};
use super::{Detector, Look, Text, Trigger};

/// Finds payment card numbers.
///
/// In one run of digits, or in groups of at least three (the last may be shorter) with single spaces or dashes between them.
/// The first digit is 2 to 6, those of the payment networks; 15 digits may begin with 1 (UATP), 16 to 19 with 81, 82 or 9792.
/// So Unix timestamps in any unit, ISBNs and most counters pass. It is no part of a longer run of digits, of a word, of a
/// decimal fraction (`0.4111…`) or of a UUID.
pub(super) struct Card;

const MIN: usize = 13;
const MAX: usize = 19;

impl Detector for Card {
    fn class(&self) -> &'static str {
        "card"
    }

    fn describe(&self) -> &'static str {
        "Payment card numbers of 13 to 19 digits with a valid check digit, whole or in groups; also as JSON numbers."
    }

    fn trigger(&self) -> Trigger {
        Trigger::Digit
    }

    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
        if text.word_before(at) || text.digit_and_mark_before(at, b".") {
            return Ok(None);
        }
        let mut digits = [0u8; MAX];
        let mut count = 0;
        let mut longest = None;
        let mut from = at;
        loop {
            let end = run_end(text, from, MAX - count)?;
            let group = end - from;
            let Some(slots) = digits.get_mut(count..count + group) else { break };
            if group == 0 {
                break;
            }
            for (slot, byte) in slots.iter_mut().zip(text.bytes().get(from..end).unwrap_or_default()) {
                *slot = byte - b'0';
            }
            count += group;
            if !text.word_at(end)? && digits.get(..count).is_some_and(is_card_number) {
                longest = Some(at..end);
            }
            if group < 3 {
                break;
            }
            match separator(text, end)? {
                Some((Separator::Space | Separator::Dash, len)) => from = end + len,
                _ => break,
            }
        }
        match longest {
            Some(span) if !in_uuid(text, &span)? => Ok(Some(span)),
            _ => Ok(None),
        }
    }

    fn start(&self, _text: &Text<'_>, at: usize) -> usize {
        at
    }
}

/// Whether these digits (values, not characters) are a card's number.
pub(crate) fn is_card_number(digits: &[u8]) -> bool {
    if !(MIN..=MAX).contains(&digits.len()) {
        return false;
    }
    let network = match digits {
        [2..=6, ..] => true,
        [1, ..] => digits.len() == 15,
        [8, 1 | 2, ..] | [9, 7, 9, 2, ..] => digits.len() >= 16,
        _ => false,
    };
    network && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hits, matches, misses};
    use super::*;

    #[test]
    fn cards_of_every_network_are_found_whole_and_in_groups() {
        hits(
            &Card,
            &[
                "4111111111111111",
                "4111 1111 1111 1111",
                "4111-1111-1111-1111",
                "4111\u{a0}1111\u{202f}1111\u{2011}1111",
                "4222222222222",
                "5555555555554444",
                "2223003122003222",
                "378282246310005",
                "3782 822463 10005",
                "30569309025904",
                "3056 930902 5904",
                "6011111111111117",
                "3530111333300000",
                "6200000000000005",
                "6759649826438453",
                "4000002500001001000",
            ],
        );
    }

    #[test]
    fn a_card_is_found_beside_other_numbers_and_letters_of_other_scripts() {
        assert_eq!(matches(&Card, "42 4111 1111 1111 1111 2027"), ["4111 1111 1111 1111"]);
        assert_eq!(matches(&Card, "卡号4111111111111111是"), ["4111111111111111"]);
        assert_eq!(matches(&Card, "card=4111111111111111;"), ["4111111111111111"]);
        assert_eq!(matches(&Card, "4111111111111111.50"), ["4111111111111111"]);
        assert_eq!(matches(&Card, "4111111111111111@x.com"), ["4111111111111111"]);
    }

    #[test]
    fn near_misses_pass() {
        misses(
            &Card,
            &[
                "4111111111111112",
                "41111111111111111111",
                "041111111111111111110",
                "a4111111111111111",
                "4111111111111111b",
                "4111  1111  1111  1111",
                "4111_1111_1111_1111",
                "4111\n1111\n1111\n1111",
                "1111111111111117",
                "9111111111111119",
                "41 11 11 11 11 11 11 11",
                "1.4111111111111111",
            ],
        );
    }

    #[test]
    fn an_open_end_is_not_decided() {
        for text in ["4111", "4111111111111111", "4111 1111 1111 1111", "4111111111111111 "] {
            assert!(Card.find(&Text::new(text.as_bytes(), false), 0).is_err(), "{text}");
        }
        assert_eq!(Card.find(&Text::new(b"4111111111111111,", false), 0), Ok(Some(0..16)));
    }
}
