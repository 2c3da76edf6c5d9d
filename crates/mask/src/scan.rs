//! Finds what must be masked in a stretch of text, and how much of it is decided.
//!
//! The scanner looks for triggers (an `@`, the first digit of a run) and asks the plan's detectors at each; the needles are
//! searched beside them. Everything before the position that it returns is decided: no match that begins there is unknown.

use crate::Plan;
use crate::detect::Text;

/// A run of so many digits may be a whole number that somebody else gave a person.
const LONG: usize = 13;

/// What a match is masked as: the credential, or one of the plan's detectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class(pub(crate) usize);

impl Class {
    pub(crate) const CREDENTIAL: Self = Self(0);

    /// The class of the plan's detector at `index`.
    pub(crate) fn detector(index: usize) -> Self {
        Self(index + 1)
    }
}

/// One match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) class: Class,
}

/// A part of what comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Bytes that stay, from and to.
    Keep(usize, usize),
    /// A placeholder.
    Mask(Class),
}

/// Finds every match that begins at or after `from`; at least [`crate::detect::LOOK_BEHIND`] bytes before it are still there,
/// if there were as many. Returns up to where the text is decided; matches that begin beyond that will be found again.
pub(crate) fn scan(plan: &Plan, text: &Text<'_>, from: usize, spans: &mut Vec<Span>) -> usize {
    spans.clear();
    let mut hold = plan.needles.find(text, from, spans);
    detect(plan, text, from, spans, &mut hold);
    if !text.is_complete() {
        let end = text.bytes().len();
        for detector in &plan.detectors {
            hold = hold.min(detector.start(text, end));
        }
    }
    hold.max(from)
}

/// Asks the detectors at every trigger.
fn detect(plan: &Plan, text: &Text<'_>, from: usize, spans: &mut Vec<Span>, hold: &mut usize) {
    let bytes = text.bytes();
    if plan.detectors.is_empty() {
        return;
    }
    let mut ask = |index: usize, at: usize| {
        let Some(detector) = plan.detectors.get(index) else { return };
        match detector.find(text, at) {
            Ok(Some(found)) if found.end > from => {
                spans.push(Span {
                    start: found.start.max(from),
                    end: found.end,
                    class: Class::detector(index),
                });
            }
            Ok(_) => {}
            Err(_) => *hold = (*hold).min(detector.start(text, at)),
        }
    };
    let mut place = from;
    while let Some(at) = next_trigger(bytes, place) {
        place = at + 1;
        if bytes.get(at) == Some(&b'@') {
            plan.at.iter().for_each(|index| ask(*index, at));
            continue;
        }
        let before = text.before(at);
        while bytes.get(place).is_some_and(u8::is_ascii_digit) {
            place += 1;
        }
        if before.is_some_and(|b| b.is_ascii_digit()) {
            continue;
        }
        if matches!(before, Some(b'%' | b'u')) {
            plan.at.iter().for_each(|index| ask(*index, at));
        }
        if may_match(text, at, place) {
            plan.digit.iter().for_each(|index| ask(*index, at));
        }
    }
}

/// Whether the run of digits from `at` to `end` stands where [`crate::Trigger::Digit`] promises to ask. Most digits do not.
#[inline]
fn may_match(text: &Text<'_>, at: usize, end: usize) -> bool {
    let bytes = text.bytes();
    let opened = match text.before(at) {
        Some(b'+' | b'(') => true,
        Some(b' ') => text.before(at - 1) == Some(b'+'),
        Some(letter) if letter.is_ascii_alphabetic() => {
            text.before(at - 1).is_some_and(|b| b.is_ascii_alphabetic())
        }
        _ => false,
    };
    let goes_on = || match bytes.get(end) {
        None => !text.is_complete(),
        Some(b' ' | b'-' | b'.' | b'/') => match bytes.get(end + 1) {
            None => !text.is_complete(),
            Some(next) => next.is_ascii_digit() || *next == b'(',
        },
        Some(next) => *next == b')' || !next.is_ascii(),
    };
    opened || end - at >= LONG || bytes.get(at..end).is_some_and(|run| run.starts_with(b"00")) || goes_on()
}

/// Whether a byte makes the scanner ask.
#[inline]
pub(crate) fn is_trigger(byte: u8) -> bool {
    byte == b'@' || byte.is_ascii_digit()
}

/// The first trigger at or after `from`.
fn next_trigger(bytes: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    let mut place = from;
    // Whole blocks without a branch a byte, which compilers turn into vector instructions.
    while let Some(block) = bytes.get(place..place + BLOCK) {
        if block.iter().fold(false, |any, byte| any | is_trigger(*byte)) {
            break;
        }
        place += BLOCK;
    }
    bytes.get(place..)?.iter().position(|byte| is_trigger(*byte)).map(|i| place + i)
}

/// Cuts the matches out of the decided bytes from `from` to `to`. `masked_to` is where the last match ends, from one call to
/// the next: a match that begins before it is masked together with the one before.
pub(crate) fn cut(
    spans: &mut [Span],
    from: usize,
    to: usize,
    masked_to: &mut usize,
    mut piece: impl FnMut(Piece),
) {
    if spans.len() > 1 {
        spans.sort_by_key(|s| (s.start, s.class != Class::CREDENTIAL, std::cmp::Reverse(s.end), s.class));
    }
    for span in spans.iter().take_while(|s| s.start < to) {
        if span.start >= *masked_to {
            let kept = from.max(*masked_to);
            if kept < span.start {
                piece(Piece::Keep(kept, span.start));
            }
            piece(Piece::Mask(span.class));
        }
        *masked_to = span.end.max(*masked_to);
    }
    let kept = from.max(*masked_to);
    if kept < to {
        piece(Piece::Keep(kept, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(mut spans: Vec<Span>, from: usize, to: usize, mut masked_to: usize) -> (Vec<Piece>, usize) {
        let mut out = Vec::new();
        cut(&mut spans, from, to, &mut masked_to, |piece| out.push(piece));
        (out, masked_to)
    }

    fn span(start: usize, end: usize, class: usize) -> Span {
        Span { start, end, class: Class(class) }
    }

    #[test]
    fn overlapping_matches_are_masked_together_and_touching_ones_apart() {
        let (out, _) = pieces(vec![span(4, 8, 2), span(2, 5, 1), span(8, 9, 3)], 0, 10, 0);
        assert_eq!(
            out,
            [Piece::Keep(0, 2), Piece::Mask(Class(1)), Piece::Mask(Class(3)), Piece::Keep(9, 10)]
        );
    }

    #[test]
    fn a_match_that_reaches_beyond_what_is_decided_is_carried_on() {
        let (out, masked_to) = pieces(vec![span(2, 9, 1)], 0, 5, 0);
        assert_eq!((out.as_slice(), masked_to), (&[Piece::Keep(0, 2), Piece::Mask(Class(1))][..], 9));
        let (out, _) = pieces(vec![span(7, 12, 2)], 5, 14, masked_to);
        assert_eq!(out, [Piece::Keep(12, 14)]);
    }

    #[test]
    fn of_matches_that_begin_together_the_credential_names_the_placeholder_then_the_longest() {
        let (out, _) = pieces(vec![span(0, 9, 2), span(0, 4, 0), span(0, 12, 1)], 0, 12, 0);
        assert_eq!(out, [Piece::Mask(Class::CREDENTIAL)]);
        let (out, _) = pieces(vec![span(0, 9, 1), span(0, 12, 2)], 0, 12, 0);
        assert_eq!(out, [Piece::Mask(Class(2))]);
    }

    #[test]
    fn triggers_are_found_in_and_between_blocks() {
        for place in 0..100 {
            let mut text = vec![b'x'; 100];
            text[place] = b'7';
            assert_eq!(next_trigger(&text, 0), Some(place));
            assert_eq!(next_trigger(&text, place + 1), None);
        }
    }
}
