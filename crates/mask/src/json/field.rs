//! What a field that a rule points at becomes.

use super::Feed;
use crate::detect::is_iban;
use crate::plan::count;
use crate::{Replace, placeholder};

/// The longest value of which four characters may be kept, in bytes.
pub(super) const MAX_LAST_FOUR: usize = 64;
/// A value that a field rule masks.
pub(super) enum Masked<'a> {
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// An array or object.
    Container,
    /// A string, if it is short enough that its end could be kept.
    String(Option<&'a str>),
}

/// Writes what stands for a field that a rule masks, and counts it.
pub(super) fn mask_field(feed: &mut Feed<'_>, rule: usize, value: Masked<'_>) {
    let Some(field) = feed.plan.fields.get(rule) else { return };
    count(feed.counts, &field.class);
    let placeholder = match (value, field.replace) {
        (Masked::Scalar, _) => {
            feed.out.extend_from_slice(b"null");
            return;
        }
        (Masked::String(Some(text)), Replace::KeepLastFour) => match last_four(text) {
            Some(four) => placeholder::last_four(&field.class, &four),
            None => placeholder::plain(&field.class),
        },
        (Masked::String(_) | Masked::Container, _) => placeholder::plain(&field.class),
    };
    feed.out.push(b'"');
    feed.out.extend_from_slice(placeholder.as_bytes());
    feed.out.push(b'"');
}

/// The last four characters of an IBAN or a number of at least twelve digits.
fn last_four(text: &str) -> Option<String> {
    const MIN_DIGITS: usize = 12;
    if text.len() > MAX_LAST_FOUR {
        return None;
    }
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
    let is_number = bare.len() >= MIN_DIGITS && bare.bytes().all(|b| b.is_ascii_digit());
    if is_number || is_iban(bare.as_bytes()) { bare.get(bare.len() - 4..).map(str::to_owned) } else { None }
}
