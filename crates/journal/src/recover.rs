//! Opening a journal: what the last run left, checked against what it signed for, and made ready to go on.
//!
//! From the segment that holds the end of the last checkpoint on, every frame is read. What the checkpoint covers must be
//! there and must hash to what the tiles say. What comes after it may end in a write that a crash cut short, and only such
//! an end is cut off, with its bytes counted; anything else that is wrong is an error that says where.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{CallId, Timestamp};

use crate::JournalError;
use crate::disk::Disk;
use crate::event::RecordRef;
use crate::frame::{Fault, Step, find_whole};
use crate::log::{Log, checkpoint_path, read_checkpoint};
use crate::merkle::{Nodes as _, digest, leaf_hash};
use crate::note::{Signer, TreeHead};
use crate::queue::{Glance, Mark};
use crate::segment::{
    self, EventsSegment, Header, Kind, RECORD_OVERHEAD, RECORDS_HEADER, RecordFault, read_record,
    records_header,
};
use crate::tiles::{Tiles, damaged};
use crate::writer::{Start, Tail, begin};

/// A journal that is ready to go on.
pub(crate) struct Found {
    pub(crate) start: Start,
    pub(crate) log: Log,
    /// Calls that were seen to begin.
    pub(crate) begun: HashSet<CallId>,
    /// Bytes that were cut.
    pub(crate) cut: u64,
}

/// Opens the journal in `dir`, which is locked, or creates it.
pub(crate) fn open(dir: &Path, disk: &Disk, signer: Signer, now: Timestamp) -> Result<Found, JournalError> {
    for folder in [Kind::Events.folder(), Kind::Records.folder(), crate::tiles::LOG] {
        let path = dir.join(folder);
        fs::create_dir_all(&path).map_err(|source| JournalError::io(&path, source))?;
    }
    disk.sync_folder(dir).map_err(|source| JournalError::io(dir, source))?;
    let firsts = segment::list(dir, Kind::Events)?;
    match read_checkpoint(dir, &signer.verify_key())? {
        Some(head) if !firsts.is_empty() => resume(dir, disk, signer, head, &firsts),
        Some(head) if head.size > 0 => {
            let what =
                format!("the checkpoint covers {} records, but there are no events segments", head.size);
            Err(damaged(checkpoint_path(), None, 0, what))
        }
        None if !firsts.is_empty() => {
            let what =
                "there are events, but no checkpoint: it was removed, or this is only a part of a journal";
            Err(damaged(checkpoint_path(), None, 0, what))
        }
        // A crash while the journal was made leaves a checkpoint of nothing.
        Some(_) | None => create(dir, disk, signer, now),
    }
}

fn create(dir: &Path, disk: &Disk, signer: Signer, now: Timestamp) -> Result<Found, JournalError> {
    let log = Log::create(dir.to_owned(), disk.clone(), signer)?;
    let records = begin(dir, disk, Kind::Records, 0, &records_header(0), &[])?;
    let header = Header { first: 0, time: now, previous: None, records: 0, unfinished: Vec::new() };
    let events = begin(dir, disk, Kind::Events, 0, &header.encode()?, &[])?;
    let unfinished = BTreeSet::new();
    let start = Start { events, records, previous: None, next: 0, records_next: 0, unfinished };
    Ok(Found { start, log, begun: HashSet::new(), cut: 0 })
}

fn resume(
    dir: &Path,
    disk: &Disk,
    signer: Signer,
    head: TreeHead,
    firsts: &[u64],
) -> Result<Found, JournalError> {
    let log = Log::load(dir.to_owned(), disk.clone(), signer, head)?;
    let from = firsts.iter().rposition(|&first| first <= head.size).ok_or_else(|| {
        damaged(Kind::Events.path(0), Some(0), 0, "the segment with the log's last records is missing")
    })?;
    let mut replay = Replay {
        dir,
        disk,
        covered: head.size,
        tiles: Tiles::new(dir, head.size),
        records: Records::open(dir, disk)?,
        position: 0,
        records_next: 0,
        unfinished: BTreeSet::new(),
        begun: HashSet::new(),
        cut: 0,
    };
    let mut end = None;
    for (place, &first) in firsts.iter().enumerate().skip(from) {
        let before = place.checked_sub(1).and_then(|place| firsts.get(place)).copied();
        replay.check_before(before, &EventsSegment::open(dir, first)?, place + 1 == firsts.len())?;
    }
    for (place, &first) in firsts.iter().enumerate().skip(from) {
        end = Some(replay.segment(first, place == from, place + 1 == firsts.len())?);
    }
    let missing = || damaged(Kind::Events.path(0), Some(0), 0, "the segment is missing");
    let (first, length, header) = end.ok_or_else(missing)?;
    replay.check_covered(first, length)?;
    let path = Kind::Events.path(first);
    let events =
        tail(dir, disk, Kind::Events, first, length).map_err(|e| JournalError::io(&dir.join(&path), e))?;
    let records = replay.records.finish(replay.records_next)?;
    let Replay { position, records_next, unfinished, begun, cut, .. } = replay;
    let previous = header.previous;
    let start = Start { events, records, previous, next: position, records_next, unfinished };
    Ok(Found { start, log, begun, cut })
}

/// Opens a segment to write on at `length`, with all before it on the disk.
fn tail(dir: &Path, disk: &Disk, kind: Kind, first: u64, length: u64) -> io::Result<Tail> {
    let path = dir.join(kind.path(first));
    if fs::metadata(&path)?.len() > length {
        disk.cut(&path, length)?;
    }
    let file = disk.open_append(&path)?;
    disk.sync(&file)?;
    Ok(Tail { kind, first, file: Arc::new(file), written: length, settled: length })
}

struct Replay<'a> {
    dir: &'a Path,
    disk: &'a Disk,
    /// The checkpoint covers the positions before this one.
    covered: u64,
    tiles: Tiles<'a>,
    records: Records,
    /// The position of the next frame.
    position: u64,
    records_next: u64,
    unfinished: BTreeSet<CallId>,
    begun: HashSet<CallId>,
    cut: u64,
}

impl Replay<'_> {
    /// Reads one segment and returns its first position, its length and its header.
    fn segment(&mut self, first: u64, starts: bool, ends: bool) -> Result<(u64, u64, Header), JournalError> {
        let mut segment = EventsSegment::open(self.dir, first)?;
        if starts {
            self.position = first;
            self.records_next = segment.header.records;
            self.unfinished = segment.header.unfinished.iter().copied().collect();
            self.begun.extend(&self.unfinished);
        } else if self.position != first {
            let what = format!("records {} to {first} are missing before it", self.position);
            return Err(damaged(segment.path, Some(self.position), 0, what));
        }
        let (path, dir) = (segment.path.clone(), self.dir);
        let failed = |source| JournalError::io(&dir.join(&path), source);
        loop {
            let offset = segment.frames.offset();
            match segment.frames.step().map_err(failed)? {
                Step::End => return Ok((first, offset, segment.header)),
                Step::Frame(frame) => {
                    if frame.position != self.position {
                        let what =
                            format!("record {} stands where record {} should", frame.position, self.position);
                        return Err(damaged(path, Some(self.position), offset, what));
                    }
                    let glance = serde_json::from_slice::<Glance<'_>>(frame.payload);
                    let glance = glance
                        .map_err(|_| damaged(path.clone(), Some(frame.position), offset, "it is no entry"))?;
                    let leaf = leaf_hash(&frame.commitment());
                    if self.position < self.covered {
                        self.check_leaf(&path, offset, leaf)?;
                    } else if !self.records.has(&glance, self.position)? {
                        // The event outran its record to the disk: neither had been promised.
                        self.cut_tail(&path, offset)?;
                        return Ok((first, offset, segment.header));
                    }
                    self.take(&glance);
                }
                Step::Fault(fault) => {
                    let rest = segment.frames.rest().map_err(failed)?;
                    if !ends || self.position < self.covered || !is_torn(fault, &rest) {
                        return Err(damaged(path, Some(self.position), offset, what_is_wrong(fault)));
                    }
                    self.cut_tail(&path, offset)?;
                    return Ok((first, offset, segment.header));
                }
            }
        }
    }

    /// The segment before has the length that this one says. Where a mended journal was killed before it cut the old
    /// segment, the cut is made up for.
    fn check_before(
        &mut self,
        before: Option<u64>,
        segment: &EventsSegment,
        ends: bool,
    ) -> Result<(), JournalError> {
        let (before, says) = match (before, segment.header.previous) {
            (Some(before), Some(says)) => (before, says),
            (None, None) => return Ok(()),
            (Some(_), None) => {
                let what = "it says that it is the first, but there is one before it";
                return Err(damaged(segment.path.clone(), None, 0, what));
            }
            (None, Some(_)) => {
                let what = "the segment before it is missing";
                return Err(damaged(segment.path.clone(), None, 0, what));
            }
        };
        let path = Kind::Events.path(before);
        let full = self.dir.join(&path);
        let length = fs::metadata(&full).map_err(|source| JournalError::io(&full, source))?.len();
        if length > says && ends {
            self.disk.cut(&full, says).map_err(|source| JournalError::io(&full, source))?;
        } else if length != says {
            let what = format!("it has {length} bytes, but the segment after it says {says}");
            return Err(damaged(path, None, length.min(says), what));
        }
        Ok(())
    }

    fn check_leaf(&mut self, path: &Path, offset: u64, leaf: [u8; 32]) -> Result<(), JournalError> {
        if self.tiles.node(0, self.position)? == leaf {
            return Ok(());
        }
        let what = "it is not the record that the log's tiles commit to";
        Err(damaged(path.to_owned(), Some(self.position), offset, what))
    }

    /// All that the checkpoint covers was there.
    fn check_covered(&self, first: u64, length: u64) -> Result<(), JournalError> {
        if self.position >= self.covered {
            return Ok(());
        }
        let what =
            format!("it ends before record {}, but the checkpoint covers {}", self.position, self.covered);
        Err(damaged(Kind::Events.path(first), Some(self.position), length, what))
    }

    fn take(&mut self, glance: &Glance<'_>) {
        match glance.mark() {
            Some(Mark::Begun(call)) => {
                self.begun.insert(call);
                self.unfinished.insert(call);
            }
            Some(Mark::Finished(call)) => {
                self.unfinished.remove(&call);
            }
            None => {}
        }
        if let Some(RecordRef::At { offset, length, .. }) = glance.record {
            self.records_next = offset + u64::from(length) + RECORD_OVERHEAD;
        }
        self.position += 1;
    }

    fn cut_tail(&mut self, path: &Path, offset: u64) -> Result<(), JournalError> {
        let full = self.dir.join(path);
        let failed = |source| JournalError::io(&full, source);
        let bytes = fs::metadata(&full).map_err(failed)?.len().saturating_sub(offset);
        tracing::warn!(file = %path.display(), record = self.position, offset, bytes, "an unfinished write was cut off");
        self.cut += bytes;
        self.disk.cut(&full, offset).map_err(failed)
    }
}

/// Whether a tail that is no frame is what a crash leaves: a file that ends within a frame, or whose end was never filled,
/// with no whole frame after it.
pub(crate) fn is_torn(fault: Fault, rest: &[u8]) -> bool {
    let unfilled = rest.last_chunk::<8>().is_none_or(|end| *end == [0; 8]);
    (fault == Fault::Short || unfilled) && find_whole(rest).is_none()
}

pub(crate) fn what_is_wrong(fault: Fault) -> &'static str {
    match fault {
        Fault::Short => "the segment ends within it",
        Fault::Damaged(what) => what,
    }
}

/// The records segments, as far as recovery needs them.
struct Records {
    dir: PathBuf,
    disk: Disk,
    firsts: Vec<u64>,
    open: Option<(u64, File)>,
}

impl Records {
    fn open(dir: &Path, disk: &Disk) -> Result<Self, JournalError> {
        let firsts = segment::list(dir, Kind::Records)?;
        Ok(Self { dir: dir.to_owned(), disk: disk.clone(), firsts, open: None })
    }

    /// Whether the part that an entry names is there. `false` when its file ends before it, or was never filled.
    fn has(&mut self, glance: &Glance<'_>, position: u64) -> Result<bool, JournalError> {
        let Some(RecordRef::At { offset, length, sha256 }) = &glance.record else { return Ok(true) };
        let (first, file) = self.segment_of(*offset)?;
        let at = RECORDS_HEADER + (offset - first);
        let path = Kind::Records.path(first);
        let read = read_record(file, at).map_err(|source| JournalError::io(&path, source))?;
        match read {
            Err(RecordFault::Short | RecordFault::Unfilled) => Ok(false),
            Ok(sealed) if sealed.len() == *length as usize && digest(&[&sealed]) == *sha256.as_bytes() => {
                Ok(true)
            }
            Ok(_) | Err(RecordFault::Damaged) => {
                let what = "the sealed part is not the one that its event names";
                Err(damaged(path, Some(position), at, what))
            }
        }
    }

    fn segment_of(&mut self, offset: u64) -> Result<(u64, &mut File), JournalError> {
        let missing =
            || damaged(Kind::Records.path(offset), None, 0, "the segment with the sealed part is missing");
        let first = self.firsts.iter().copied().rfind(|&first| first <= offset).ok_or_else(missing)?;
        if !matches!(self.open, Some((open, _)) if open == first) {
            let path = self.dir.join(Kind::Records.path(first));
            self.open = Some((first, File::open(&path).map_err(|source| JournalError::io(&path, source))?));
        }
        self.open.as_mut().map(|(first, file)| (*first, file)).ok_or_else(missing)
    }

    /// Opens the last segment to write on at `next`, and cuts what no event names.
    fn finish(&mut self, next: u64) -> Result<Tail, JournalError> {
        let (first, _) = self.segment_of(next)?;
        let path = Kind::Records.path(first);
        let full = self.dir.join(&path);
        let want = RECORDS_HEADER + (next - first);
        let failed = |source| JournalError::io(&full, source);
        let have = fs::metadata(&full).map_err(failed)?.len();
        if have < want {
            let what = format!("it has {have} bytes, but events name parts up to byte {want}");
            return Err(damaged(path, None, have, what));
        }
        // A segment that begins later holds nothing that an event names.
        for later in self.firsts.iter().filter(|&&later| later > first) {
            let later = self.dir.join(Kind::Records.path(*later));
            fs::remove_file(&later).map_err(|source| JournalError::io(&later, source))?;
        }
        if let Some(before) = self.firsts.iter().copied().rfind(|&before| before < first) {
            let path = self.dir.join(Kind::Records.path(before));
            let end = RECORDS_HEADER + (first - before);
            let failed = |source| JournalError::io(&path, source);
            if fs::metadata(&path).map_err(failed)?.len() > end {
                self.disk.cut(&path, end).map_err(failed)?;
            }
        }
        tail(&self.dir, &self.disk, Kind::Records, first, want).map_err(failed)
    }
}
