//! Text with its JSON escapes decoded: what a reader would see who unescapes it.

use crate::Plan;
use crate::detect::Text;
use crate::escape::escape_at;
use crate::scan::{Span, scan};

/// The matches in a whole text with its JSON escapes decoded, as spans of the text as it stands.
pub(crate) fn unescaped_spans(plan: &Plan, text: &[u8]) -> Vec<Span> {
    let raw = Text::new(text, true);
    let mut decoded = Vec::with_capacity(text.len());
    // Where each decoded byte came from.
    let mut origin = Vec::with_capacity(text.len());
    let mut place = 0;
    while let Some(&byte) = text.get(place) {
        match escape_at(&raw, place) {
            Ok(Some((c, len))) if byte == b'\\' => {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    decoded.push(byte);
                    origin.push(place);
                }
                place += len;
            }
            _ => {
                decoded.push(byte);
                origin.push(place);
                place += 1;
            }
        }
    }
    let mut spans = Vec::new();
    scan(plan, &Text::new(&decoded, true), 0, &mut spans);
    let at = |place: usize| origin.get(place).copied().unwrap_or(text.len());
    spans.iter().map(|s| Span { start: at(s.start), end: at(s.end), class: s.class }).collect()
}
