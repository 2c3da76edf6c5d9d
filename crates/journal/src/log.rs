//! The transparency log: it follows the events that are on the disk, and signs for them.
//!
//! It reads what it commits to back from the segments, never from memory, so that a checkpoint covers only what the disk
//! holds. The order of its writes is tiles, then the checkpoint that needs them, each on the disk before the next.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::JournalError;
use crate::disk::Disk;
use crate::frame::Step;
use crate::note::{Signer, TreeHead, VerifyKey};
use crate::segment::{EventsSegment, Kind};
use crate::tiles::{Edge, LOG, Tile, Tiles, damaged};

/// Entries that are hashed before their tiles are written.
const BATCH: u64 = 4096;

/// A log that is written to.
pub(crate) struct Log {
    dir: PathBuf,
    disk: Disk,
    signer: Signer,
    edge: Edge,
    /// The size that the checkpoint on the disk covers.
    signed: u64,
    /// The segment in which the next event lies, and how far it was read; `None` before the first reading.
    cursor: Option<(u64, u64)>,
    /// Full tiles that are still to be written.
    pending: Vec<Tile>,
    /// Folders of partial tiles that a full one has made superfluous.
    stale: Vec<PathBuf>,
}

/// The checkpoint's path below the journal's folder.
pub(crate) fn checkpoint_path() -> PathBuf {
    Path::new(LOG).join("checkpoint")
}

/// Reads the checkpoint in `dir`; `None` when there is none.
pub(crate) fn read_checkpoint(dir: &Path, key: &VerifyKey) -> Result<Option<TreeHead>, JournalError> {
    let path = dir.join(checkpoint_path());
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(JournalError::io(&path, source)),
    };
    let text = str::from_utf8(&bytes).map_err(|_| damaged(checkpoint_path(), None, 0, "it is not UTF-8"))?;
    let head = key.open(text).map_err(|bad| damaged(checkpoint_path(), None, 0, bad.to_string()))?;
    Ok(Some(head))
}

impl Log {
    /// A log without entries, and its first checkpoint.
    pub(crate) fn create(dir: PathBuf, disk: Disk, signer: Signer) -> Result<Self, JournalError> {
        let mut log = Self {
            dir,
            disk,
            signer,
            edge: Edge::default(),
            signed: 0,
            cursor: None,
            pending: Vec::new(),
            stale: Vec::new(),
        };
        log.sign()?;
        Ok(log)
    }

    /// The log that `head` describes, if the tiles say the same.
    pub(crate) fn load(
        dir: PathBuf,
        disk: Disk,
        signer: Signer,
        head: TreeHead,
    ) -> Result<Self, JournalError> {
        let edge = Edge::load(&dir, head.size)?;
        let mut tiles = Tiles::new(&dir, head.size);
        if edge.root() != head.root || crate::merkle::root(&mut tiles, head.size)? != head.root {
            let what = "the tiles do not hash to the root that the checkpoint signs: they are of another log";
            return Err(damaged(checkpoint_path(), None, 0, what));
        }
        let signed = head.size;
        Ok(Self { dir, disk, signer, edge, signed, cursor: None, pending: Vec::new(), stale: Vec::new() })
    }

    /// Takes in the events up to `durable` and signs for them. After an error it goes on where it stopped.
    pub(crate) fn advance(&mut self, durable: u64) -> Result<(), JournalError> {
        self.write_pending()?;
        while self.edge.size() < durable {
            self.read_batch(durable)?;
            self.write_pending()?;
        }
        if self.edge.size() > self.signed {
            self.sign()?;
        }
        for folder in self.stale.drain(..) {
            // What stays behind is a prefix of its full tile: superfluous, never wrong.
            let _ = fs::remove_dir_all(self.dir.join(folder));
        }
        Ok(())
    }

    fn read_batch(&mut self, durable: u64) -> Result<(), JournalError> {
        let (first, offset) = match self.cursor {
            Some(cursor) => cursor,
            None => (self.segment_of(self.edge.size())?, 0),
        };
        let mut segment = EventsSegment::open(&self.dir, first)?;
        let path = segment.path.clone();
        let failed = |source| JournalError::io(&self.dir.join(&path), source);
        if offset > 0 {
            segment.frames.jump(offset).map_err(failed)?;
        }
        let upto = durable.min(self.edge.size() + BATCH);
        while self.edge.size() < upto {
            let size = self.edge.size();
            match segment.frames.step().map_err(failed)? {
                Step::Frame(frame) if frame.position == size => {
                    let entry = frame.commitment();
                    self.edge.push(entry, &mut self.pending);
                }
                // Only the first reading begins before the log's end.
                Step::Frame(frame) if frame.position < size && self.cursor.is_none() => {}
                Step::End if size != first && self.dir.join(Kind::Events.path(size)).exists() => {
                    self.cursor = Some((size, 0));
                    return Ok(());
                }
                Step::Frame(_) | Step::End | Step::Fault(_) => {
                    let what = "a record that was on the disk is not there any more";
                    return Err(damaged(path, Some(size), segment.frames.offset(), what));
                }
            }
        }
        self.cursor = Some((first, segment.frames.offset()));
        Ok(())
    }

    fn segment_of(&self, position: u64) -> Result<u64, JournalError> {
        let firsts = crate::segment::list(&self.dir, Kind::Events)?;
        let what = "the segment that holds the log's next record is missing";
        firsts
            .into_iter()
            .rfind(|&first| first <= position)
            .ok_or_else(|| damaged(Kind::Events.path(position), Some(position), 0, what))
    }

    fn write_pending(&mut self) -> Result<(), JournalError> {
        self.write(&self.pending)?;
        self.stale.extend(self.pending.drain(..).filter_map(|tile| tile.replaces));
        Ok(())
    }

    fn sign(&mut self) -> Result<(), JournalError> {
        let head = TreeHead { size: self.edge.size(), root: self.edge.root() };
        let checkpoint = Tile {
            place: None,
            path: checkpoint_path(),
            bytes: self.signer.checkpoint(&head).into_bytes(),
            replaces: None,
        };
        self.write(&self.edge.partials())?;
        self.write(&[checkpoint])?;
        self.signed = head.size;
        Ok(())
    }

    /// Writes files and waits until they, and their names, are on the disk.
    fn write(&self, tiles: &[Tile]) -> Result<(), JournalError> {
        let mut folders = BTreeSet::new();
        for tile in tiles {
            let path = self.dir.join(&tile.path);
            let folder = path.parent().unwrap_or(&self.dir);
            if folder.exists() {
                folders.insert(folder.to_owned());
            } else {
                fs::create_dir_all(folder).map_err(|source| JournalError::io(folder, source))?;
                folders.extend(
                    folder.ancestors().take_while(|up| up.starts_with(&self.dir)).map(Path::to_owned),
                );
            }
            // Nothing relies on a full tile before it is signed for; of the others, an older form may be in use.
            let made = match tile.replaces {
                Some(_) => self.disk.create(&path, &tile.bytes),
                None => self.disk.replace(&path, &[&tile.bytes]),
            };
            made.map_err(|source| JournalError::io(&path, source))?;
        }
        for folder in folders {
            self.disk.sync_folder(&folder).map_err(|source| JournalError::io(&folder, source))?;
        }
        Ok(())
    }
}
