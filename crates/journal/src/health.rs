//! Whether the journal takes entries, and if not, why.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use model::Timestamp;

use crate::{JournalError, lock};

/// How the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It takes entries.
    Serving,
    /// It takes none until the disk does.
    Unavailable {
        /// What failed, on which file.
        detail: String,
        /// Since when.
        since: Timestamp,
    },
}

/// What can fail, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Writing and syncing segments.
    Write = 1,
    /// Keeping the log's tiles and checkpoint.
    Log = 2,
    /// Nothing: it was closed.
    Closed = 4,
}

/// Shared by all who use the journal. While all is well, a look at it is one atomic load.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    down: AtomicU8,
    troubles: Mutex<Vec<(Duty, String, Timestamp)>>,
}

impl Condition {
    pub(crate) fn is_down(&self, duty: Duty) -> bool {
        self.down.load(Ordering::Acquire) & duty as u8 != 0
    }

    /// Takes note of a failure; the first of a row keeps its time.
    pub(crate) fn fail(&self, duty: Duty, detail: String, now: Timestamp) {
        let mut troubles = lock(&self.troubles);
        match troubles.iter_mut().find(|(which, ..)| *which == duty) {
            Some(trouble) => trouble.1 = detail,
            None => {
                if duty != Duty::Closed {
                    tracing::error!(%detail, "the journal is unavailable: calls are refused until it can be written");
                }
                troubles.push((duty, detail, now));
            }
        }
        self.down.fetch_or(duty as u8, Ordering::Release);
    }

    pub(crate) fn heal(&self, duty: Duty) {
        let mut troubles = lock(&self.troubles);
        let before = troubles.len();
        troubles.retain(|(which, ..)| *which != duty);
        if troubles.len() < before && troubles.is_empty() {
            tracing::info!("the journal is written again");
        }
        self.down.fetch_and(!(duty as u8), Ordering::Release);
    }

    pub(crate) fn health(&self) -> Health {
        let troubles = lock(&self.troubles);
        // Why it stopped says more than that it was closed.
        match troubles.iter().find(|(duty, ..)| *duty != Duty::Closed).or_else(|| troubles.first()) {
            None => Health::Serving,
            Some((_, detail, since)) => Health::Unavailable { detail: detail.clone(), since: *since },
        }
    }

    /// Refuses while anything is down.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        if self.down.load(Ordering::Acquire) == 0 { Ok(()) } else { Err(self.unavailable()) }
    }

    pub(crate) fn unavailable(&self) -> JournalError {
        match self.health() {
            Health::Serving => {
                JournalError::Unavailable { detail: "it has just recovered: try again".to_owned() }
            }
            Health::Unavailable { detail, .. } => JournalError::Unavailable { detail },
        }
    }
}
