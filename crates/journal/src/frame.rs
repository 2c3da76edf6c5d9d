//! Frames of event segments, as bytes.
//!
//! ```text
//! length u32 │ position u64 │ salt 16 bytes │ payload │ CRC-32 of all before │ length u32
//! ```
//! Numbers are little-endian. The length is that of the payload; it stands at both ends, so that a segment is read in
//! both directions. The entry that the transparency log commits to is `SHA-256(salt ‖ payload)`: a payload can be erased
//! with its salt, and what the log says of it still holds.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::merkle::{Hash, digest};

/// The largest payload of an event.
pub(crate) const MAX_EVENT: usize = 1 << 20;

/// The largest payload of any frame: a segment's header names every call under way, 39 bytes each.
pub(crate) const MAX_PAYLOAD: usize = 1 << 26;

/// What a frame adds to its payload.
pub(crate) const OVERHEAD: usize = HEAD + TAIL;

const HEAD: usize = 4 + 8 + SALT;
const TAIL: usize = 4 + 4;

/// Bytes of salt.
pub(crate) const SALT: usize = 16;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) position: u64,
    pub(crate) salt: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// What the log commits to.
    pub(crate) fn commitment(&self) -> Hash {
        digest(&[self.salt, self.payload])
    }
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They end within it.
    Short,
    /// They say something else.
    Damaged(&'static str),
}

/// Appends the frame of a payload that comes in two pieces.
pub(crate) fn encode(out: &mut Vec<u8>, position: u64, salt: &[u8; SALT], payload: [&[u8]; 2]) {
    let start = out.len();
    let [head, tail] = payload;
    let length = u32::try_from(head.len() + tail.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(salt);
    out.extend_from_slice(head);
    out.extend_from_slice(tail);
    let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&length);
}

/// Reads the frame that `bytes` begin with.
pub(crate) fn decode(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let frame = bytes.get(..length(bytes)?).ok_or(Fault::Short)?;
    let (frame, again) = frame.split_last_chunk::<4>().ok_or(Fault::Short)?;
    let (covered, crc) = frame.split_last_chunk::<4>().ok_or(Fault::Short)?;
    let (length, rest) = covered.split_first_chunk::<4>().ok_or(Fault::Short)?;
    if again != length {
        return Err(Fault::Damaged("its length at the end is not its length at the beginning"));
    }
    if crc32fast::hash(covered).to_le_bytes() != *crc {
        return Err(Fault::Damaged("its checksum does not match"));
    }
    let (position, rest) = rest.split_first_chunk::<8>().ok_or(Fault::Short)?;
    let (salt, payload) = rest.split_at_checked(SALT).ok_or(Fault::Short)?;
    Ok(Frame { position: u64::from_le_bytes(*position), salt, payload })
}

/// How long the frame is that `bytes` begin with.
fn length(bytes: &[u8]) -> Result<usize, Fault> {
    let (length, _) = bytes.split_first_chunk::<4>().ok_or(Fault::Short)?;
    match u32::from_le_bytes(*length) as usize {
        payload @ 2..=MAX_PAYLOAD => Ok(OVERHEAD + payload),
        _ => Err(Fault::Damaged("its length is none that a frame can have")),
    }
}

/// The place of the first whole frame in `bytes` after their first byte.
pub(crate) fn find_whole(bytes: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|&at| bytes.get(at..).is_some_and(|rest| decode(rest).is_ok()))
}

/// Reads frames one after the other, forward, from a file that may grow meanwhile.
pub(crate) struct Forward {
    file: File,
    buffer: Vec<u8>,
    start: usize,
    /// The byte of the file at which `buffer[start]` lies.
    offset: u64,
    /// Bytes of the frame that was given last.
    given: usize,
}

/// What a step found.
pub(crate) enum Step<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// The end of the file, between frames.
    End,
    /// No frame.
    Fault(Fault),
}

impl Forward {
    pub(crate) fn new(mut file: File, offset: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file, buffer: Vec::new(), start: 0, offset, given: 0 })
    }

    /// The place of the frame that the next step reads; after a frame, that frame's end.
    pub(crate) fn offset(&self) -> u64 {
        self.offset + self.given as u64
    }

    /// The next frame. After a fault the reader stays where it is.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        self.start += self.given;
        self.offset += self.given as u64;
        self.given = 0;
        loop {
            let have = self.buffer.get(self.start..).unwrap_or_default();
            match length(have) {
                Ok(length) if length <= have.len() => {
                    self.given = length;
                    break;
                }
                Ok(_) | Err(Fault::Short) => {}
                Err(fault) => return Ok(Step::Fault(fault)),
            }
            let empty = have.is_empty();
            if self.fill()? == 0 {
                return Ok(if empty { Step::End } else { Step::Fault(Fault::Short) });
            }
        }
        match decode(self.buffer.get(self.start..).unwrap_or_default()) {
            Ok(frame) => Ok(Step::Frame(frame)),
            Err(fault) => {
                self.given = 0;
                Ok(Step::Fault(fault))
            }
        }
    }

    /// Goes on at another place of the same file.
    pub(crate) fn jump(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.buffer.clear();
        (self.start, self.offset, self.given) = (0, offset, 0);
        Ok(())
    }

    /// All bytes from the next frame's place to the end of the file.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let offset = self.offset();
        self.jump(offset)?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        self.jump(offset)?;
        Ok(rest)
    }

    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let have = self.buffer.len();
        self.buffer.resize(have + CHUNK, 0);
        let read = self.file.read(self.buffer.get_mut(have..).unwrap_or_default());
        self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
        read
    }
}

/// Reads frames one after the other, backward, from a known end.
pub(crate) struct Backward {
    file: File,
    buffer: Vec<u8>,
    /// The byte of the file at which the buffer begins.
    offset: u64,
    /// Where the first frame begins.
    floor: u64,
    /// The frame that was given last.
    last: Vec<u8>,
}

impl Backward {
    /// Reads the frames between `floor` and `end`, last first.
    pub(crate) fn new(file: File, floor: u64, end: u64) -> Self {
        Self { file, buffer: Vec::new(), offset: end, floor, last: Vec::new() }
    }

    /// The frame before the last one given, and its place; `None` at the floor.
    pub(crate) fn step(&mut self) -> io::Result<Option<(u64, Result<Frame<'_>, Fault>)>> {
        let end = self.offset + self.buffer.len() as u64;
        if end <= self.floor {
            return Ok(None);
        }
        self.reach(end.saturating_sub(OVERHEAD as u64).max(self.floor))?;
        let Some(length) = self.buffer.last_chunk::<4>().map(|length| u32::from_le_bytes(*length)) else {
            return Ok(Some((end, Err(Fault::Short))));
        };
        let size = OVERHEAD as u64 + u64::from(length);
        let Some(start) =
            end.checked_sub(size).filter(|&start| start >= self.floor && length as usize <= MAX_PAYLOAD)
        else {
            return Ok(Some((end, Err(Fault::Damaged("its length is none that a frame can have")))));
        };
        self.reach(start)?;
        let at = usize::try_from(start - self.offset).unwrap_or(usize::MAX);
        self.last = self.buffer.split_off(at.min(self.buffer.len()));
        Ok(Some((start, decode(&self.last))))
    }

    fn reach(&mut self, offset: u64) -> io::Result<()> {
        if offset >= self.offset {
            return Ok(());
        }
        let from = offset.min(self.offset.saturating_sub(CHUNK as u64).max(self.floor));
        let mut more = vec![0; usize::try_from(self.offset - from).unwrap_or(usize::MAX)];
        self.file.seek(SeekFrom::Start(from))?;
        self.file.read_exact(&mut more)?;
        more.append(&mut self.buffer);
        self.buffer = more;
        self.offset = from;
        Ok(())
    }
}

const CHUNK: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn frames(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for (position, payload) in payloads.iter().enumerate() {
            encode(&mut out, position as u64, &[position as u8; SALT], [payload, b"{}"]);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_was_written_is_read_in_both_directions(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70_000), 0..20)) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&frames(&payloads)).unwrap();
            let end = file.stream_position().unwrap();
            let mut forward = Forward::new(file.try_clone().unwrap(), 0).unwrap();
            for (position, payload) in payloads.iter().enumerate() {
                let Step::Frame(frame) = forward.step().unwrap() else { panic!("no frame {position}") };
                prop_assert_eq!(frame.position, position as u64);
                prop_assert_eq!(&frame.payload[..payload.len()], &payload[..]);
            }
            prop_assert!(matches!(forward.step().unwrap(), Step::End));
            prop_assert_eq!(forward.offset(), end);
            let mut backward = Backward::new(file, 0, end);
            for (position, payload) in payloads.iter().enumerate().rev() {
                let (_, frame) = backward.step().unwrap().unwrap();
                let frame = frame.unwrap();
                prop_assert_eq!(frame.position, position as u64);
                prop_assert_eq!(&frame.payload[..payload.len()], &payload[..]);
            }
            prop_assert!(backward.step().unwrap().is_none());
        }

    }

    proptest! {
        #[test]
        fn a_changed_or_missing_byte_is_no_frame(payload: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let bytes = frames(&[payload]);
            let at = at.index(bytes.len());
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            prop_assert!(decode(&changed).is_err());
            prop_assert_eq!(decode(&bytes[..at]), Err(Fault::Short));
        }
    }
}
