//! Segments: the files of `events/` and `records/`, and what their headers say.
//!
//! Both are named for what comes first in them: the position of an event, or the offset of a record frame counted over all
//! segments. A segment that had to be written again keeps those numbers, so nothing that names them goes stale.
//!
//! An events segment is a magic number, a header frame and frames (see [`crate::frame`]). The header's payload is JSON: the
//! first position, the time, the length of the segment before, where records stood, and the calls that were under way, so
//! that recovery reads the last segment only. A records segment is a magic number, its first offset, a CRC-32 of both, and
//! record frames: `length u32 │ CRC-32 of length and bytes │ sealed bytes`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use model::{CallId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::JournalError;
use crate::frame::{self, Forward, MAX_PAYLOAD, SALT, Step};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Events,
    Records,
}

impl Kind {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Records => "records",
        }
    }

    /// Where the segment that begins with `first` lies, below the journal's folder.
    pub(crate) fn path(self, first: u64) -> PathBuf {
        Path::new(self.folder()).join(format!("{first:020}"))
    }
}

/// The firsts of all segments in `dir`, in order.
pub(crate) fn list(dir: &Path, kind: Kind) -> Result<Vec<u64>, JournalError> {
    let folder = dir.join(kind.folder());
    let read = || -> io::Result<Vec<u64>> {
        let mut firsts = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            firsts.extend(
                name.to_str().filter(|name| name.len() == 20).and_then(|name| name.parse::<u64>().ok()),
            );
        }
        firsts.sort_unstable();
        Ok(firsts)
    };
    read().map_err(|source| JournalError::io(&folder, source))
}

/// What an events segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The position of its first event.
    pub(crate) first: u64,
    /// No event in it was appended earlier, while the clock runs forward.
    pub(crate) time: Timestamp,
    /// Bytes of the segment before it, where there is one.
    pub(crate) previous: Option<u64>,
    /// Where the next record frame would have begun.
    pub(crate) records: u64,
    /// The calls that were begun and unfinished, sorted.
    pub(crate) unfinished: Vec<CallId>,
}

impl Header {
    /// The bytes that the segment begins with.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, JournalError> {
        let payload = serde_json::to_vec(self).map_err(JournalError::Encode)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(JournalError::TooLarge { bytes: payload.len(), limit: MAX_PAYLOAD });
        }
        let mut out = EVENTS_MAGIC.to_vec();
        frame::encode(&mut out, self.first, &[0; SALT], [&payload, &[]]);
        Ok(out)
    }
}

/// An events segment that was opened: its header, and a reader that stands at its first event.
pub(crate) struct EventsSegment {
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
    pub(crate) frames: Forward,
}

impl EventsSegment {
    pub(crate) fn open(dir: &Path, first: u64) -> Result<Self, JournalError> {
        let path = Kind::Events.path(first);
        let open = || -> io::Result<Result<(Header, Forward), &'static str>> {
            let mut file = File::open(dir.join(&path))?;
            let mut magic = [0; EVENTS_MAGIC.len()];
            if file.read_exact(&mut magic).is_err() || magic != EVENTS_MAGIC {
                return Ok(Err("it does not begin as an events segment"));
            }
            let mut frames = Forward::new(file, magic.len() as u64)?;
            let header = match frames.step()? {
                Step::Frame(frame) => serde_json::from_slice::<Header>(frame.payload).ok(),
                Step::End | Step::Fault(_) => None,
            };
            let header = header.filter(|header| header.first == first);
            Ok(header.map(|header| (header, frames)).ok_or("its header cannot be read"))
        };
        match open().map_err(|source| JournalError::io(&dir.join(&path), source))? {
            Ok((header, frames)) => Ok(Self { path, header, frames }),
            Err(what) => {
                Err(JournalError::Damaged { file: path, record: None, offset: 0, what: what.to_owned() })
            }
        }
    }
}

/// The bytes that a records segment begins with.
pub(crate) fn records_header(first: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(RECORDS_HEADER as usize);
    header.extend_from_slice(RECORDS_MAGIC);
    header.extend_from_slice(&first.to_le_bytes());
    let crc = crc32fast::hash(&header);
    header.extend_from_slice(&crc.to_le_bytes());
    header
}

/// Appends the record frame of `sealed`.
pub(crate) fn encode_record(out: &mut Vec<u8>, sealed: &[u8]) {
    let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&record_crc(&length, sealed).to_le_bytes());
    out.extend_from_slice(sealed);
}

/// What a record frame adds to its sealed bytes.
pub(crate) const RECORD_OVERHEAD: u64 = 8;

/// Why there is no record frame at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordFault {
    /// The file ends before or within it.
    Short,
    /// Nothing was ever written there.
    Unfilled,
    /// Its checksum does not match.
    Damaged,
}

/// Reads the record frame at `at` bytes of an open records segment.
pub(crate) fn read_record(file: &mut File, at: u64) -> io::Result<Result<Vec<u8>, RecordFault>> {
    file.seek(SeekFrom::Start(at))?;
    let mut head = [0; RECORD_OVERHEAD as usize];
    if !read_all(file, &mut head)? {
        return Ok(Err(RecordFault::Short));
    }
    let [a, b, c, d, crc @ ..] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if head == [0; RECORD_OVERHEAD as usize] {
        return Ok(Err(RecordFault::Unfilled));
    }
    if u64::from(length) > file.metadata()?.len().saturating_sub(at + RECORD_OVERHEAD) {
        return Ok(Err(RecordFault::Short));
    }
    let mut sealed = vec![0; length as usize];
    if !read_all(file, &mut sealed)? {
        return Ok(Err(RecordFault::Short));
    }
    let sound = record_crc(&length.to_le_bytes(), &sealed).to_le_bytes() == crc;
    Ok(if sound { Ok(sealed) } else { Err(RecordFault::Damaged) })
}

fn read_all(file: &mut File, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn record_crc(length: &[u8; 4], sealed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(sealed);
    hasher.finalize()
}

pub(crate) const EVENTS_MAGIC: [u8; 8] = *b"CSevents";
const RECORDS_MAGIC: &[u8; 8] = b"CSrecord";

/// Bytes of a records segment's header.
pub(crate) const RECORDS_HEADER: u64 = 20;
