//! The bytes of a string that stand for themselves, eight at a time.
//!
//! A byte's high bit in a mask says whether the byte is meant. Each test is exact for every byte of the word: nothing is
//! carried from one byte to the next.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const LOW: u64 = !HIGH;

/// How many bytes stand for themselves before the first that does not (a quotation mark, a backslash, a control character),
/// and whether a trigger (an `@`, a digit) is among them.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> (usize, bool) {
    let mut triggers = 0;
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let specials = specials(word);
        if specials != 0 {
            // Only triggers before the first special byte count.
            let before = specials & specials.wrapping_neg();
            triggers |= triggers_in(word) & (before - 1);
            return (place * 8 + specials.trailing_zeros() as usize / 8, triggers != 0);
        }
        triggers |= triggers_in(word);
    }
    let mut triggered = triggers != 0;
    for (place, byte) in rest.iter().enumerate() {
        if is_special(*byte) {
            return (bytes.len() - rest.len() + place, triggered);
        }
        triggered |= crate::scan::is_trigger(*byte);
    }
    (bytes.len(), triggered)
}

/// Where the first byte is that does not stand for itself, or the length.
#[inline]
pub(super) fn special(bytes: &[u8]) -> usize {
    plain_length(bytes).0
}

fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[inline]
fn specials(word: u64) -> u64 {
    equal(word, b'"') | equal(word, b'\\') | (!at_least(word, b' ') & !word & HIGH)
}

#[inline]
fn triggers_in(word: u64) -> u64 {
    equal(word, b'@') | (at_least(word, b'0') & !at_least(word, b'9' + 1) & !word & HIGH)
}

/// The bytes that equal `byte`.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let differ = word ^ (ONES * u64::from(byte));
    !(((differ & LOW) + LOW) | differ) & HIGH
}

/// The bytes of which the low seven bits are at least `least`.
#[inline]
fn at_least(word: u64, least: u8) -> u64 {
    ((word & LOW) + ONES * u64::from(0x80 - least)) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_bytes_say() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut text = vec![b'x'; 20];
                text[place] = byte;
                let end = if is_special(byte) { place } else { 20 };
                assert_eq!(plain_length(&text), (end, crate::scan::is_trigger(byte)), "{byte:#x} at {place}");
                text[place] = b'"';
                assert_eq!(special(&text), place);
                for after in place + 1..20 {
                    text[after] = byte;
                    assert_eq!(plain_length(&text), (place, false), "{byte:#x} at {after} counts");
                    text[after] = b'x';
                }
            }
        }
    }
}
