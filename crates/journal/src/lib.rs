//! The journal: what happened, in order, so that nobody can change it unseen.
//!
//! stub
mod error;
mod event;
mod journal;
pub mod verify;

pub use error::JournalError;
pub use event::{
    ApprovalEnd, Asked, Begun, Credential, Entry, Event, Finished, Part, RecordRef, Refused,
};
pub use journal::*;
