//! What reached the demo API: a line a request, without any secret, so that the credential's arrival can be proven from
//! the target's side.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use model::{Clock, Timestamp};
use serde::Serialize;

/// The name of the file in the state folder.
pub(super) const FILE: &str = "requests.jsonl";

/// Longer paths are cut.
const MAX_PATH: usize = 200;

/// The file. Each line is one `write` to a file opened for appending, so lines never mix.
#[derive(Debug)]
pub(super) struct Requests {
    clock: Arc<dyn Clock>,
    file: File,
}

/// What is noted of one request. Neither query nor header values are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    /// The method.
    pub(super) method: String,
    /// The path without its query.
    pub(super) path: String,
    /// Whether the right key came with it.
    pub(super) key: bool,
    /// Whether a credential of somebody else came with it: an `Authorization` or a `Cookie`. Behind a gateway none does.
    pub(super) foreign_credential: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    #[serde(flatten)]
    seen: &'a Seen,
}

impl Requests {
    /// Opens the file in `dir`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(dir: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        Ok(Self { clock, file: OpenOptions::new().append(true).create(true).open(dir.join(FILE))? })
    }

    /// Notes a request. Blocks on the disk, but does not sync.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub(super) fn note(&self, mut seen: Seen) -> io::Result<()> {
        if let Some((cut, _)) = seen.path.char_indices().nth(MAX_PATH) {
            seen.path.truncate(cut);
        }
        let mut line = serde_json::to_vec(&Line { at: self.clock.now(), seen: &seen })?;
        line.push(b'\n');
        (&self.file).write_all(&line)
    }
}
