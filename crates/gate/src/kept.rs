//! What is kept of a call is masked by every detector, also where policy shows the caller more.

use std::sync::Arc;

use mask::{Content, FieldRule, Masker, Needles, Plan};
use serde_json::Value;

/// Masks what goes into events, records and requests for a signature.
#[derive(Clone)]
pub(crate) struct Kept(Arc<Plan>);

impl Kept {
    /// By every detector, and these classified fields.
    pub(crate) fn new(fields: Vec<FieldRule>) -> Self {
        Self(Arc::new(Plan::new(mask::detectors().to_vec(), fields, Arc::new(Needles::none()))))
    }

    /// A text.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.mask_text(text).0.into_owned()
    }

    /// Every text in a value, names of members too; a number that is masked becomes null.
    pub(crate) fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(_) => {
                let text = value.to_string();
                if self.text(&text) == text { value.clone() } else { Value::Null }
            }
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, member)| (self.text(name), self.json(member))).collect()
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// The beginning of a body, as far as it can be searched; nothing of one that cannot.
    pub(crate) fn body(&self, content: Content, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(bytes.len());
        if content != Content::Opaque {
            let mut masker = Masker::new(Arc::clone(&self.0), content);
            // A beginning ends in the middle of something: what came out before that is masked.
            let _ = masker.push(bytes, &mut masked).and_then(|()| masker.finish(&mut masked));
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_beginning_of_a_document_is_kept_masked() {
        let kept = Kept::new(Vec::new());
        let cut = br#"{"mail":"zed@example.com","card":4111111111111111,"rest":"and so"#;
        let masked = String::from_utf8(kept.body(Content::Json, cut)).unwrap();
        assert!(masked.starts_with(r#"{"mail":"[email]","card":null,"#), "{masked}");
        assert!(kept.body(Content::Opaque, cut).is_empty());
    }

    #[test]
    fn names_and_numbers_of_a_value_are_masked_too() {
        let value = json!({ "zed@example.com": [4_111_111_111_111_111_u64, 7] });
        assert_eq!(Kept::new(Vec::new()).json(&value), json!({ "[email]": [null, 7] }));
    }
}
