//! How much of callers' bodies may be held in memory at once.

use std::sync::Arc;

use bytes::Bytes;
use model::{Refusal, RefusalKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most that one call's body may hold in memory, where it is read in full.
pub const BODY_LIMIT: usize = 1 << 20;

/// The most that all bodies together may hold.
const TOTAL_KIB: usize = 64 << 10;

/// A budget of memory for bodies that are read in full.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// Room for one body, given back when dropped: it lives as long as the body does.
#[derive(Debug)]
pub struct Allowance {
    _permit: OwnedSemaphorePermit,
}

/// A body that was read in full, with the room that it takes.
#[derive(Debug)]
pub struct Whole {
    /// The bytes.
    pub bytes: Bytes,
    /// Their room.
    pub room: Allowance,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOTAL_KIB)))
    }

    /// Room for one body, whatever its length turns out to be, or a refusal at once: waiting would hold more memory.
    pub(crate) fn reserve(&self) -> Result<Allowance, Refusal> {
        let kib = u32::try_from(BODY_LIMIT >> 10).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.0).try_acquire_many_owned(kib);
        let too_large =
            |_| Refusal::new(RefusalKind::TooLarge, "64 MiB of bodies are being held: try again later");
        Ok(Allowance { _permit: permit.map_err(too_large)? })
    }
}
