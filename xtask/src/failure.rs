//! What went wrong and what to do next: the only error of these commands.

use std::fmt;
use std::io;
use std::path::Path;

/// A sentence for each.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    next: String,
}

impl Failure {
    /// `what` failed; `next` is what the reader does about it.
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// A file or folder that could not be used.
    pub(crate) fn path(path: &Path, error: &io::Error) -> Self {
        Self::new(
            format!("cannot use `{}`: {error}", path.display()),
            "check that it is there and yours, and run this again",
        )
    }

    /// The same, with another thing to do.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  → {}", self.what, self.next)
    }
}
