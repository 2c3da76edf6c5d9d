//! International bank account numbers (ISO 13616): country, check digits modulo 97, the length of the country.

use std::ops::Range;

use super::digits::{Separator, separator};
use super::{Detector, Look, Text, Trigger};

/// Finds IBANs of every country in the registry, in either case, whole or with single spaces or dashes between characters.
pub(super) struct Iban;

impl Detector for Iban {
    fn class(&self) -> &'static str {
        "iban"
    }

    fn describe(&self) -> &'static str {
        "IBANs with their country's length and valid check digits, in either case, whole or in groups."
    }

    fn trigger(&self) -> Trigger {
        Trigger::Digit
    }

    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>> {
        if !text.before(at).is_some_and(|b| b.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let start = self.start(text, at);
        if start == at || text.word_before(start) {
            return Ok(None);
        }
        let (Some(first), Some(second)) = (text.byte(start)?, text.byte(start + 1)?) else { return Ok(None) };
        let Some(length) = length(first, second) else { return Ok(None) };
        let mut remainder = Remainder::default();
        let mut place = start;
        for count in 0..length {
            if count > 2
                && let Some((Separator::Space | Separator::Dash, len)) = separator(text, place)?
            {
                place += len;
            }
            let Some(byte) = text.byte(place)?.filter(u8::is_ascii_alphanumeric) else { return Ok(None) };
            if (2..4).contains(&count) && !byte.is_ascii_digit() {
                return Ok(None);
            }
            remainder.add(count, byte);
            place += 1;
        }
        Ok((!text.word_at(place)? && remainder.is_valid()).then_some(start..place))
    }

    /// The two letters of the country.
    fn start(&self, text: &Text<'_>, at: usize) -> usize {
        let letters = |n: usize| {
            let start = at.checked_sub(n)?;
            let bytes = text.bytes().get(start..at)?;
            bytes.iter().all(u8::is_ascii_alphabetic).then_some(start)
        };
        let open = at == text.bytes().len();
        letters(2).or_else(|| if open { letters(1) } else { None }).unwrap_or(at)
    }
}

/// The account modulo 97, with the first four characters moved to the end.
#[derive(Default)]
struct Remainder {
    rest: u32,
    head: [u8; 4],
}

impl Remainder {
    fn add(&mut self, count: usize, byte: u8) {
        match self.head.get_mut(count) {
            Some(slot) => *slot = byte,
            None => self.rest = step(self.rest, byte),
        }
    }

    fn is_valid(&self) -> bool {
        self.head.iter().fold(self.rest, |rest, byte| step(rest, *byte)) == 1
    }
}

fn step(rest: u32, byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter.to_ascii_uppercase() - b'A') + 10) % 97,
    }
}

/// Whether these letters and digits, without separators, are an IBAN.
pub(crate) fn is_iban(bytes: &[u8]) -> bool {
    let whole = Iban.find(&Text::new(bytes, true), 2);
    whole == Ok(Some(0..bytes.len()))
}

/// The length of a country's IBAN (SWIFT's registry, release 99).
fn length(first: u8, second: u8) -> Option<usize> {
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    LENGTHS.binary_search_by_key(&&country, |(c, _)| c).ok().and_then(|i| LENGTHS.get(i)).map(|(_, n)| *n)
}

const LENGTHS: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

#[cfg(test)]
mod tests {
    use super::super::fixtures::{hits, misses};
    use super::*;

    #[test]
    fn ibans_are_found_whole_and_in_groups_in_either_case() {
        hits(
            &Iban,
            &[
                "DE89370400440532013000",
                "DE89 3704 0044 0532 0130 00",
                "de89 3704 0044 0532 0130 00",
                "GB82 WEST 1234 5698 7654 32",
                "GB82WEST12345698765432",
                "FR14 2004 1010 0505 0001 3M02 606",
                "NL91-ABNA-0417-1643-00",
                "NO9386011117947",
                "MT84MALT011000012345MTLCAST001S",
                "LC55HEMM000100010012001200023015",
                "CH93\u{a0}0076\u{a0}2011\u{a0}6238\u{a0}5295\u{a0}7",
            ],
        );
    }

    #[test]
    fn near_misses_pass() {
        misses(
            &Iban,
            &[
                "DE88370400440532013000",
                "DE8937040044053201300",
                "DE893704004405320130001",
                "XDE89370400440532013000",
                "ZZ89370400440532013000",
                "DE89  3704 0044 0532 0130 00",
                "DE89\n3704 0044 0532 0130 00",
                "DEAD370400440532013000",
                "D 89370400440532013000",
            ],
        );
    }

    #[test]
    fn countries_are_in_order() {
        assert!(LENGTHS.is_sorted_by_key(|(country, _)| *country));
    }
}
