//! Event streams (`text/event-stream`, HTML Living Standard, section 9.2), masked line by line.
//!
//! Every line is released when it ends. What stands in the `data` lines of an event is read as JSON where it is JSON, also
//! where one document spreads over several lines; everything else is searched as text, as it stands and with JSON escapes
//! decoded. A line is looked at whole up to [`MAX_LINE`] bytes. A longer one is masked as it comes: as JSON when its
//! beginning is (and withheld when the rest is none), as text as long as it holds no backslash, so that no escape can hide
//! anything; otherwise the stream is withheld.

use crate::json::Json;
use crate::plan::count;
use crate::stream::{Stream, split_block};
use crate::{Counts, Plan, Withheld};

/// The longest line that is looked at whole, in bytes.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// One event stream.
#[derive(Default)]
pub(crate) struct Events {
    /// The line so far, while it may still be looked at whole.
    line: Vec<u8>,
    /// How a line that is too long for that goes on.
    long: Option<Long>,
    /// The JSON document that the event's data lines have begun.
    document: Option<Json>,
    /// Whether the last line ended with a carriage return, so that a line feed would belong to it.
    after_return: bool,
}

enum Long {
    Text(Stream),
    Json(Box<Json>),
}

impl Events {
    /// Takes more of the stream, which ends with a whole character.
    pub(crate) fn push(
        &mut self,
        plan: &Plan,
        mut data: &[u8],
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        while let Some(&first) = data.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                out.push(b'\n');
                data = data.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', data).unwrap_or(data.len());
            let (content, rest) = data.split_at_checked(end).unwrap_or((data, &[]));
            self.extend(plan, content, counts, out)?;
            data = rest;
            if let Some((&terminator, rest)) = rest.split_first() {
                self.end_line(plan, counts, out)?;
                out.push(terminator);
                self.after_return = terminator == b'\r';
                data = rest;
            }
        }
        Ok(())
    }

    /// Takes the end of the stream, which ends a line.
    pub(crate) fn finish(
        &mut self,
        plan: &Plan,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        self.end_line(plan, counts, out)
    }

    /// How many bytes are held back.
    pub(crate) fn held(&self) -> usize {
        let long = match &self.long {
            Some(Long::Text(stream)) => stream.held(),
            Some(Long::Json(json)) => json.held(),
            None => 0,
        };
        self.line.len() + long
    }

    fn extend(
        &mut self,
        plan: &Plan,
        content: &[u8],
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        if self.long.is_none() {
            let room = MAX_LINE - self.line.len();
            if content.len() <= room {
                self.line.extend_from_slice(content);
                return Ok(());
            }
            let (head, rest) = split_at_char(content, room);
            self.line.extend_from_slice(head);
            self.begin_long(plan, counts, out)?;
            return self.extend(plan, rest, counts, out);
        }
        match &mut self.long {
            Some(Long::Text(stream)) if memchr::memchr(b'\\', content).is_none() => {
                stream.push(plan, content, counts, out);
                Ok(())
            }
            Some(Long::Json(json)) => json.push(plan, content, counts, out),
            Some(Long::Text(_)) | None => Err(Withheld::LineTooLong { limit: MAX_LINE }),
        }
    }

    /// The line is too long to be looked at whole: decides how it is masked as it comes.
    fn begin_long(&mut self, plan: &Plan, counts: &mut Counts, out: &mut Vec<u8>) -> Result<(), Withheld> {
        let line = std::mem::take(&mut self.line);
        if let Some((name, payload)) = data_field(&line) {
            let mut trial = Trial::default();
            let mut json = self.document.take().unwrap_or_else(|| Json::new(plan));
            let begun = json.depth() > 0;
            match json.push(plan, payload, &mut trial.counts, &mut trial.out) {
                Ok(()) => {
                    out.extend_from_slice(name);
                    trial.accept(counts, out);
                    self.long = Some(Long::Json(Box::new(json)));
                    return Ok(());
                }
                Err(error) => may_be_text(plan, payload, begun, error)?,
            }
        }
        if memchr::memchr(b'\\', &line).is_some() {
            return Err(Withheld::LineTooLong { limit: MAX_LINE });
        }
        let mut stream = Stream::default();
        stream.push(plan, &line, counts, out);
        self.long = Some(Long::Text(stream));
        Ok(())
    }

    fn end_line(&mut self, plan: &Plan, counts: &mut Counts, out: &mut Vec<u8>) -> Result<(), Withheld> {
        match self.long.take() {
            Some(Long::Text(mut stream)) => stream.finish(plan, counts, out),
            Some(Long::Json(mut json)) => {
                let mut trial = Trial::default();
                json.end_line(plan, &mut trial.counts, &mut trial.out)?;
                trial.accept(counts, out);
                self.document = (!json.is_done()).then_some(*json);
            }
            None => {
                let line = std::mem::take(&mut self.line);
                self.whole_line(plan, &line, counts, out)?;
                self.line = line;
                self.line.clear();
            }
        }
        Ok(())
    }

    /// A line that lies before us whole.
    fn whole_line(
        &mut self,
        plan: &Plan,
        line: &[u8],
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        if line.is_empty() {
            // The event ends, and with it whatever its data began.
            self.document = None;
            return Ok(());
        }
        if let Some((name, payload)) = data_field(line) {
            let mut trial = Trial::default();
            let mut json = self.document.take().unwrap_or_else(|| Json::new(plan));
            let begun = json.depth() > 0;
            let read = json
                .push(plan, payload, &mut trial.counts, &mut trial.out)
                .and_then(|()| json.end_line(plan, &mut trial.counts, &mut trial.out));
            match read {
                Ok(()) => {
                    out.extend_from_slice(name);
                    trial.accept(counts, out);
                    self.document = (!json.is_done()).then_some(json);
                    return Ok(());
                }
                Err(error) => may_be_text(plan, payload, begun, error)?,
            }
        }
        let mut spans = plan.text_spans(line);
        plan.cut_text(line, &mut spans, counts, out);
        Ok(())
    }
}

/// What came out of an attempt, which counts only when it succeeds.
#[derive(Default)]
struct Trial {
    counts: Counts,
    out: Vec<u8>,
}

impl Trial {
    /// Releases it, without the line break that ended it.
    fn accept(mut self, counts: &mut Counts, out: &mut Vec<u8>) {
        if self.out.last() == Some(&b'\n') {
            self.out.pop();
        }
        out.append(&mut self.out);
        for (class, n) in self.counts {
            (0..n).for_each(|_| count(counts, &class));
        }
    }
}

/// The name of a `data` field with its colon and space, and what follows.
fn data_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"data:")?;
    let payload = rest.strip_prefix(b" ").unwrap_or(rest);
    line.split_at_checked(line.len() - payload.len())
}

/// Data that is no JSON is searched as text, unless fields may be classified in it that could then not be found.
fn may_be_text(plan: &Plan, payload: &[u8], begun: bool, error: Withheld) -> Result<(), Withheld> {
    if !matches!(error, Withheld::InvalidJson { .. } | Withheld::Truncated) {
        return Err(error);
    }
    let looks_like_json = match payload.trim_ascii_start().first() {
        Some(b'{') => true,
        Some(b'[') => memchr::memchr(b'{', payload).is_some(),
        _ => false,
    };
    if (begun || looks_like_json) && !plan.fields.is_empty() {
        return Err(Withheld::UnreadableEvent);
    }
    Ok(())
}

/// The first `limit` bytes, or a few less so that no character is cut in two; none rather than half a one.
fn split_at_char(bytes: &[u8], limit: usize) -> (&[u8], &[u8]) {
    if limit == 0 { (&[], bytes) } else { split_block(bytes, limit) }
}
