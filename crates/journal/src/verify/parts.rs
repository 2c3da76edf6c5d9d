//! The sealed parts, read in the order in which events name them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use store::seal::Sealer;

use super::{Report, beginning};
use crate::JournalError;
use crate::event::{Entry, RecordRef};
use crate::merkle::digest;
use crate::queue::seal_context;
use crate::segment::{self, Kind, RECORD_OVERHEAD, RECORDS_HEADER, RecordFault, read_record, records_header};

pub(super) struct Parts<'a> {
    dir: &'a Path,
    sealer: Option<&'a Sealer>,
    /// The segments that were not reached yet, last first.
    ahead: Vec<u64>,
    open: Option<Segment>,
    /// Where the next part begins, over all segments.
    next: u64,
    /// Whether `next` is known: a damaged part hides where it ends.
    known: bool,
    listed: bool,
}

struct Segment {
    first: u64,
    path: PathBuf,
    file: File,
    length: u64,
}

impl Segment {
    fn end(&self) -> u64 {
        self.first + self.length.saturating_sub(RECORDS_HEADER)
    }
}

impl<'a> Parts<'a> {
    pub(super) fn new(dir: &'a Path, sealer: Option<&'a Sealer>) -> Self {
        Self { dir, sealer, ahead: Vec::new(), open: None, next: 0, known: true, listed: false }
    }

    /// Checks the part that the event at `position` names.
    pub(super) fn take(
        &mut self,
        report: &mut Report,
        position: u64,
        payload: &[u8],
        record: &RecordRef,
    ) -> Result<(), JournalError> {
        let RecordRef::At { offset, length, sha256 } = record else { return Ok(()) };
        self.walk_to(report, Some(*offset))?;
        let Some(segment) = &mut self.open else {
            report.find(
                Kind::Records.path(*offset),
                Some(position),
                0,
                "the segment with the record's part is missing",
            );
            return Ok(());
        };
        let at = RECORDS_HEADER + (offset - segment.first.min(*offset));
        let read =
            read_record(&mut segment.file, at).map_err(|source| JournalError::io(&segment.path, source))?;
        report.parts += 1;
        let path = Kind::Records.path(segment.first);
        (self.next, self.known) = (offset + u64::from(*length) + RECORD_OVERHEAD, true);
        let sealed = match read {
            Ok(sealed) => sealed,
            Err(fault) => {
                let what = format!("the record's part cannot be read: {}", what_is_wrong(fault));
                report.find(path, Some(position), at, what);
                return Ok(());
            }
        };
        if sealed.len() != *length as usize || digest(&[&sealed]) != *sha256.as_bytes() {
            report.find(path, Some(position), at, "it is not the part that the record names");
        } else if let Some(sealer) = self.sealer {
            let entry = serde_json::from_slice::<Entry>(payload).ok().and_then(|entry| entry.event.part());
            let opened = entry.map(|(call, part)| sealer.open(&seal_context(call, part), &sealed));
            if !matches!(opened, Some(Ok(_))) {
                report.find(path, Some(position), at, "the record's part does not open under this key");
            }
        }
        Ok(())
    }

    /// Checks what is left, which no event names: parts whose event was never written.
    pub(super) fn finish(mut self, report: &mut Report) -> Result<(), JournalError> {
        self.walk_to(report, None)
    }

    /// Checks all parts before `to`, and opens the segment in which that lies.
    fn walk_to(&mut self, report: &mut Report, to: Option<u64>) -> Result<(), JournalError> {
        if !self.listed {
            self.ahead = segment::list(self.dir, Kind::Records)?;
            self.ahead.reverse();
            self.listed = true;
        }
        loop {
            let next_first = self.ahead.last().copied();
            self.orphans(report, to.unwrap_or(u64::MAX), next_first.is_none())?;
            match next_first {
                Some(first) if to.is_none_or(|to| first <= to) => {
                    self.ahead.pop();
                    self.enter(report, first)?;
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn enter(&mut self, report: &mut Report, first: u64) -> Result<(), JournalError> {
        let path = Kind::Records.path(first);
        let full = self.dir.join(&path);
        let failed = |source| JournalError::io(&full, source);
        if beginning(&full, RECORDS_HEADER)? != records_header(first) {
            report.find(&path, None, 0, "its header is not that of this segment");
        }
        if let Some(before) = &self.open
            && before.end() != first
        {
            let (path, offset) = (Kind::Records.path(before.first), before.length);
            report.find(
                path,
                None,
                offset,
                format!("it should end where the segment of byte {first} begins"),
            );
        }
        let file = File::open(&full).map_err(failed)?;
        let length = fs::metadata(&full).map_err(failed)?.len();
        self.open = Some(Segment { first, path: full, file, length });
        (self.next, self.known) = (first, true);
        Ok(())
    }

    /// Checks the parts from `next` on that no event names, up to `to` or the segment's end.
    fn orphans(&mut self, report: &mut Report, to: u64, last: bool) -> Result<(), JournalError> {
        let Some(segment) = &mut self.open else { return Ok(()) };
        while self.known && self.next < to.min(segment.end()) {
            let at = RECORDS_HEADER + (self.next - segment.first);
            match read_record(&mut segment.file, at)
                .map_err(|source| JournalError::io(&segment.path, source))?
            {
                Ok(sealed) => self.next += sealed.len() as u64 + RECORD_OVERHEAD,
                // What a killed process, or one at work, leaves at the end.
                Err(RecordFault::Short | RecordFault::Unfilled) if last && to == u64::MAX => return Ok(()),
                Err(fault) => {
                    let path = Kind::Records.path(segment.first);
                    report.find(path, None, at, format!("a part cannot be read: {}", what_is_wrong(fault)));
                    self.known = false;
                }
            }
        }
        Ok(())
    }
}

fn what_is_wrong(fault: RecordFault) -> &'static str {
    match fault {
        RecordFault::Short => "the segment ends within it",
        RecordFault::Unfilled => "there are only zeros",
        RecordFault::Damaged => "its checksum does not match",
    }
}
