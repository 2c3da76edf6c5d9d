//! Verification: is this journal, byte for byte, what was written?
//!
//! Every file is read. What the checkpoint signs is computed anew from the events, and each tile, bundle and sealed part
//! is compared with what it must be, so that a finding names the file that is wrong and the record that it is about.
//!
//! What each attack runs into:
//! - *a byte flipped*: frames, parts and headers have checksums; tiles and bundles are computed anew; a checkpoint is signed;
//! - *a record changed, with its checksum*: its commitment is another than bundle and tile have;
//! - *a record removed, repeated or moved*: frames carry their position, headers the length of the segment before;
//! - *the files changed consistently, all of them*: the root is another than the checkpoint signs;
//! - *the tail cut off, or an old copy put back, checkpoint included*: nothing in the files shows it, so give a checkpoint
//!   that was kept elsewhere;
//! - *a fork*: the root at that checkpoint's size is another;
//! - *a part exchanged for another call's*: it is sealed for its call and half, and its hash stands in the event.
//!
//! A journal that is in use, or whose process was killed, may end in an unfinished write after what its checkpoint covers.
//! That is no finding: its bytes are counted.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use store::seal::Sealer;

use crate::log::{checkpoint_path, read_checkpoint};
use crate::note::{TreeHead, VerifyKey};
use crate::{JournalError, describe};

mod events;
mod parts;
mod tree;

/// Findings that are listed; more are counted.
const MAX_FINDINGS: usize = 1000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, below the journal's folder.
    pub file: PathBuf,
    /// The record's number, counted from 0, where one is concerned.
    pub record: Option<u64>,
    /// The byte in the file.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.file.display())?;
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        write!(f, ", byte {}: {}", self.offset, self.what)
    }
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Events that were read.
    pub events: u64,
    /// Sealed parts that were read.
    pub parts: u64,
    /// Events that the checkpoint covers.
    pub covered: u64,
    /// Bytes of an unfinished write after the last event.
    pub unfinished: u64,
    /// What is wrong, up to 1,000 of it; empty when all is well.
    pub findings: Vec<Finding>,
    /// How many findings are not listed.
    pub more: u64,
}

impl Report {
    /// Whether all is well.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, file: impl Into<PathBuf>, record: Option<u64>, offset: u64, what: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { file: file.into(), record, offset, what: what.into() });
        } else {
            self.more += 1;
        }
    }

    fn error(&mut self, dir: &Path, error: JournalError) {
        match error {
            JournalError::Damaged { file, record, offset, what } => self.find(file, record, offset, what),
            JournalError::Io { file, source } => {
                let file = file.strip_prefix(dir).unwrap_or(&file).to_owned();
                self.find(file, None, 0, format!("it cannot be read: {source}"));
            }
            other => self.find("", None, 0, describe(&other)),
        }
    }
}

/// Verifies the journal in `dir`, in use or not. It blocks, and reads everything.
///
/// With `sealer`, the one that the journal was opened with, parts are opened too. `saved` is a checkpoint that was kept
/// elsewhere: the journal must continue it.
#[must_use]
pub fn verify(dir: &Path, sealer: Option<&Sealer>, key: &VerifyKey, saved: Option<&str>) -> Report {
    let mut report = Report::default();
    let head = match read_checkpoint(dir, key) {
        Ok(Some(head)) => head,
        Ok(None) => {
            report.find(checkpoint_path(), None, 0, "there is no checkpoint");
            TreeHead { size: 0, root: crate::merkle::empty_root() }
        }
        Err(error) => {
            report.error(dir, error);
            TreeHead { size: 0, root: crate::merkle::empty_root() }
        }
    };
    let signed = report.is_sound();
    report.covered = head.size;
    let saved = saved.and_then(|note| match key.open(note) {
        Ok(head) => Some(head),
        Err(bad) => {
            report.find("", None, 0, format!("the saved checkpoint does not count: {bad}"));
            None
        }
    });
    let mut tree = tree::Tree::new(dir, head, signed, saved);
    let mut parts = parts::Parts::new(dir, sealer);
    if let Err(error) = events::walk(dir, &mut report, &mut tree, &mut parts) {
        report.error(dir, error);
    }
    tree.finish(&mut report);
    if let Err(error) = parts.finish(&mut report) {
        report.error(dir, error);
    }
    report
}

/// The first bytes of a file, as many as it has of them.
fn beginning(path: &Path, bytes: u64) -> Result<Vec<u8>, JournalError> {
    let mut read = Vec::new();
    let file = File::open(path).map_err(|source| JournalError::io(path, source))?;
    file.take(bytes).read_to_end(&mut read).map_err(|source| JournalError::io(path, source))?;
    Ok(read)
}
