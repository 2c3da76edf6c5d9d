//! Detectors: what a value must look like to be masked. One file each, and one line in the registry.
//!
//! A detector is asked at a trigger (an `@`, the first digit of a run) and answers with the bytes of its match, nothing, or
//! that it cannot know yet. It looks at most [`LOOK_BEHIND`] bytes back and a bounded number of bytes ahead, so that the
//! scanner's window stays small. Detectors know nothing of each other: where two match, both matches are masked.

mod card;
mod digits;
mod email;
mod iban;
mod phone;
mod ssn;
mod text;

use std::ops::Range;

pub(crate) use card::is_card_number;
pub(crate) use iban::is_iban;
pub use text::{Look, Text, Unknown};

/// How far back a detector may look from its trigger, in bytes.
pub(crate) const LOOK_BEHIND: usize = 96;

static DETECTORS: [&dyn Detector; 5] = [&email::Email, &card::Card, &iban::Iban, &ssn::Ssn, &phone::Phone];

/// Every detector, in the order in which classes are listed.
#[must_use]
pub fn detectors() -> &'static [&'static dyn Detector] {
    &DETECTORS
}

/// What makes the scanner ask a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// An `@`, and the first digit of a run that may spell one (`%40`, `\u0040`).
    At,
    /// The first digit of a run that has at least 13 digits, begins with `00`, stands after two letters, `+` or `(`, or goes on
    /// after it with a separator and another digit or `(`, with `)`, or with a character beyond ASCII. Other digits are not
    /// asked about: they are most of the digits that there are.
    Digit,
}

/// Recognises one kind of personal data.
pub trait Detector: Send + Sync {
    /// The field class that it finds: `email`.
    fn class(&self) -> &'static str;

    /// What it finds and what it leaves, in one sentence for the documentation.
    fn describe(&self) -> &'static str;

    /// What makes the scanner ask.
    fn trigger(&self) -> Trigger;

    /// The match, if any, that the trigger at `at` is part of. It begins at or after [`Detector::start`] of `at`.
    ///
    /// # Errors
    /// [`Unknown`] when the text so far does not decide it.
    fn find(&self, text: &Text<'_>, at: usize) -> Look<Option<Range<usize>>>;

    /// The first byte that a match triggered at `at` could begin with. `at` may be the end of the text so far: then it says
    /// what a trigger that has not come yet could still claim.
    fn start(&self, text: &Text<'_>, at: usize) -> usize;
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;

    /// Every non-overlapping match of a detector in a whole text, in order.
    pub(crate) fn matches<'a>(detector: &dyn Detector, text: &'a str) -> Vec<&'a str> {
        let view = Text::new(text.as_bytes(), true);
        let mut found: Vec<Range<usize>> = Vec::new();
        for at in 0..text.len() {
            let byte = text.as_bytes()[at];
            let first_digit = byte.is_ascii_digit() && (at == 0 || !text.as_bytes()[at - 1].is_ascii_digit());
            if !(first_digit || (byte == b'@' && detector.trigger() == Trigger::At)) {
                continue;
            }
            if let Ok(Some(range)) = detector.find(&view, at) {
                assert!(range.start >= detector.start(&view, at), "{text}: a match before its start");
                if found.last().is_none_or(|last| last.end <= range.start) {
                    found.push(range);
                }
            }
        }
        found.into_iter().map(|r| &text[r]).collect()
    }

    /// Asserts that the whole of each text is one match.
    pub(crate) fn hits(detector: &dyn Detector, texts: &[&str]) {
        for text in texts {
            assert_eq!(matches(detector, text), [*text], "{} misses `{text}`", detector.class());
            let within = format!("x: {text}, y");
            assert_eq!(matches(detector, &within), [*text], "{} misses it in `{within}`", detector.class());
        }
    }

    /// Asserts that nothing in each text matches.
    pub(crate) fn misses(detector: &dyn Detector, texts: &[&str]) {
        for text in texts {
            assert_eq!(matches(detector, text), [""; 0], "{} takes `{text}`", detector.class());
        }
    }

    /// What looks like personal data and is none.
    pub(crate) const INNOCENT: &[&str] = &[
        "1700000000",
        "1700000000000",
        "1700000000000000",
        "1700000000000000000",
        "2026-11-24T15:25:48.123456Z",
        "2026-11-24 15:25:48 +0000",
        "2026-11-24T15:25:48+01:00",
        "24.11.2026 15:25",
        "01/02/2026",
        "550e8400-e29b-41d4-a716-446655440000",
        "41111111-1111-1111-1111-111111111111",
        "ISBN 978-3-16-148410-0",
        "ISBN 0-306-40615-2",
        "0b8b2c0d9e1f4a5b6c7d8e9f0a1b2c3d4e5f6071",
        "d41d8cd98f00b204e9800998ecf8427e",
        "192.168.100.200",
        "10.0.0.1:8080",
        "2001:db8::8a2e:370:7334",
        "v1.22.333-rc.4",
        "order 100023",
        "PO-2026-000123",
        "3.141592653589793",
        "0.4111111111111111",
        "1,234,567.89",
        "52.520008, 13.404954",
        "page 12 of 345",
        "SHA-256",
        "user at example dot com",
        "@decorator",
        "a @ b",
        "x@y",
        "1-2-3-4-5-6-7-8-9-10-11-12",
    ];

    #[test]
    fn nothing_takes_what_is_no_personal_data() {
        for detector in detectors() {
            misses(*detector, INNOCENT);
        }
    }

    #[test]
    fn every_detector_says_what_it_finds_and_has_a_class_of_its_own() {
        let mut classes: Vec<_> = detectors().iter().map(|d| d.class()).collect();
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes.len(), detectors().len());
        assert!(detectors().iter().all(|d| d.describe().ends_with('.')));
    }
}
