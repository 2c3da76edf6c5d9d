//! Reading back: one call whole, or a list of calls, newest first. All of it blocks, and sees what has been written.
//!
//! There is no index: a call is found by the time in its id and those in the segments' headers, and its end by the calls
//! that a header names as under way.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::time::Duration;

use memchr::memmem::Finder;
use model::{ApprovalId, CallId, Outcome, Secret, TargetName, Timestamp, Verb};
use serde::Serialize;

use crate::event::{Entry, Event, Part, RecordRef};
use crate::frame::{Backward, Step};
use crate::merkle::digest;
use crate::queue::seal_context;
use crate::recover::what_is_wrong;
use crate::segment::{self, EventsSegment, Kind, RECORDS_HEADER, read_record};
use crate::shared::Shared;
use crate::tiles::damaged;
use crate::{JournalError, Position};

/// How far the time in an id may lie before that of the call's first entry.
const SLACK: Duration = Duration::from_secs(60);

/// How long a call that is not begun may wait for a signature.
const WAIT: Duration = Duration::from_secs(3600);

/// Lines of a list at most.
const MAX_LIST: usize = 1000;

/// Which calls to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Calls of this target.
    pub target: Option<TargetName>,
    /// Calls of this principal, or of an agent on its behalf: `dev/alice`.
    pub principal: Option<String>,
    /// Only calls that were refused.
    pub refused: bool,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Older than this call: the last one of the page before.
    pub before: Option<CallId>,
}

/// One call in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallSummary {
    /// Which call.
    pub call: CallId,
    /// When it was begun, refused or, if it waits for a signature, asked for.
    pub time: Timestamp,
    /// Who called, where that was proven.
    pub principal: Option<String>,
    /// What was called, where that was found.
    pub target: Option<TargetName>,
    /// The strongest verb of its accesses, where it was understood.
    pub verb: Option<Verb>,
    /// The call in one masked line.
    pub sentence: String,
    /// How it ended; `None` while it is under way or waits.
    pub outcome: Option<Outcome>,
    /// The approval that it used or waits for.
    pub approval: Option<ApprovalId>,
    /// Microseconds from `begun` to its end.
    pub micros: Option<u64>,
}

/// All that the journal has of one call.
#[derive(Debug)]
pub struct CallHistory {
    /// Which call.
    pub call: CallId,
    /// Its entries and those of its approval, oldest first.
    pub entries: Vec<(Position, Entry)>,
    /// The parts of its record, opened.
    pub parts: Vec<OpenedPart>,
}

/// One part of a call's record.
#[derive(Debug)]
pub struct OpenedPart {
    /// Which half.
    pub part: Part,
    /// What was recorded, or why it cannot be shown.
    pub plain: Result<Secret, String>,
}

impl Shared {
    /// All of one call; `None` when no entry names it.
    pub(crate) fn show(&self, call: CallId) -> Result<Option<CallHistory>, JournalError> {
        let mut search = Search::new(call);
        search.run(self, &mut |_| false)?;
        if search.entries.is_empty() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for (_, entry) in &search.entries {
            if let (Some((of, part)), Some(record)) = (entry.event.part(), &entry.record)
                && of == call
            {
                parts.push(OpenedPart { part, plain: self.open_part(call, part, record) });
            }
        }
        let entries =
            search.entries.into_iter().map(|(position, entry)| (Position(position), entry)).collect();
        Ok(Some(CallHistory { call, entries, parts }))
    }

    /// Whether the call was ever begun.
    pub(crate) fn has_begun(&self, call: CallId) -> Result<bool, JournalError> {
        let is_begun = |event: &Event| matches!(event, Event::Begun(begun) if begun.call == call);
        let mut search = Search::new(call);
        search.run(self, &mut |event| is_begun(event))?;
        Ok(search.entries.iter().any(|(_, entry)| is_begun(&entry.event)))
    }

    /// Calls, newest first.
    pub(crate) fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<CallSummary>, JournalError> {
        let mut list = List::new(filter, limit.min(MAX_LIST));
        let (last, end) = self.end_of_events();
        for first in segment::list(&self.dir, Kind::Events)?.into_iter().rev().filter(|&first| first <= last)
        {
            let segment = EventsSegment::open(&self.dir, first)?;
            let (path, floor) = (segment.path, segment.frames.offset());
            let open =
                || File::open(self.dir.join(&path)).and_then(|file| Ok((file.metadata()?.len(), file)));
            let (length, file) = open().map_err(|source| JournalError::io(&path, source))?;
            let mut frames = Backward::new(file, floor, if first == last { end } else { length });
            while let Some((offset, frame)) =
                frames.step().map_err(|source| JournalError::io(&path, source))?
            {
                let frame =
                    frame.map_err(|fault| damaged(path.clone(), None, offset, what_is_wrong(fault)))?;
                let entry = serde_json::from_slice(frame.payload)
                    .map_err(|_| damaged(path.clone(), Some(frame.position), offset, "it is no entry"))?;
                if !list.take(entry) {
                    return Ok(list.lines);
                }
            }
        }
        Ok(list.lines)
    }

    fn open_part(&self, call: CallId, part: Part, record: &RecordRef) -> Result<Secret, String> {
        let RecordRef::At { offset, length, sha256 } = record else {
            return Err("there was no room for it when the call ended".to_owned());
        };
        let firsts = segment::list(&self.dir, Kind::Records).map_err(|error| error.to_string())?;
        let first = firsts.into_iter().rfind(|first| first <= offset).ok_or("its segment is missing")?;
        let path = Kind::Records.path(first);
        let read = File::open(self.dir.join(&path))
            .and_then(|mut file| read_record(&mut file, RECORDS_HEADER + (offset - first)));
        let wrong = |what: &str| format!("`{}`: {what}", path.display());
        let sealed = read.map_err(|error| wrong(&error.to_string()))?.map_err(|_| wrong("it is damaged"))?;
        if sealed.len() != *length as usize || digest(&[&sealed]) != *sha256.as_bytes() {
            return Err(wrong("it is not the part that the event names"));
        }
        self.sealer.open(&seal_context(call, part), &sealed).map_err(|error| wrong(&error.to_string()))
    }
}

/// The search for the entries of one call.
struct Search {
    call: CallId,
    entries: Vec<(u64, Entry)>,
    approvals: BTreeSet<ApprovalId>,
    needles: Vec<Finder<'static>>,
    ended: bool,
}

impl Search {
    fn new(call: CallId) -> Self {
        let needles = vec![Finder::new(call.to_string().as_bytes()).into_owned()];
        Self { call, entries: Vec::new(), approvals: BTreeSet::new(), needles, ended: false }
    }

    /// Collects entries until the call has ended, or `enough` says so.
    fn run(&mut self, shared: &Shared, enough: &mut dyn FnMut(&Event) -> bool) -> Result<(), JournalError> {
        let made =
            Timestamp::from_micros(i64::try_from(self.call.unix_millis()).unwrap_or(0).saturating_mul(1000));
        let written = shared.written();
        let firsts = segment::list(&shared.dir, Kind::Events)?;
        let mut segments = Vec::with_capacity(firsts.len());
        for first in firsts {
            segments.push((first, EventsSegment::open(&shared.dir, first)?.header));
        }
        for (place, (first, header)) in segments.iter().enumerate() {
            let next = segments.get(place + 1).map(|(_, header)| header.time);
            // While the clock runs forward the entry lies between two headers; where it was set back, anywhere.
            let may_begin_here = next.is_none_or(|next| {
                next < header.time || (header.time <= made.plus(SLACK) && next.plus(SLACK) >= made)
            });
            let goes_on_here = !self.entries.is_empty()
                && (header.unfinished.binary_search(&self.call).is_ok() || header.time <= made.plus(WAIT));
            if (may_begin_here || goes_on_here) && self.segment(shared, *first, written, enough)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one segment to its end. Returns whether the search is over.
    fn segment(
        &mut self,
        shared: &Shared,
        first: u64,
        written: u64,
        enough: &mut dyn FnMut(&Event) -> bool,
    ) -> Result<bool, JournalError> {
        let EventsSegment { path, mut frames, .. } = EventsSegment::open(&shared.dir, first)?;
        loop {
            let offset = frames.offset();
            match frames.step().map_err(|source| JournalError::io(&path, source))? {
                Step::Frame(frame) if frame.position >= written => return Ok(self.ended),
                Step::Frame(frame)
                    if self.needles.iter().any(|needle| needle.find(frame.payload).is_some()) =>
                {
                    let entry: Entry = serde_json::from_slice(frame.payload)
                        .map_err(|_| damaged(path.clone(), Some(frame.position), offset, "it is no entry"))?;
                    if enough(&entry.event) {
                        self.entries.push((frame.position, entry));
                        return Ok(true);
                    }
                    self.take(frame.position, entry);
                }
                Step::Frame(_) => {}
                // A write that is under way, or failed and will be made up for, ends what there is to read.
                Step::End | Step::Fault(crate::frame::Fault::Short) => return Ok(self.ended),
                Step::Fault(fault) => return Err(damaged(path, None, offset, what_is_wrong(fault))),
            }
        }
    }

    fn take(&mut self, position: u64, entry: Entry) {
        let ours = entry.event.call() == Some(self.call);
        let about = entry.event.approval();
        if !ours && !about.is_some_and(|approval| self.approvals.contains(&approval)) {
            return;
        }
        // Another call that uses the same approval has a history of its own.
        if !ours && entry.event.call().is_some() && entry.event.part().is_some() {
            return;
        }
        if let Some(approval) = about.filter(|approval| ours && !self.approvals.contains(approval)) {
            self.approvals.insert(approval);
            self.needles.push(Finder::new(approval.to_string().as_bytes()).into_owned());
        }
        self.ended |= ours && matches!(entry.event, Event::Finished(_) | Event::Refused(_));
        self.entries.push((position, entry));
    }
}

/// A list that is filled from the newest entry backward.
struct List<'a> {
    filter: &'a Filter,
    limit: usize,
    lines: Vec<CallSummary>,
    /// Ends whose beginning has not been reached yet.
    ends: HashMap<CallId, (Outcome, u64)>,
    /// Calls whose line is made or left out, as far as an older entry may name them again.
    done: HashSet<CallId>,
    /// Whether the page begins here.
    begun: bool,
}

impl<'a> List<'a> {
    fn new(filter: &'a Filter, limit: usize) -> Self {
        let begun = filter.before.is_none();
        Self { filter, limit, lines: Vec::new(), ends: HashMap::new(), done: HashSet::new(), begun }
    }

    /// Takes the next older entry. Returns whether more are wanted.
    fn take(&mut self, entry: Entry) -> bool {
        let time = entry.time;
        if self.lines.len() >= self.limit || self.filter.since.is_some_and(|since| time < since) {
            return false;
        }
        match entry.event {
            Event::Finished(finished) => {
                self.ends.insert(finished.call, (finished.outcome, finished.micros));
            }
            Event::Begun(begun) => {
                let (outcome, micros) = self.ends.remove(&begun.call).unzip();
                self.line(CallSummary {
                    call: begun.call,
                    time,
                    principal: Some(begun.principal),
                    target: Some(begun.target),
                    verb: Some(begun.accesses.verb()),
                    sentence: begun.sentence,
                    outcome,
                    approval: begun.approval,
                    micros,
                });
            }
            Event::Refused(refused) => self.line(CallSummary {
                call: refused.call,
                time,
                principal: refused.principal,
                target: refused.target,
                verb: refused.accesses.map(|accesses| accesses.verb()),
                sentence: refused.sentence,
                outcome: Some(Outcome::Refused { refusal: refused.kind }),
                approval: refused.approval,
                micros: None,
            }),
            Event::Asked(asked) if !self.done.contains(&asked.call) => self.line(CallSummary {
                call: asked.call,
                time,
                principal: Some(asked.principal),
                target: Some(asked.target),
                verb: None,
                sentence: asked.sentence,
                outcome: None,
                approval: Some(asked.approval),
                micros: None,
            }),
            _ => {}
        }
        self.lines.len() < self.limit
    }

    fn line(&mut self, line: CallSummary) {
        if line.approval.is_some() {
            self.done.insert(line.call);
        }
        let filter = self.filter;
        let refused = matches!(line.outcome, Some(Outcome::Refused { .. }));
        let whose = |wanted: &String| {
            line.principal.as_ref().is_some_and(|chain| chain.split(" via ").any(|key| key == wanted))
        };
        let wanted = (!filter.refused || refused)
            && filter.target.as_ref().is_none_or(|target| line.target.as_ref() == Some(target))
            && filter.principal.as_ref().is_none_or(whose);
        let is_last_page = filter.before == Some(line.call);
        if self.begun && wanted {
            self.lines.push(line);
        }
        self.begun |= is_last_page;
    }
}
