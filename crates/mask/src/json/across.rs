//! The credential across the structure of JSON: one that holds `"`, `,` or white space could be found in the raw bytes of a
//! document without being in any of its strings. Such an answer is withheld.

use super::{Reader, Token};
use crate::detect::Text;
use crate::scan::Span;
use crate::{Counts, Plan, Withheld};

/// Searches the raw bytes ahead of the reader, for plans whose needles need it.
#[derive(Default)]
pub(super) struct Across {
    held: Vec<u8>,
    spans: Vec<Span>,
}

impl Across {
    pub(super) fn push(
        &mut self,
        plan: &Plan,
        data: &[u8],
        reader: &mut Reader,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        self.held.extend_from_slice(data);
        self.pass(plan, false, reader, counts, out)
    }

    pub(super) fn finish(
        &mut self,
        plan: &Plan,
        reader: &mut Reader,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        self.pass(plan, true, reader, counts, out)
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn pass(
        &mut self,
        plan: &Plan,
        complete: bool,
        reader: &mut Reader,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        self.spans.clear();
        let text = Text::new(&self.held, complete);
        let decided = plan.needles.find(&text, 0, &mut self.spans);
        self.spans.retain(|s| s.start < decided);
        self.spans.sort_by_key(|s| s.start);
        let mut passed = 0;
        for span in &self.spans {
            if passed < span.start {
                reader.push(plan, self.held.get(passed..span.start).unwrap_or_default(), counts, out)?;
                passed = span.start;
            }
            // A hit within one string will be found again in its decoded value, unless a backslash of the secret itself is
            // there taken for an escape.
            let hit = self.held.get(passed..span.end).unwrap_or_default();
            if hit.contains(&b'\\') && plan.needles.is_secret(hit) {
                return Err(Withheld::Credential);
            }
            let before = out.len();
            let mut in_string = true;
            for c in std::str::from_utf8(hit).map_err(|_| Withheld::Credential)?.chars() {
                in_string &= matches!(reader.token, Token::String(_));
                let read = reader.push(plan, c.encode_utf8(&mut [0; 4]).as_bytes(), counts, out);
                // What is no JSON at all may still be searched as text, so that is said first.
                if !in_string {
                    out.truncate(before);
                }
                read?;
            }
            if !in_string {
                return Err(Withheld::Credential);
            }
            passed = passed.max(span.end);
        }
        if passed < decided {
            reader.push(plan, self.held.get(passed..decided).unwrap_or_default(), counts, out)?;
        }
        self.held.drain(..passed.max(decided));
        Ok(())
    }
}
