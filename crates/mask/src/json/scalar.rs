//! Numbers, `true`, `false` and `null`: held back only where they may have to be masked.

use super::field::{Masked, mask_field};
use super::number::{MAX_NUMBER, Number, integer, is_card};
use super::{Feed, Reader, Token};
use crate::detect::Text;
use crate::scan::Class;
use crate::{Plan, Withheld};

impl Reader {
    /// Goes on with a number.
    pub(super) fn number(
        &mut self,
        feed: &mut Feed<'_>,
        at: usize,
        state: Number,
        rule: Option<usize>,
    ) -> Result<usize, Withheld> {
        let mut state = state;
        let mut end = at;
        while let Some(next) = feed.data.get(end).and_then(|b| state.push(*b)) {
            state = next;
            end += 1;
        }
        let ends_here = end < feed.data.len();
        let held = self.muted.is_none() && (rule.is_some() || feed.plan.reads_numbers());
        if held && ends_here && self.number.is_empty() {
            // The whole number lies before us.
            let text = feed.data.get(at..end).unwrap_or_default();
            if rule.is_some() || self.number_class(feed.plan, text).is_some() {
                feed.release(at);
                self.number.extend(text.iter().take(MAX_NUMBER + 1));
                feed.skip(end);
            }
        } else if held {
            if self.number.is_empty() {
                feed.release(at);
            }
            let room = (MAX_NUMBER + 1).saturating_sub(self.number.len());
            self.number.extend(feed.data.get(at..end).unwrap_or_default().iter().take(room));
            feed.skip(end);
        }
        self.token = Token::Number { state, rule };
        if ends_here {
            self.end_number(feed, end, state, rule)?;
        }
        Ok(end)
    }

    pub(super) fn end_number(
        &mut self,
        feed: &mut Feed<'_>,
        at: usize,
        state: Number,
        rule: Option<usize>,
    ) -> Result<(), Withheld> {
        if !state.is_complete() {
            return Err(self.fail(at, "a number is not written as JSON writes numbers"));
        }
        let number = std::mem::take(&mut self.number);
        if !number.is_empty() {
            match (rule, self.number_class(feed.plan, &number)) {
                (Some(rule), _) => mask_field(feed, rule, Masked::Scalar),
                (None, Some(class)) => {
                    feed.out.extend_from_slice(b"null");
                    feed.plan.count(class, feed.counts);
                }
                (None, None) => feed.out.extend_from_slice(&number),
            }
        }
        self.end_value();
        Ok(())
    }

    /// What a number must be masked as.
    fn number_class(&mut self, plan: &Plan, number: &[u8]) -> Option<Class> {
        if number.len() > MAX_NUMBER {
            return plan.card.or(Some(Class::CREDENTIAL));
        }
        if plan.needles.numeric {
            let digits: Vec<u8> = integer(number).unwrap_or_default().iter().map(|d| d + b'0').collect();
            for text in [number, &digits] {
                self.spans.clear();
                plan.needles.find(&Text::new(text, true), 0, &mut self.spans);
                if !self.spans.is_empty() {
                    return Some(Class::CREDENTIAL);
                }
            }
        }
        plan.card.filter(|_| is_card(number))
    }

    /// Goes on with `true`, `false` or `null`.
    pub(super) fn literal(
        &mut self,
        feed: &mut Feed<'_>,
        at: usize,
        rest: &'static [u8],
        rule: Option<usize>,
    ) -> Result<usize, Withheld> {
        let available = feed.data.get(at..).unwrap_or_default();
        let len = rest.iter().zip(available).take_while(|(want, byte)| want == byte).count();
        let end = at + len;
        let rest = rest.get(len..).unwrap_or_default();
        if len < available.len() && !rest.is_empty() {
            return Err(self.fail(end, "expected a value"));
        }
        if rule.is_some() {
            feed.skip(end);
        }
        self.token = Token::Literal { rest, rule };
        if rest.is_empty() {
            if let Some(rule) = rule {
                mask_field(feed, rule, Masked::Scalar);
            }
            self.end_value();
        }
        Ok(end)
    }
}
