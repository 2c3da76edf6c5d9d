//! The journal: what happened, in order, so that nobody can change it unseen.
//!
//! It promises that
//! - an entry for which [`Journal::written`] returned survives the gateway, and one for which [`Journal::durable`] returned
//!   survives the machine;
//! - a byte changed, a record removed, repeated or moved, a tail cut off or an old copy put back is found by
//!   [`verify::verify`], which names file and record (a cut tail and an old copy by a checkpoint that was kept elsewhere);
//! - what was said in a call is sealed, and bound to its event, its call and its half;
//! - while it cannot be written it takes nothing, and it takes entries again when the disk does.
//!
//! It refuses to open beside another process, over a damaged file, or with a log that is shorter or other than its
//! checkpoint.
//!
//! # Files
//! ```text
//! journal/
//!   lock                        held by the one process that has it open
//!   events/00000000000000000000 frames of events; named for the position of the first
//!   records/0000…               sealed parts of records; named for their offset over all segments
//!   log/checkpoint              signed note: how many entries, and their root (C2SP tlog-checkpoint)
//!   log/tile/…                  hashes and commitments (C2SP tlog-tiles); may be published, tells nothing
//!   tmp/                        files in the making
//! ```
//! The order of writes is records, then the events that name them, then tiles, then the checkpoint. Each is on the disk
//! before the next one is synced, so whatever a crash leaves, an earlier one of them covers the later.
//!
//! # Threads
//! Appending is a push into memory. The write is done by the task that needs it, for all; the sync by a thread, for all;
//! the log follows on another thread, about once a second. [`Journal::list`], [`Journal::show`] and
//! [`verify::verify`] block and belong on a blocking thread.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod disk;
mod error;
mod event;
mod frame;
mod health;
mod history;
mod journal;
mod keeper;
mod log;
pub mod merkle;
mod note;
mod queue;
mod recover;
mod segment;
mod shared;
mod strangers;
#[cfg(test)]
mod tests;
mod tiles;
pub mod verify;
mod writer;

pub use error::JournalError;
pub use event::{ApprovalEnd, Asked, Begun, Credential, Entry, Event, Finished, Part, RecordRef, Refused};
pub use health::Health;
pub use history::{CallHistory, CallSummary, Filter, OpenedPart};
pub use journal::{End, Journal, Position, RecordPart, Recovered, Settings, SyncMode, new_key};
pub use note::{BadCheckpoint, BadKey, TreeHead, VerifyKey};

/// Locks. What a lock here guards is whole between statements, so a thread that panicked with it has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its causes, in one line.
fn describe(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
