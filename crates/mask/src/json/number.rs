//! JSON numbers: their grammar (RFC 8259, section 6), and whether their value is a card's number.

use crate::detect::is_card_number;

/// The longest number that is looked at, in bytes; a longer one is masked unseen where numbers are searched.
pub(super) const MAX_NUMBER: usize = 256;

/// The grammar, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Number {
    #[default]
    Start,
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Number {
    /// The state after `byte`, or `None` when it is no part of the number.
    pub(super) fn push(self, byte: u8) -> Option<Self> {
        use Number::{Exponent, Fraction, Integer, Minus, Point, Power, Sign, Start, Zero};
        Some(match (self, byte) {
            (Start, b'-') => Minus,
            (Start | Minus, b'0') => Zero,
            (Start | Minus, b'1'..=b'9') | (Integer, b'0'..=b'9') => Integer,
            (Zero | Integer, b'.') => Point,
            (Point | Fraction, b'0'..=b'9') => Fraction,
            (Zero | Integer | Fraction, b'e' | b'E') => Exponent,
            (Exponent, b'+' | b'-') => Sign,
            (Exponent | Sign | Power, b'0'..=b'9') => Power,
            _ => return None,
        })
    }

    /// Whether the number may end here.
    pub(super) fn is_complete(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }
}

/// Whether the value of a number, as one reader or another takes it, is a card's number: exactly, or rounded to a binary
/// double. The sign does not count.
pub(super) fn is_card(number: &[u8]) -> bool {
    // Twelve digits without an exponent are too few for any card.
    if number.len() < 13 && !number.iter().any(|b| matches!(b, b'e' | b'E')) {
        return false;
    }
    integer(number).is_some_and(|digits| is_card_number(&digits))
        || rounded(number).is_some_and(|digits| is_card_number(&digits))
}

/// The digits of a number that is an integer of at most 19 digits, exactly.
pub(super) fn integer(number: &[u8]) -> Option<Vec<u8>> {
    const MAX_DIGITS: i64 = 19;
    let text = number.strip_prefix(b"-").unwrap_or(number);
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (text.get(..at)?, std::str::from_utf8(text.get(at + 1..)?).ok()?.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let point = mantissa.iter().position(|b| *b == b'.');
    let mut digits: Vec<u8> = mantissa.iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
    let fraction = point.map_or(0, |at| mantissa.len() - at - 1);
    // The value is `digits` times ten to the power of `shift`.
    let mut shift = exponent.checked_sub(i64::try_from(fraction).ok()?)?;
    while digits.last() == Some(&0) {
        digits.pop();
        shift = shift.checked_add(1)?;
    }
    let first = digits.iter().position(|d| *d != 0)?;
    digits.drain(..first);
    let length = i64::try_from(digits.len()).ok()?.checked_add(shift)?;
    if shift < 0 || length > MAX_DIGITS {
        return None;
    }
    digits.resize(usize::try_from(length).ok()?, 0);
    Some(digits)
}

/// The digits of a number that a reader of doubles takes for an integer which doubles hold exactly.
fn rounded(number: &[u8]) -> Option<Vec<u8>> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = std::str::from_utf8(number).ok()?.parse::<f64>().ok()?.abs();
    if !(1e12..=EXACT).contains(&value) || value.fract() != 0.0 {
        return None;
    }
    Some(format!("{value:.0}").bytes().map(|b| b - b'0').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_however_its_number_is_written() {
        for number in [
            "4111111111111111",
            "-4111111111111111",
            "4111111111111111.0",
            "4.111111111111111e15",
            "4.111111111111111E+15",
            "41111111111111110e-1",
            "0.0004111111111111111e19",
            "411111111111111100000000000000e-14",
            "4111111111111111.00000000000000001",
            "5555555555554444000000000000000000000000000000e-30",
        ] {
            assert!(is_card(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn other_numbers_pass() {
        for number in [
            "0",
            "-1.5e3",
            "4111111111111112",
            "4111111111111111.5",
            "41111111111111111",
            "1700000000000",
            "1e400",
            "0e99999999999999999999",
            "1e99999999999999999999",
            "0.4111111111111111",
            "4111111111111111e1000",
            "123456789012",
            "1E9223372036854775807",
            "1E-9223372036854775808",
        ] {
            assert!(!is_card(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn the_grammar_takes_what_json_allows_and_no_more() {
        let reads =
            |text: &str| text.bytes().try_fold(Number::Start, Number::push).is_some_and(Number::is_complete);
        for text in ["0", "-0", "10", "1.5", "1e5", "1E+5", "-1.05e-07"] {
            assert!(reads(text), "{text}");
        }
        for text in ["", "-", "01", "+1", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "1-", "--1"] {
            assert!(!reads(text), "{text}");
        }
    }
}
