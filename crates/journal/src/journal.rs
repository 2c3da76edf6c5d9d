//! stub
use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use model::*;

use crate::*;
/// stub
pub use store::seal::Sealer;

/// When a read's record is on its way far enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// Reads wait until the operating system has it, effects until the disk has it.
    #[default]
    Writes,
    /// Reads wait for the disk too.
    All,
}

/// What a journal is opened with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its folder.
    pub dir: PathBuf,
    /// The log's name in checkpoints: no spaces, no `+`.
    pub origin: String,
    /// The Ed25519 key that signs checkpoints, PKCS#8; [`new_key`] makes one.
    pub key: Secret,
    /// Seals record parts.
    pub sealer: Sealer,
    /// When reads are released.
    pub sync: SyncMode,
    /// Bytes after which a segment is full (64 MiB).
    pub segment_bytes: u64,
    /// Bytes that may wait in memory (32 MiB).
    pub buffer_bytes: usize,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}
impl Settings {
    /// With the usual sizes.
    #[must_use]
    pub fn new(_dir: PathBuf, _origin: String, _key: Secret, _sealer: Sealer, _clock: Arc<dyn Clock>) -> Self { unimplemented!() }
}
/// A new Ed25519 signing key, PKCS#8, for the caller to seal and keep.
pub fn new_key() -> Result<Secret, JournalError> { unimplemented!() }

/// An event's place in the journal, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

/// One half of what was said in a call, before it is sealed.
#[derive(Debug, Clone)]
pub struct RecordPart {
    /// The bytes.
    pub plain: Vec<u8>,
}
impl RecordPart {
    /// A JSON document as a part.
    pub fn json(_value: &impl serde::Serialize) -> Result<Self, JournalError> { unimplemented!() }
}

/// How the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It takes entries.
    Serving,
    /// It does not, for now.
    Unavailable {
        /// Why.
        detail: String,
        /// Since when.
        since: Timestamp,
    },
}

/// What opening found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// Calls that were begun and unfinished; each has an `interrupted` end by now.
    pub interrupted: Vec<CallId>,
    /// Calls that recovery saw begin.
    pub begun: HashSet<CallId>,
    /// Bytes of an unfinished write that were cut.
    pub cut: u64,
}

/// The journal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal;

/// Reserved room for one end.
#[derive(Debug)]
pub struct End;
impl End {
    /// Records the end. It cannot fail and does no I/O. Without room beyond what was reserved the part is left out, and the entry says so.
    pub fn push(self, _event: Finished, _record: Option<RecordPart>) -> Position { unimplemented!() }
}

impl Journal {
    /// Opens or creates (blocking).
    pub fn open(_settings: Settings) -> Result<(Self, Recovered), JournalError> { unimplemented!() }
    /// Takes an event; no I/O.
    pub fn append(&self, _event: Event, _record: Option<RecordPart>) -> Result<Position, JournalError> { unimplemented!() }
    /// Reserves room for a call's end.
    pub fn reserve_end(&self, _call: CallId) -> Result<End, JournalError> { unimplemented!() }
    /// Counts a refusal of somebody who proved nothing.
    pub fn append_stranger(&self, _source: IpAddr, _kind: RefusalKind) { unimplemented!() }
    /// Waits until the operating system has it (with `SyncMode::All`: the disk). Cancel-safe.
    pub async fn written(&self, _position: Position) -> Result<(), JournalError> { unimplemented!() }
    /// Waits until the disk has it. Cancel-safe.
    pub async fn durable(&self, _position: Position) -> Result<(), JournalError> { unimplemented!() }
    /// Whether it takes entries.
    pub fn health(&self) -> Health { unimplemented!() }
    /// The last checkpoint (blocking).
    pub fn checkpoint(&self) -> Result<String, JournalError> { unimplemented!() }
    /// The public half of the signing key.
    pub fn verify_key(&self) -> verify::VerifyKey { unimplemented!() }
    /// Newest calls first (blocking).
    pub fn list(&self, _filter: &Filter, _limit: usize) -> Result<Vec<CallSummary>, JournalError> { unimplemented!() }
    /// All of one call (blocking).
    pub fn show(&self, _call: CallId) -> Result<Option<CallHistory>, JournalError> { unimplemented!() }
    /// Whether the call was ever begun (blocking).
    pub fn has_begun(&self, _call: CallId) -> Result<bool, JournalError> { unimplemented!() }
    /// Final sync and checkpoint (blocking); later entries are refused.
    pub fn close(self) -> Result<(), JournalError> { unimplemented!() }
}

/// Which calls to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this target.
    pub target: Option<TargetName>,
    /// Whose chain contains this principal (`dev/alice`).
    pub principal: Option<String>,
    /// Only calls that were refused.
    pub refused: bool,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Older than this call, for the next page.
    pub before: Option<CallId>,
}

/// A line of a list of calls.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallSummary {
    /// Which call.
    pub call: CallId,
    /// When it was begun or refused.
    pub time: Timestamp,
    /// Who called.
    pub principal: Option<String>,
    /// What was called.
    pub target: Option<TargetName>,
    /// Its strongest verb.
    pub verb: Option<Verb>,
    /// In one masked line.
    pub sentence: String,
    /// How it ended; `None` while it is under way or waits.
    pub outcome: Option<Outcome>,
    /// The approval that it used or waits for.
    pub approval: Option<ApprovalId>,
    /// From `begun` to its end.
    pub micros: Option<u64>,
}

/// All that the journal has of one call.
#[derive(Debug)]
pub struct CallHistory {
    /// Which call.
    pub call: CallId,
    /// Its entries, oldest first, with those of its approval.
    pub entries: Vec<(Position, Entry)>,
    /// Its record, opened.
    pub parts: Vec<OpenedPart>,
}

/// One part of a record.
#[derive(Debug)]
pub struct OpenedPart {
    /// Which half.
    pub part: Part,
    /// What was recorded, or why it does not open.
    pub plain: Result<Secret, String>,
}
