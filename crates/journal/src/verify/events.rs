//! The walk over all events segments, frame by frame.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use model::CallId;

use super::parts::Parts;
use super::tree::Tree;
use super::{Report, beginning};
use crate::JournalError;
use crate::event::RecordRef;
use crate::frame::{Fault, Forward, Frame, Step, find_whole};
use crate::queue::{Glance, Mark};
use crate::recover::{is_torn, what_is_wrong};
use crate::segment::{self, EVENTS_MAGIC, Header, Kind, RECORD_OVERHEAD};

pub(super) fn walk<'a>(
    dir: &'a Path,
    report: &mut Report,
    tree: &mut Tree<'a>,
    parts: &mut Parts<'a>,
) -> Result<(), JournalError> {
    let firsts = segment::list(dir, Kind::Events)?;
    let mut walk = Walk { dir, report, tree, parts, next: 0, told: false, state: Some(State::default()) };
    let mut before = None;
    for (place, &first) in firsts.iter().enumerate() {
        walk.segment(first, before, place + 1 == firsts.len())?;
        before = Some(first);
    }
    let (next, covered) = (walk.next, walk.report.covered);
    if next < covered {
        let last = Kind::Events.path(before.unwrap_or(0));
        let what = format!("records {next} to {} are missing: the checkpoint covers them", covered - 1);
        walk.report.find(last, Some(next), 0, what);
        walk.skip(covered);
    }
    Ok(())
}

/// What a header must say of all that came before it.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    records: u64,
    unfinished: BTreeSet<CallId>,
}

struct Walk<'a, 'b> {
    dir: &'a Path,
    report: &'a mut Report,
    tree: &'a mut Tree<'b>,
    parts: &'a mut Parts<'b>,
    /// The position of the next record.
    next: u64,
    /// Whether that record was already reported, as damaged.
    told: bool,
    /// `None` where damage hides it, until the next header says it again.
    state: Option<State>,
}

impl Walk<'_, '_> {
    fn segment(&mut self, first: u64, before: Option<u64>, last: bool) -> Result<(), JournalError> {
        let path = Kind::Events.path(first);
        let full = self.dir.join(&path);
        let failed = |source| JournalError::io(&full, source);
        if beginning(&full, EVENTS_MAGIC.len() as u64)? != EVENTS_MAGIC {
            self.report.find(&path, Some(first), 0, "it does not begin as an events segment");
        }
        let file = File::open(&full).map_err(failed)?;
        let mut frames = Forward::new(file, EVENTS_MAGIC.len() as u64).map_err(failed)?;
        if self.next < first {
            self.missing(&path, 0, first);
        }
        let mut in_header = true;
        loop {
            let offset = frames.offset();
            match frames.step().map_err(failed)? {
                Step::End => return Ok(()),
                Step::Frame(frame) if in_header => {
                    self.header(&path, before, first, frame.payload)?;
                    in_header = false;
                }
                Step::Frame(frame) => {
                    self.frame(&path, offset, &frame)?;
                }
                Step::Fault(fault) => {
                    let rest = frames.rest().map_err(failed)?;
                    if last && !in_header && self.next >= self.report.covered && is_torn(fault, &rest) {
                        self.report.unfinished = rest.len() as u64;
                        return Ok(());
                    }
                    let Some(onward) = self.fault(&path, offset, fault, &rest, in_header) else {
                        return Ok(());
                    };
                    in_header = false;
                    frames.jump(offset + onward).map_err(failed)?;
                }
            }
        }
    }

    /// Reports a fault, and returns how far on the next whole frame is.
    fn fault(&mut self, path: &Path, offset: u64, fault: Fault, rest: &[u8], in_header: bool) -> Option<u64> {
        let what = if in_header {
            format!("its header cannot be read: {}", what_is_wrong(fault))
        } else {
            format!("the record cannot be read: {}", what_is_wrong(fault))
        };
        self.report.find(path, Some(self.next), offset, what);
        self.told |= !in_header;
        self.state = None;
        find_whole(rest).map(|onward| onward as u64)
    }

    fn header(
        &mut self,
        path: &Path,
        before: Option<u64>,
        first: u64,
        payload: &[u8],
    ) -> Result<(), JournalError> {
        let Ok(header) = serde_json::from_slice::<Header>(payload) else {
            self.report.find(path, Some(first), 0, "its header says nothing that a header says");
            self.state = None;
            return Ok(());
        };
        let length = match before {
            Some(before) => {
                let path = self.dir.join(Kind::Events.path(before));
                Some(fs::metadata(&path).map_err(|source| JournalError::io(&path, source))?.len())
            }
            None => None,
        };
        if header.previous != length {
            let what = format!(
                "the segment before it has another length: {length:?} bytes, not {:?}",
                header.previous
            );
            self.report.find(path, Some(first), 0, what);
        }
        if header.first != first {
            self.report.find(
                path,
                Some(first),
                0,
                format!("its header is that of the segment of record {}", header.first),
            );
        }
        let says = State { records: header.records, unfinished: header.unfinished.into_iter().collect() };
        if self.state.as_ref().is_some_and(|state| *state != says) {
            let what = "its header does not say what follows from the records before it";
            self.report.find(path, Some(first), 0, what);
        }
        self.state = Some(says);
        Ok(())
    }

    fn frame(&mut self, path: &Path, offset: u64, frame: &Frame<'_>) -> Result<(), JournalError> {
        let position = frame.position;
        if position < self.next {
            let what = format!("record {position} stands where record {} should", self.next);
            self.report.find(path, Some(position), offset, what);
            return Ok(());
        }
        if position > self.next {
            // A forged position names no more records than a log may have lost.
            if position > self.next.max(self.report.covered) + FAR {
                self.report.find(
                    path,
                    Some(self.next),
                    offset,
                    format!("it says that it is record {position}"),
                );
                return Ok(());
            }
            self.missing(path, offset, position);
            self.state = None;
        }
        self.told = false;
        self.next = position + 1;
        self.report.events += 1;
        self.tree.take(self.report, Some((path, offset, frame.commitment())));
        let Ok(glance) = serde_json::from_slice::<Glance<'_>>(frame.payload) else {
            self.report.find(path, Some(position), offset, "it is no entry");
            self.state = None;
            return Ok(());
        };
        if let Some(state) = &mut self.state {
            state.take(&glance);
        }
        if let Some(record) = &glance.record {
            self.parts.take(self.report, position, frame.payload, record)?;
        }
        Ok(())
    }

    /// Reports the records before `position` as missing, but for one that was reported as damaged, and goes on there.
    fn missing(&mut self, path: &Path, offset: u64, position: u64) {
        let from = self.next + u64::from(self.told);
        if from < position {
            let what = format!("records {from} to {} are missing before it", position - 1);
            self.report.find(path, Some(from), offset, what);
        }
        self.told = false;
        self.skip(position);
    }

    /// Goes on at `position`; the log has what the events lack.
    fn skip(&mut self, position: u64) {
        while self.next < position {
            self.tree.take(self.report, None);
            self.next += 1;
        }
    }
}

impl State {
    fn take(&mut self, glance: &Glance<'_>) {
        match glance.mark() {
            Some(Mark::Begun(call)) => {
                self.unfinished.insert(call);
            }
            Some(Mark::Finished(call)) => {
                self.unfinished.remove(&call);
            }
            None => {}
        }
        if let Some(RecordRef::At { offset, length, .. }) = glance.record {
            self.records = offset + u64::from(length) + RECORD_OVERHEAD;
        }
    }
}

/// Records that may be missing in a row.
const FAR: u64 = 1 << 24;
