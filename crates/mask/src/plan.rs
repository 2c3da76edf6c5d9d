//! What one decision demands of an answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detect::{Text, Trigger};
use crate::placeholder;
use crate::scan::{Class, Piece, Span, cut, scan};
use crate::view::unescaped_spans;
use crate::{CREDENTIAL, Detector, Needles, Pointer};

/// How many values were masked, by class; the injected credential counts as [`CREDENTIAL`].
pub type Counts = BTreeMap<String, u64>;

/// What a classified field becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replace {
    /// `[class]`.
    Redact,
    /// `[class *4242]` where the value is an IBAN or a number of at least twelve digits (spaces and dashes aside), written as
    /// a string; otherwise `[class]`.
    KeepLastFour,
}

/// One classified place of a JSON document, the whole value of which is masked: strings, arrays and objects become the
/// placeholder as a string; numbers, `true`, `false` and `null` become `null`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRule {
    /// Where.
    pub pointer: Pointer,
    /// The class, which names the placeholder and the count.
    pub class: String,
    /// What the value becomes.
    pub replace: Replace,
}

/// What one decision demands of an answer: made once, shared by reference.
pub struct Plan {
    pub(crate) detectors: Vec<&'static dyn Detector>,
    pub(crate) fields: Vec<FieldRule>,
    pub(crate) needles: Arc<Needles>,
    /// The detectors that an `@` triggers, by their index.
    pub(crate) at: Vec<usize>,
    /// The detectors that digits trigger, by their index.
    pub(crate) digit: Vec<usize>,
    /// The class of card numbers, if they are masked.
    pub(crate) card: Option<Class>,
    /// Name and placeholder of every class: the credential, then the detectors.
    classes: Vec<(&'static str, String)>,
}

impl Plan {
    /// A plan that masks what the detectors find, the fields that the rules point at, and the needles.
    #[must_use]
    pub fn new(detectors: Vec<&'static dyn Detector>, fields: Vec<FieldRule>, needles: Arc<Needles>) -> Self {
        let triggered = |by: Trigger| {
            let indices = detectors.iter().enumerate().filter(|(_, d)| d.trigger() == by);
            indices.map(|(index, _)| index).collect()
        };
        let names = [CREDENTIAL].into_iter().chain(detectors.iter().map(|d| d.class()));
        Self {
            at: triggered(Trigger::At),
            digit: triggered(Trigger::Digit),
            card: detectors.iter().position(|d| d.class() == "card").map(Class::detector),
            classes: names.map(|name| (name, placeholder::plain(name))).collect(),
            detectors,
            fields,
            needles,
        }
    }

    /// Masks one whole string: a header's value, a sentence, the head of a request. It is searched as it stands and with JSON
    /// escapes decoded. Field rules do not apply.
    #[must_use]
    pub fn mask_text<'a>(&self, text: &'a str) -> (Cow<'a, str>, Counts) {
        let mut counts = Counts::new();
        let mut spans = self.text_spans(text.as_bytes());
        if spans.is_empty() {
            return (Cow::Borrowed(text), counts);
        }
        let mut out = Vec::with_capacity(text.len());
        self.cut_text(text.as_bytes(), &mut spans, &mut counts, &mut out);
        (Cow::Owned(String::from_utf8_lossy(&out).into_owned()), counts)
    }

    /// Every match in a whole text, as it stands and with JSON escapes decoded.
    pub(crate) fn text_spans(&self, text: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        scan(self, &Text::new(text, true), 0, &mut spans);
        if memchr::memchr(b'\\', text).is_some() {
            spans.extend(unescaped_spans(self, text));
        }
        spans
    }

    /// The whole text without its matches.
    pub(crate) fn cut_text(&self, text: &[u8], spans: &mut [Span], counts: &mut Counts, out: &mut Vec<u8>) {
        cut(spans, 0, text.len(), &mut 0, |piece| match piece {
            Piece::Keep(from, to) => out.extend_from_slice(text.get(from..to).unwrap_or_default()),
            Piece::Mask(class) => self.mask(class, counts, out),
        });
    }

    /// Writes the placeholder of a class and counts it.
    pub(crate) fn mask(&self, class: Class, counts: &mut Counts, out: &mut Vec<u8>) {
        let Some((name, placeholder)) = self.classes.get(class.0) else { return };
        out.extend_from_slice(placeholder.as_bytes());
        count(counts, name);
    }

    /// Counts a masked value of a class.
    pub(crate) fn count(&self, class: Class, counts: &mut Counts) {
        if let Some((name, _)) = self.classes.get(class.0) {
            count(counts, name);
        }
    }

    /// Whether JSON numbers have to be looked at.
    pub(crate) fn reads_numbers(&self) -> bool {
        self.card.is_some() || self.needles.numeric
    }
}

/// Counts one more of a class.
pub(crate) fn count(counts: &mut Counts, class: &str) {
    match counts.get_mut(class) {
        Some(n) => *n += 1,
        None => {
            counts.insert(class.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors;

    fn plan() -> Plan {
        Plan::new(detectors().to_vec(), Vec::new(), Arc::new(Needles::new(&[b"hunter2hunter2"]).unwrap()))
    }

    #[test]
    fn a_text_without_a_match_is_not_copied() {
        let (text, counts) = plan().mask_text("nothing here, 42 times");
        assert!(matches!(text, Cow::Borrowed(_)));
        assert!(counts.is_empty());
    }

    #[test]
    fn every_class_is_masked_and_counted() {
        let (text, counts) = plan().mask_text(
            "a@b.com c\\u0040d.com 4111 1111 1111 1111, DE89370400440532013000, 123-45-6789, +14155552671, hunter2hunter2",
        );
        assert_eq!(text, "[email] [email] [card], [iban], [ssn], [phone], [credential]");
        let counted: Vec<_> = counts.iter().map(|(class, n)| (class.as_str(), *n)).collect();
        assert_eq!(
            counted,
            [("card", 1), ("credential", 1), ("email", 2), ("iban", 1), ("phone", 1), ("ssn", 1)]
        );
    }

    #[test]
    fn only_the_plans_detectors_are_asked() {
        let email = detectors().iter().copied().filter(|d| d.class() == "email").collect();
        let plan = Plan::new(email, Vec::new(), Arc::new(Needles::none()));
        assert_eq!(plan.mask_text("a@b.com +14155552671").0, "[email] +14155552671");
    }
}
