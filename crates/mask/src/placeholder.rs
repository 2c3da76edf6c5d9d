//! What stands where something was masked.

use crate::detect::detectors;

/// The class under which the injected credential is masked and counted.
pub const CREDENTIAL: &str = "credential";

/// `[class]`. Characters that would need an escape anywhere become `_`.
pub(crate) fn plain(class: &str) -> String {
    format!("[{}]", clean(class))
}

/// `[class *4242]`.
pub(crate) fn last_four(class: &str, four: &str) -> String {
    format!("[{} *{four}]", clean(class))
}

fn clean(class: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    class.chars().map(|c| if fits(&c) { c } else { '_' }).collect()
}

/// Whether `text` holds the placeholder of a detector, of the credential or of one of `classes` (those that the target's
/// field rules name): `[class]` or `[class *4242]`.
#[must_use]
pub fn contains_placeholder<'a>(text: &str, classes: impl IntoIterator<Item = &'a str>) -> bool {
    let known = detectors().iter().map(|d| d.class()).chain([CREDENTIAL]).chain(classes);
    known.into_iter().any(|class| {
        let open = format!("[{}", clean(class));
        text.match_indices(&open).any(|(at, _)| {
            let rest = text.get(at + open.len()..).unwrap_or_default();
            rest.starts_with(']') || ends_in_four(rest)
        })
    })
}

/// Whether ` *`, four letters or digits and `]` come next.
fn ends_in_four(rest: &str) -> bool {
    let Some((four, _)) = rest.strip_prefix(" *").and_then(|r| r.split_once(']')) else { return false };
    four.len() == 4 && four.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_recognised_and_other_brackets_are_not() {
        for text in
            ["[email]", "to [card] and", "[card *4242]", "[[credential]]", "[[iban *3000]", "[salary]"]
        {
            assert!(contains_placeholder(text, ["salary"]), "{text}");
        }
        for text in ["[emails]", "[card *424]", "[card 4242]", "email]", "[EMAIL]", "[card *4242", ""] {
            assert!(!contains_placeholder(text, ["salary"]), "{text}");
        }
    }

    #[test]
    fn a_placeholder_never_needs_an_escape() {
        assert_eq!(plain("a\"b\\c]d\u{e9}"), "[a_b_c_d_]");
    }
}
