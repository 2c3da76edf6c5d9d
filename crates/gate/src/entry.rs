//! A call's entry in the journal: begun once, ended once, whatever happens.

use std::sync::Arc;
use std::time::Duration;

use journal::{Begun, End, Event, Finished, Journal, JournalError, Position, RecordPart};
use mask::{Content, Counts};
use model::{Call, CallId, ClassName, Clock, Outcome, RecordLevel, Timestamp};
use serde_json::{Value, json};

use crate::failpoint::CrashPoint;
use crate::kept::Kept;
use crate::metrics::Metrics;

/// The most of a body that a record keeps.
pub(crate) const SAMPLE: usize = 64 << 10;

/// A begun entry. Dropped unfinished, it ends as `abandoned`; its room was reserved, so that cannot fail.
pub(crate) struct Entry {
    call: CallId,
    verb_has_effect: bool,
    journal: Journal,
    position: Position,
    end: Option<End>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    begun: Timestamp,
    level: RecordLevel,
    /// The head of the answer as the caller is shown it.
    head: Value,
    /// The beginning of its body as the caller is shown it, where bodies are recorded.
    sample: Vec<u8>,
    /// What masks both before they are kept, where the caller is shown more.
    kept: Option<(Kept, Content)>,
    bytes_out: u64,
    masked: Counts,
}

impl Entry {
    /// Writes the beginning to the journal's buffer and reserves room for the end.
    pub(crate) fn begin(
        journal: &Journal,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        call: &Call,
        level: RecordLevel,
        begun: Begun,
        record: RecordPart,
    ) -> Result<Self, JournalError> {
        let end = journal.reserve_end(call.id)?;
        let position = journal.append(Event::Begun(Box::new(begun)), Some(record))?;
        metrics.began();
        CrashPoint::Begun.pass();
        Ok(Self {
            call: call.id,
            verb_has_effect: call.verb().has_effect(),
            journal: journal.clone(),
            position,
            end: Some(end),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            begun: clock.now(),
            level,
            head: Value::Null,
            sample: Vec::new(),
            kept: None,
            bytes_out: 0,
            masked: Counts::new(),
        })
    }

    pub(crate) fn call(&self) -> CallId {
        self.call
    }

    pub(crate) fn begun(&self) -> Timestamp {
        self.begun
    }

    pub(crate) fn has_effect(&self) -> bool {
        self.verb_has_effect
    }

    /// Waits until the beginning is on the disk.
    pub(crate) async fn durable(&self) -> Result<(), JournalError> {
        self.journal.durable(self.position).await
    }

    /// Waits until the beginning has left the process; usually writes the group itself.
    pub(crate) async fn written(&self) -> Result<(), JournalError> {
        self.journal.written(self.position).await
    }

    /// Says what the answer is, and what masks it further before it is kept.
    pub(crate) fn answered(&mut self, head: Value, content: Content, kept: Option<Kept>) {
        self.head = head;
        self.kept = kept.map(|kept| (kept, content));
    }

    /// Keeps the beginning of what the caller is shown, where bodies are recorded.
    pub(crate) fn keep(&mut self, shown: &[u8]) {
        self.bytes_out += shown.len() as u64;
        if self.level == RecordLevel::Full {
            let room = SAMPLE.saturating_sub(self.sample.len()).min(shown.len());
            self.sample.extend_from_slice(shown.get(..room).unwrap_or_default());
        }
    }

    /// Counts what was masked.
    pub(crate) fn count(&mut self, counts: &Counts) {
        for (class, count) in counts {
            *self.masked.entry(class.clone()).or_default() += count;
        }
    }

    /// Ends the entry.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.close(outcome);
    }

    fn close(&mut self, outcome: Outcome) {
        let Some(end) = self.end.take() else { return };
        let took = self.clock.now().since(self.begun);
        self.metrics.ended(&outcome, took);
        let record = self.record();
        let masked = std::mem::take(&mut self.masked).into_iter();
        let finished = Finished {
            call: self.call,
            outcome,
            bytes_in: 0,
            bytes_out: self.bytes_out,
            masked: masked
                .filter_map(|(class, count)| Some((ClassName::parse(&class).ok()?, count)))
                .collect(),
            micros: micros(took),
        };
        end.push(finished, record);
        CrashPoint::Finished.pass();
    }

    fn record(&mut self) -> Option<RecordPart> {
        if self.head.is_null() && self.sample.is_empty() {
            return None;
        }
        let (head, sample) = match &self.kept {
            Some((kept, content)) => (kept.json(&self.head), kept.body(*content, &self.sample)),
            None => (std::mem::take(&mut self.head), std::mem::take(&mut self.sample)),
        };
        let body = (self.level == RecordLevel::Full).then(|| {
            let whole = self.bytes_out <= SAMPLE as u64;
            json!({ "text": String::from_utf8_lossy(&sample), "whole": whole })
        });
        let answer = json!({ "head": head, "body": body });
        RecordPart::json(&answer).ok()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(Outcome::Abandoned);
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
