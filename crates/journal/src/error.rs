//! Why the journal says no.

use std::io;
use std::path::{Path, PathBuf};

/// Why an entry was not taken, or a journal not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Full, broken or closed: nothing may be done that would need a record. It heals by itself when the disk does.
    #[error("the journal cannot be written: {detail}")]
    Unavailable {
        /// What failed, on which file.
        detail: String,
    },
    /// One event or record part is larger than an entry may be.
    #[error("an entry of {bytes} bytes is larger than the {limit} bytes that one may have")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A record part was given to an event that begins, ends or refuses no call.
    #[error("only an event that begins, ends or refuses a call carries a part of its record")]
    NoPart,
    /// An event could not be written as JSON.
    #[error("the event cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// Another process has the journal open.
    #[error("the journal `{}` is in use by another process: end that one first, or choose another data folder", dir.display())]
    Locked {
        /// The journal's folder.
        dir: PathBuf,
    },
    /// What is on the disk is not what was written. Run `countersign audit verify` for all that is wrong.
    #[error("the journal is damaged: `{}`{}: {what}", file.display(), place(*record, *offset))]
    Damaged {
        /// The file, relative to the journal's folder.
        file: PathBuf,
        /// The record number, where it is known.
        record: Option<u64>,
        /// The byte in the file.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("`{}` cannot be used", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The signing key or the origin cannot be used.
    #[error("the journal's key cannot be used: {0}")]
    Key(&'static str),
}

impl JournalError {
    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }
}

fn place(record: Option<u64>, offset: u64) -> String {
    match record {
        Some(record) => format!(", record {record}, byte {offset}"),
        None => format!(", byte {offset}"),
    }
}
