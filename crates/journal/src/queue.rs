//! What was appended and not yet handed to the operating system: groups of frames, in memory, bounded.
//!
//! Appending does no I/O. An entry is made ready outside the queue's lock (its JSON, its sealed part); inside it gets its
//! position, the place of its part, and its checksum.

use std::collections::VecDeque;
use std::io::Write as _;

use model::{CallId, Timestamp};
use serde::Deserialize;
use store::seal::Sealer;

use crate::event::{Event, Part, RecordRef};
use crate::frame::{self, MAX_EVENT, SALT};
use crate::merkle::digest;
use crate::segment::{RECORD_OVERHEAD, encode_record};
use crate::{JournalError, RecordPart};

/// The largest sealed part: bodies of 64 KiB, heads, and room for what JSON adds.
const MAX_PART: usize = 1 << 20;

/// Bytes that a group has at most, so that the write of one is short.
const GROUP: usize = 1 << 20;

/// What a frame changes in the set of calls under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Begun(CallId),
    Finished(CallId),
}

/// The little that recovery reads of an entry.
#[derive(Debug, Deserialize)]
pub(crate) struct Glance<'a> {
    event: &'a str,
    call: Option<CallId>,
    pub(crate) record: Option<RecordRef>,
}

impl Glance<'_> {
    pub(crate) fn mark(&self) -> Option<Mark> {
        match (self.event, self.call) {
            ("begun", Some(call)) => Some(Mark::Begun(call)),
            ("finished", Some(call)) => Some(Mark::Finished(call)),
            _ => None,
        }
    }
}

/// What a part is sealed for: it opens for its own call and half only.
pub(crate) fn seal_context(call: CallId, part: Part) -> Vec<u8> {
    format!("journal record {call} {}", part.as_str()).into_bytes()
}

/// An entry that is ready but for its position.
pub(crate) struct Draft {
    time: Timestamp,
    /// The entry's JSON without its last brace.
    json: Vec<u8>,
    sealed: Option<Vec<u8>>,
    sha256: String,
    mark: Option<Mark>,
}

impl Draft {
    pub(crate) fn new(
        time: Timestamp,
        event: &Event,
        record: Option<RecordPart>,
        sealer: &Sealer,
    ) -> Result<Self, JournalError> {
        let sealed = match record {
            None => None,
            Some(record) => {
                let (call, part) = event.part().ok_or(JournalError::NoPart)?;
                within(record.plain.len(), MAX_PART)?;
                Some(sealer.seal(&seal_context(call, part), &record.plain))
            }
        };
        let mut json = Vec::with_capacity(640);
        json.extend_from_slice(b"{\"time\":");
        serde_json::to_writer(&mut json, &time).map_err(JournalError::Encode)?;
        let brace = json.len();
        serde_json::to_writer(&mut json, event).map_err(JournalError::Encode)?;
        // The event's own object goes on where the time's began.
        if let Some(brace) = json.get_mut(brace) {
            *brace = b',';
        }
        json.pop();
        within(json.len() + 200, MAX_EVENT)?;
        let sha256 = sealed.as_ref().map(|sealed| hex::encode(digest(&[sealed]))).unwrap_or_default();
        let mark = match event {
            Event::Begun(begun) => Some(Mark::Begun(begun.call)),
            Event::Finished(finished) => Some(Mark::Finished(finished.call)),
            _ => None,
        };
        Ok(Self { time, json, sealed, sha256, mark })
    }

    /// Bytes that it takes in memory until it is on the disk.
    fn bytes(&self) -> usize {
        self.sealed.as_ref().map_or(0, Vec::len) + self.json.len() + 200
    }

    /// Leaves the part out and says so.
    fn lose_part(&mut self) {
        self.sealed = None;
        self.json.extend_from_slice(b",\"record\":{\"lost\":true}");
    }
}

fn within(bytes: usize, limit: usize) -> Result<(), JournalError> {
    if bytes <= limit { Ok(()) } else { Err(JournalError::TooLarge { bytes, limit }) }
}

/// Frames that are written together.
pub(crate) struct Group {
    /// The position of its first event.
    pub(crate) first: u64,
    /// How many events.
    pub(crate) count: u64,
    /// When the first was appended.
    pub(crate) time: Timestamp,
    pub(crate) events: Vec<u8>,
    pub(crate) records: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
    held: usize,
}

impl Group {
    /// The position after its last event.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Bytes of room that it gives back when it is on the disk.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

/// The bounded queue.
pub(crate) struct Queue {
    next: u64,
    records_next: u64,
    groups: VecDeque<Group>,
    held: usize,
    limit: usize,
    salts: Salts,
    suffix: Vec<u8>,
}

/// There is no room in memory: the disk is slower than the calls, or does not take anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Queue {
    pub(crate) fn new(next: u64, records_next: u64, limit: usize) -> Self {
        let groups = VecDeque::new();
        Self { next, records_next, groups, held: 0, limit, salts: Salts::new(), suffix: Vec::new() }
    }

    /// Takes an entry, if there is room.
    pub(crate) fn push(&mut self, draft: Draft) -> Result<u64, Full> {
        if self.held + draft.bytes() > self.limit {
            return Err(Full);
        }
        Ok(self.take(draft))
    }

    /// Takes an entry for which room was reserved. Without room beyond that, its part is left out.
    pub(crate) fn push_reserved(&mut self, mut draft: Draft, room: usize) -> u64 {
        self.free(room);
        if draft.sealed.is_some() && self.held + draft.bytes() > self.limit {
            draft.lose_part();
        }
        self.take(draft)
    }

    /// Reserves room.
    pub(crate) fn reserve(&mut self, room: usize) -> Result<(), Full> {
        if self.held + room > self.limit {
            return Err(Full);
        }
        self.held += room;
        Ok(())
    }

    /// Gives room back.
    pub(crate) fn free(&mut self, room: usize) {
        self.held = self.held.saturating_sub(room);
    }

    /// The oldest group.
    pub(crate) fn pop(&mut self) -> Option<Group> {
        self.groups.pop_front()
    }

    /// When the oldest entry was appended.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.groups.front().map(|group| group.time)
    }

    /// Whether more than one group waits, so that somebody should write before anybody asks.
    pub(crate) fn is_long(&self) -> bool {
        self.groups.len() > 1
    }

    fn take(&mut self, draft: Draft) -> u64 {
        let held = draft.bytes();
        let position = self.next;
        self.suffix.clear();
        if let Some(sealed) = &draft.sealed {
            let (offset, length, sha256) = (self.records_next, sealed.len(), &draft.sha256);
            // Writing to a vector does not fail.
            let _ = write!(
                self.suffix,
                r#","record":{{"offset":{offset},"length":{length},"sha256":"{sha256}"}}"#
            );
            self.records_next += sealed.len() as u64 + RECORD_OVERHEAD;
        }
        self.suffix.push(b'}');
        let salt = self.salts.next();
        if self.groups.back().is_none_or(|group| group.held + held > GROUP) {
            self.groups.push_back(Group {
                first: position,
                count: 0,
                time: draft.time,
                events: Vec::with_capacity(1024),
                records: Vec::new(),
                marks: Vec::new(),
                held: 0,
            });
        }
        if let Some(group) = self.groups.back_mut() {
            frame::encode(&mut group.events, position, &salt, [&draft.json, &self.suffix]);
            if let Some(sealed) = &draft.sealed {
                encode_record(&mut group.records, sealed);
            }
            group.marks.extend(draft.mark);
            group.count += 1;
            group.held += held;
        }
        self.next += 1;
        self.held += held;
        position
    }
}

/// Random salts, drawn many at a time.
struct Salts {
    pool: Vec<[u8; SALT]>,
}

impl Salts {
    fn new() -> Self {
        Self { pool: Vec::new() }
    }

    #[expect(
        clippy::expect_used,
        reason = "without randomness no commitment hides its event, and nothing may go on"
    )]
    fn next(&mut self) -> [u8; SALT] {
        if let Some(salt) = self.pool.pop() {
            return salt;
        }
        let mut bytes = [0; 256 * SALT];
        aws_lc_rs::rand::fill(&mut bytes).expect("the machine yields random bytes");
        self.pool.extend_from_slice(bytes.as_chunks::<SALT>().0);
        self.pool.pop().unwrap_or_default()
    }
}
