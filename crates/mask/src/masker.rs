//! One answer, masked chunk by chunk.

use std::sync::Arc;

use crate::event::Events;
use crate::json::Json;
use crate::stream::Stream;
use crate::{CREDENTIAL, Counts, Plan, Withheld};

/// The most that is held back, in bytes, beside the longest form of a needle ([`crate::Needles::longest`]).
pub const MAX_HELD: usize = 80 * 1024;
/// The deepest nesting of JSON that is followed.
pub const MAX_DEPTH: usize = 256;

/// What an answer's bytes are, by its content type. Everything but `Opaque` is UTF-8: an answer in another charset has to be
/// withheld by whoever reads its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// One JSON value.
    Json,
    /// Plain text.
    Text,
    /// `text/event-stream`.
    EventStream,
    /// Bytes without a known form, for calls whose policy lifted every class: only the credential is searched for, and an
    /// answer that holds it is withheld, because nobody knows what cutting it out would break.
    Opaque,
}

/// Masks one answer. What comes out is the same for any chunking.
pub struct Masker {
    plan: Arc<Plan>,
    form: Form,
    utf8: Utf8,
    counts: Counts,
    /// Bytes pushed so far.
    offset: u64,
    withheld: Option<Withheld>,
}

enum Form {
    Json(Box<Json>),
    Text(Stream),
    Events(Box<Events>),
    Opaque(Stream),
}

impl Masker {
    /// A masker for one answer.
    #[must_use]
    pub fn new(plan: Arc<Plan>, content: Content) -> Self {
        let form = match content {
            Content::Json => Form::Json(Box::new(Json::new(&plan))),
            Content::Text => Form::Text(Stream::default()),
            Content::EventStream => Form::Events(Box::default()),
            Content::Opaque => Form::Opaque(Stream::default()),
        };
        let plan = match form {
            Form::Opaque(_) => Arc::new(Plan::new(Vec::new(), Vec::new(), Arc::clone(&plan.needles))),
            Form::Json(_) | Form::Text(_) | Form::Events(_) => plan,
        };
        Self { plan, form, utf8: Utf8::default(), counts: Counts::new(), offset: 0, withheld: None }
    }

    /// Takes the next chunk, and appends to `out` what is safe to release.
    ///
    /// # Errors
    /// [`Withheld`] when the answer cannot be searched. What is in `out` may be shown; every later push fails the same way.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Withheld> {
        if let Some(withheld) = &self.withheld {
            return Err(withheld.clone());
        }
        self.take(chunk, out).inspect_err(|withheld| self.withheld = Some(withheld.clone()))
    }

    /// Takes the end of the answer, and appends the rest to `out`.
    ///
    /// # Errors
    /// [`Withheld`] when the answer cannot be searched, or is incomplete.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Withheld> {
        if let Some(withheld) = &self.withheld {
            return Err(withheld.clone());
        }
        self.end(out).inspect_err(|withheld| self.withheld = Some(withheld.clone()))
    }

    /// How many values were masked so far, by class.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many bytes are held back at the moment.
    #[must_use]
    pub fn held(&self) -> usize {
        let form = match &self.form {
            Form::Json(json) => json.held(),
            Form::Text(stream) | Form::Opaque(stream) => stream.held(),
            Form::Events(events) => events.held(),
        };
        form + self.utf8.len
    }

    fn take(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Withheld> {
        if let Form::Opaque(_) = self.form {
            return self.feed(chunk, out);
        }
        let (head, rest) = self.utf8.complete(chunk);
        if let Some(head) = head {
            let head = head.map_err(|()| Withheld::InvalidUtf8 { offset: self.offset })?;
            self.feed(head.as_bytes(), out)?;
        }
        match std::str::from_utf8(rest) {
            Ok(_) => self.feed(rest, out),
            Err(error) => {
                let (valid, rest) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
                self.feed(valid, out)?;
                match error.error_len() {
                    None => self.utf8.keep(rest),
                    Some(_) => return Err(Withheld::InvalidUtf8 { offset: self.offset }),
                }
                Ok(())
            }
        }
    }

    /// Hands on bytes that end with a whole character.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Withheld> {
        let (plan, counts) = (&self.plan, &mut self.counts);
        match &mut self.form {
            Form::Json(json) => json.push(plan, bytes, counts, out)?,
            Form::Text(stream) => {
                no_nul(bytes, self.offset)?;
                stream.push(plan, bytes, counts, out);
            }
            Form::Events(events) => {
                no_nul(bytes, self.offset)?;
                events.push(plan, bytes, counts, out)?;
            }
            Form::Opaque(stream) => {
                let before = out.len();
                stream.push(plan, bytes, counts, out);
                no_credential(counts, before, out)?;
            }
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Withheld> {
        if self.utf8.len > 0 {
            return Err(Withheld::InvalidUtf8 { offset: self.offset });
        }
        let (plan, counts) = (&self.plan, &mut self.counts);
        match &mut self.form {
            Form::Json(json) => json.finish(plan, counts, out),
            Form::Text(stream) => {
                stream.finish(plan, counts, out);
                Ok(())
            }
            Form::Events(events) => events.finish(plan, counts, out),
            Form::Opaque(stream) => {
                let before = out.len();
                stream.finish(plan, counts, out);
                no_credential(counts, before, out)
            }
        }
    }
}

fn no_nul(bytes: &[u8], offset: u64) -> Result<(), Withheld> {
    memchr::memchr(0, bytes).map_or(Ok(()), |at| Err(Withheld::Nul { offset: offset + at as u64 }))
}

/// Takes back what was appended to `out` together with a credential.
fn no_credential(counts: &Counts, before: usize, out: &mut Vec<u8>) -> Result<(), Withheld> {
    if counts.contains_key(CREDENTIAL) {
        out.truncate(before);
        return Err(Withheld::Credential);
    }
    Ok(())
}

/// A character that a chunk cut in two.
#[derive(Default)]
struct Utf8 {
    bytes: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Keeps the beginning of a character.
    fn keep(&mut self, begin: &[u8]) {
        self.len = 0;
        for (slot, byte) in self.bytes.iter_mut().zip(begin) {
            *slot = *byte;
            self.len += 1;
        }
    }

    /// Completes the character with the first bytes of `chunk`, or finds that they cannot; and the rest of the chunk.
    fn complete<'a>(&mut self, chunk: &'a [u8]) -> (Option<Result<String, ()>>, &'a [u8]) {
        let mut rest = chunk;
        while self.len > 0 {
            let (Some(slot), Some((byte, after))) = (self.bytes.get_mut(self.len), rest.split_first()) else {
                break;
            };
            *slot = *byte;
            self.len += 1;
            rest = after;
            match std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()) {
                Ok(text) => {
                    let text = text.to_owned();
                    self.len = 0;
                    return (Some(Ok(text)), rest);
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return (Some(Err(())), rest),
            }
        }
        (None, rest)
    }
}
