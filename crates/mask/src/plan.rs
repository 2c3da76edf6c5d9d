//! What one decision demands of an answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Detector, Needles, Pointer};

/// How many values were masked, by class; the injected credential counts as [`crate::CREDENTIAL`].
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
}

impl Plan {
    /// A plan that masks what the detectors find, the fields that the rules point at, and the needles.
    #[must_use]
    pub fn new(detectors: Vec<&'static dyn Detector>, fields: Vec<FieldRule>, needles: Arc<Needles>) -> Self {
        Self { detectors, fields, needles }
    }

    /// Masks one whole string: a header's value, a sentence, the head of a request. Field rules do not apply.
    #[must_use]
    pub fn mask_text<'a>(&self, text: &'a str) -> (Cow<'a, str>, Counts) {
        (Cow::Borrowed(text), Counts::new())
    }
}
