//! The files that are written to, and how they heal.
//!
//! Groups are kept in memory until they are on the disk. After a failed write or sync nothing that is not known to be on
//! the disk is trusted: what is kept is written again, whole, to new segments; then the old ones are cut back to what was
//! synced. Done in that order, no moment loses what was written.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{CallId, Timestamp};

use crate::JournalError;
use crate::disk::Disk;
use crate::queue::{Group, Mark};
use crate::segment::{Header, Kind, RECORDS_HEADER, records_header};

/// A segment that is written to.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    pub(crate) kind: Kind,
    /// What its name says.
    pub(crate) first: u64,
    pub(crate) file: Arc<File>,
    /// Bytes that were written.
    pub(crate) written: u64,
    /// Bytes that are known to be on the disk.
    pub(crate) settled: u64,
}

impl Tail {
    fn path(&self) -> PathBuf {
        self.kind.path(self.first)
    }
}

/// Writes groups. One task or thread at a time has it.
pub(crate) struct Writer {
    dir: PathBuf,
    disk: Disk,
    events: Tail,
    records: Tail,
    /// Bytes of the events segment before the current one.
    previous: Option<u64>,
    /// The position after the last event that was written.
    written: u64,
    /// The position after the last event that is on the disk, where records stood then, and the calls under way.
    settled: u64,
    settled_records: u64,
    unfinished: BTreeSet<CallId>,
    /// Groups after that position, and their bytes.
    kept: VecDeque<Group>,
    unsynced: usize,
}

/// How far the files were written at one moment.
pub(crate) struct Point {
    pub(crate) written: u64,
    events: Tail,
    records: Tail,
}

impl Point {
    /// Waits until all of it is on the disk, records before the events that name them.
    pub(crate) fn sync(&self, dir: &Path, disk: &Disk) -> Result<(), JournalError> {
        for tail in [&self.records, &self.events] {
            if tail.written > tail.settled {
                disk.sync(&tail.file).map_err(|source| JournalError::io(&dir.join(tail.path()), source))?;
            }
        }
        Ok(())
    }

    /// The events segment that was written to, and the bytes in it.
    pub(crate) fn events(&self) -> (u64, u64) {
        (self.events.first, self.events.written)
    }
}

/// What a writer begins with: all of it is on the disk.
pub(crate) struct Start {
    pub(crate) events: Tail,
    pub(crate) records: Tail,
    pub(crate) previous: Option<u64>,
    pub(crate) next: u64,
    pub(crate) records_next: u64,
    pub(crate) unfinished: BTreeSet<CallId>,
}

impl Writer {
    pub(crate) fn new(dir: PathBuf, disk: Disk, start: Start) -> Self {
        let Start { events, records, previous, next, records_next, unfinished } = start;
        Self {
            dir,
            disk,
            events,
            records,
            previous,
            written: next,
            settled: next,
            settled_records: records_next,
            unfinished,
            kept: VecDeque::new(),
            unsynced: 0,
        }
    }

    /// Hands a group to the operating system: one write, and one more where it has record parts. It keeps the group either
    /// way.
    pub(crate) fn write(&mut self, group: Group) -> Result<u64, JournalError> {
        let (end, put) = (group.end(), self.put(&group));
        self.unsynced += group.held();
        self.kept.push_back(group);
        put?;
        self.written = end;
        Ok(end)
    }

    fn put(&mut self, group: &Group) -> Result<(), JournalError> {
        let dir = &self.dir;
        for (tail, bytes) in [(&mut self.records, &group.records), (&mut self.events, &group.events)] {
            if !bytes.is_empty() {
                let failed = |source| JournalError::io(&dir.join(tail.path()), source);
                self.disk.append(&tail.file, bytes).map_err(failed)?;
                tail.written += bytes.len() as u64;
            }
        }
        Ok(())
    }

    /// Bytes that are kept.
    pub(crate) fn unsynced(&self) -> usize {
        self.unsynced
    }

    pub(crate) fn point(&self) -> Point {
        Point { written: self.written, events: self.events.clone(), records: self.records.clone() }
    }

    /// Takes note that a point is on the disk, and returns the room that it frees.
    pub(crate) fn settle(&mut self, point: &Point) -> usize {
        for (tail, to) in [(&mut self.records, &point.records), (&mut self.events, &point.events)] {
            if tail.first == to.first {
                tail.settled = tail.settled.max(to.written);
            }
        }
        let mut freed = 0;
        while self.kept.front().is_some_and(|group| group.end() <= point.written) {
            let Some(group) = self.kept.pop_front() else { break };
            freed += group.held();
            self.settled = group.end();
            self.settled_records += group.records.len() as u64;
            for mark in group.marks {
                match mark {
                    Mark::Begun(call) => self.unfinished.insert(call),
                    Mark::Finished(call) => self.unfinished.remove(&call),
                };
            }
        }
        self.unsynced -= freed;
        freed
    }

    /// Whether a segment has reached its size.
    pub(crate) fn is_full(&self, limit: u64) -> bool {
        self.events.written >= limit || self.records.written >= limit
    }

    /// Begins new segments where `limit` is reached. All that was written has been settled.
    pub(crate) fn roll(&mut self, limit: u64, oldest: Timestamp) -> Result<(), JournalError> {
        if self.records.written >= limit {
            self.begin_records()?;
        }
        if self.events.written >= limit {
            self.begin_events(oldest)?;
        }
        Ok(())
    }

    /// Writes all that is kept to new segments and waits until it is on the disk. Returns the room that it frees.
    pub(crate) fn mend(&mut self, oldest: Timestamp) -> Result<usize, JournalError> {
        self.begin_records()?;
        self.begin_events(oldest)?;
        self.written = self.kept.back().map_or(self.settled, Group::end);
        let point = self.point();
        Ok(self.settle(&point))
    }

    fn begin_records(&mut self) -> Result<(), JournalError> {
        let first = self.settled_records;
        let kept: Vec<&[u8]> = self.kept.iter().map(|group| group.records.as_slice()).collect();
        let (dir, disk) = (&self.dir, &self.disk);
        let tail = begin(dir, disk, Kind::Records, first, &records_header(first), &kept)?;
        if self.records.first != first {
            let end = RECORDS_HEADER + (first - self.records.first);
            cut(dir, disk, &self.records, end)?;
        }
        self.records = tail;
        Ok(())
    }

    fn begin_events(&mut self, oldest: Timestamp) -> Result<(), JournalError> {
        let first = self.settled;
        let replaces = self.events.first == first;
        let header = Header {
            first,
            time: self.kept.front().map_or(oldest, |group| group.time.min(oldest)),
            previous: if replaces { self.previous } else { Some(self.events.settled) },
            records: self.settled_records,
            unfinished: self.unfinished.iter().copied().collect(),
        };
        let kept: Vec<&[u8]> = self.kept.iter().map(|group| group.events.as_slice()).collect();
        let tail = begin(&self.dir, &self.disk, Kind::Events, first, &header.encode()?, &kept)?;
        if !replaces {
            cut(&self.dir, &self.disk, &self.events, self.events.settled)?;
        }
        self.previous = header.previous;
        self.events = tail;
        Ok(())
    }
}

/// Makes a segment that holds `header` and `kept`, on the disk, and opens it.
pub(crate) fn begin(
    dir: &Path,
    disk: &Disk,
    kind: Kind,
    first: u64,
    header: &[u8],
    kept: &[&[u8]],
) -> Result<Tail, JournalError> {
    let path = dir.join(kind.path(first));
    let parts: Vec<&[u8]> = [header].into_iter().chain(kept.iter().copied()).collect();
    let made = disk
        .replace(&path, &parts)
        .and_then(|()| disk.sync_folder(&dir.join(kind.folder())))
        .and_then(|()| disk.open_append(&path));
    let file = made.map_err(|source| JournalError::io(&path, source))?;
    let written = parts.iter().map(|part| part.len() as u64).sum();
    Ok(Tail { kind, first, file: Arc::new(file), written, settled: header.len() as u64 })
}

fn cut(dir: &Path, disk: &Disk, tail: &Tail, end: u64) -> Result<(), JournalError> {
    let path = dir.join(tail.path());
    let cut =
        tail.file.metadata().and_then(|meta| if meta.len() == end { Ok(()) } else { disk.cut(&path, end) });
    cut.map_err(|source| JournalError::io(&path, source))
}
