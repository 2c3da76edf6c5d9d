//! The journal as its users have it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use model::{CallId, Clock, Outcome, RefusalKind, Secret};
use serde::{Deserialize, Serialize};
use store::seal::Sealer;

use crate::disk::Disk;
use crate::event::{Event, Finished};
use crate::health::{Duty, Health};
use crate::history::{CallHistory, CallSummary, Filter};
use crate::log::{Log, checkpoint_path};
use crate::note::{Signer, VerifyKey};
use crate::queue::Queue;
use crate::recover::{self, Found};
use crate::shared::{Parts, Shared};
use crate::writer::Writer;
use crate::{JournalError, keeper, lock};

/// When the record of a read has gone far enough for its answer to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// Reads wait for the operating system, so that killing the gateway loses nothing; effects wait for the disk.
    #[default]
    Writes,
    /// Reads wait for the disk too.
    All,
}

/// What a journal is opened with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its folder, which is made if it is not there. One process at a time has it.
    pub dir: PathBuf,
    /// The log's name in its checkpoints, like `countersign.example/gateway-1`: no white space, no `+`.
    pub origin: String,
    /// The Ed25519 key that signs checkpoints, in PKCS#8 form; [`new_key`] makes one.
    pub key: Secret,
    /// What seals the parts of records.
    pub sealer: Sealer,
    /// When reads are released.
    pub sync: SyncMode,
    /// Bytes after which a segment is full.
    pub segment_bytes: u64,
    /// Bytes that may wait in memory for the disk; beyond them entries are refused.
    pub buffer_bytes: usize,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    /// Settings with segments of 64 MiB and 32 MiB of memory, where effects wait for the disk and reads do not.
    #[must_use]
    pub fn new(dir: PathBuf, origin: String, key: Secret, sealer: Sealer, clock: Arc<dyn Clock>) -> Self {
        let (sync, segment_bytes, buffer_bytes) = (SyncMode::default(), 64 << 20, 32 << 20);
        Self { dir, origin, key, sealer, sync, segment_bytes, buffer_bytes, clock }
    }
}

/// A new Ed25519 signing key in PKCS#8 form, which the caller seals and keeps.
///
/// # Errors
/// [`JournalError::Key`] when the machine yields no random bytes.
pub fn new_key() -> Result<Secret, JournalError> {
    let random = aws_lc_rs::rand::SystemRandom::new();
    let key = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&random)
        .map_err(|_| JournalError::Key("the machine yields no random bytes to make one"))?;
    Ok(Secret::new(key.as_ref().to_vec()))
}

/// The place of an entry in the journal, counted from 0: the record number that errors and findings name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Position(pub(crate) u64);

impl Position {
    /// As a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One half of what was said in a call, masked, before it is sealed. At most 1 MiB.
#[derive(Clone)]
pub struct RecordPart {
    /// The bytes.
    pub plain: Vec<u8>,
}

impl RecordPart {
    /// A JSON document as a part.
    ///
    /// # Errors
    /// [`JournalError::Encode`] when the value has no JSON form.
    pub fn json(value: &impl Serialize) -> Result<Self, JournalError> {
        Ok(Self { plain: serde_json::to_vec(value).map_err(JournalError::Encode)? })
    }
}

impl std::fmt::Debug for RecordPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordPart({} bytes)", self.plain.len())
    }
}

/// What opening a journal found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// Calls that were begun and unfinished. Each has ended as `interrupted: may have run` by now, on the disk.
    pub interrupted: Vec<CallId>,
    /// Calls that recovery saw begin: all whose `begun` entry lies in the last segment, or that were under way when it
    /// began. For older ones ask [`Journal::has_begun`].
    pub begun: HashSet<CallId>,
    /// Bytes of an unfinished write that were cut off.
    pub cut: u64,
}

/// An open journal. Cheap to clone; when the last clone is dropped it is closed, and the drop waits for that.
#[derive(Clone)]
pub struct Journal {
    handle: Arc<Handle>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("dir", &self.shared().dir).finish_non_exhaustive()
    }
}

struct Handle {
    shared: Arc<Shared>,
    sync: SyncMode,
    key: VerifyKey,
    threads: Mutex<Option<Threads>>,
    /// Held as long as the journal is open.
    _lock: File,
}

struct Threads {
    keeper: JoinHandle<()>,
    log: JoinHandle<()>,
    stop_log: Arc<AtomicBool>,
}

impl Journal {
    /// Opens the journal in its folder, or creates one. It blocks: up to one segment is read.
    ///
    /// Calls that were begun and unfinished are ended as interrupted, on the disk, before this returns.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another process has it, [`JournalError::Damaged`] when what is on the disk is not what
    /// the checkpoint signs for, [`JournalError::Key`] and [`JournalError::Io`].
    pub fn open(settings: Settings) -> Result<(Self, Recovered), JournalError> {
        let signer = Signer::new(&settings.origin, &settings.key)?;
        let dir = settings.dir;
        fs::create_dir_all(&dir).map_err(|source| JournalError::io(&dir, source))?;
        let lock = hold(&dir)?;
        let disk = Disk::new(&dir).map_err(|source| JournalError::io(&dir, source))?;
        let key = signer.verify_key();
        let Found { start, log, begun, cut } = recover::open(&dir, &disk, signer, settings.clock.now())?;
        let interrupted: Vec<CallId> = start.unfinished.iter().copied().collect();
        let shared = Arc::new(Shared::new(Parts {
            queue: Queue::new(start.next, start.records_next, settings.buffer_bytes),
            writer: Writer::new(dir.clone(), disk.clone(), start),
            dir,
            disk,
            sealer: settings.sealer,
            clock: settings.clock,
            segment_bytes: settings.segment_bytes,
        }));
        interrupt(&shared, &interrupted, cut)?;
        let threads = Mutex::new(Some(spawn(&shared, log)?));
        let handle = Handle { shared, sync: settings.sync, key, threads, _lock: lock };
        Ok((Self { handle: Arc::new(handle) }, Recovered { interrupted, begun, cut }))
    }

    /// Takes an event, and the half of the call's record that goes with it. It does no I/O and does not wait.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] when the journal is full, broken or closed; [`JournalError::TooLarge`],
    /// [`JournalError::NoPart`], [`JournalError::Encode`]. Nothing was taken then.
    pub fn append(&self, event: Event, record: Option<RecordPart>) -> Result<Position, JournalError> {
        self.shared().append(&event, record).map(Position)
    }

    /// Reserves room for the end of `call`, before it is begun.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] when there is no room, or the journal is broken or closed.
    pub fn reserve_end(&self, call: CallId) -> Result<End, JournalError> {
        self.shared().reserve_end()?;
        Ok(End { shared: Some(Arc::clone(&self.handle.shared)), call })
    }

    /// Counts the refusal of a caller that proved nothing. What was counted becomes a bounded number of events a second.
    pub fn append_stranger(&self, source: IpAddr, kind: RefusalKind) {
        lock(&self.shared().strangers).count(source, kind);
    }

    /// Waits until the entry is where a read's must be before its answer is released: with the operating system, or on the
    /// disk where `journal.sync` is `all`. Mostly it returns at once: the caller that needs it writes for all that wait.
    ///
    /// A caller that leaves loses nothing and blocks nobody.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] when the entry cannot be written now. It stays queued, and is written when the journal
    /// recovers.
    pub async fn written(&self, position: Position) -> Result<(), JournalError> {
        match self.handle.sync {
            SyncMode::Writes => self.shared().wait_written(position.0).await,
            SyncMode::All => self.shared().wait_durable(position.0).await,
        }
    }

    /// Waits until the entry is on the disk. One sync serves all that wait.
    ///
    /// A caller that leaves loses nothing and blocks nobody.
    ///
    /// # Errors
    /// As [`Journal::written`].
    pub async fn durable(&self, position: Position) -> Result<(), JournalError> {
        self.shared().wait_durable(position.0).await
    }

    /// Hands what was taken to the operating system, unless another task is doing that at this moment. It waits for
    /// nobody; what it leaves, the other takes along.
    pub fn write_now(&self) {
        self.shared().write_taken();
    }

    /// Whether entries are taken, and if not, why.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared().condition.health()
    }

    /// The last checkpoint, a signed note. It blocks.
    ///
    /// # Errors
    /// [`JournalError::Io`] when its file cannot be read.
    pub fn checkpoint(&self) -> Result<String, JournalError> {
        let path = self.shared().dir.join(checkpoint_path());
        fs::read_to_string(&path).map_err(|source| JournalError::io(&path, source))
    }

    /// The public half of the key that signs checkpoints.
    #[must_use]
    pub fn verify_key(&self) -> &VerifyKey {
        &self.handle.key
    }

    /// At most `limit` calls (and never more than 1,000), newest first: every entry that was taken before is in it. It
    /// blocks.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] and [`JournalError::Io`].
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<CallSummary>, JournalError> {
        self.shared().write_taken();
        self.shared().list(filter, limit)
    }

    /// All of one call, or `None` when there is no such call. It blocks.
    ///
    /// # Errors
    /// As [`Journal::list`].
    pub fn show(&self, call: CallId) -> Result<Option<CallHistory>, JournalError> {
        self.shared().write_taken();
        self.shared().show(call)
    }

    /// Whether the call was ever begun. It blocks.
    ///
    /// # Errors
    /// As [`Journal::list`].
    pub fn has_begun(&self, call: CallId) -> Result<bool, JournalError> {
        self.shared().has_begun(call)
    }

    /// Takes no more entries, writes and syncs all that were taken, and signs for them. It blocks; other clones find the
    /// journal closed. A call whose end is pushed later is found open by the next run, and ends as interrupted.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`] when not everything could be written.
    pub fn close(self) -> Result<(), JournalError> {
        self.handle.close()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

impl Handle {
    fn close(&self) -> Result<(), JournalError> {
        let Some(threads) = lock(&self.threads).take() else { return Ok(()) };
        let shared = &self.shared;
        let before = shared.condition.health();
        shared.condition.fail(Duty::Closed, "it was closed".to_owned(), shared.clock.now());
        shared.stop.store(true, Ordering::Release);
        threads.keeper.thread().unpark();
        let kept = threads.keeper.join();
        threads.stop_log.store(true, Ordering::Release);
        threads.log.thread().unpark();
        let logged = threads.log.join();
        if kept.is_err() || logged.is_err() {
            return Err(JournalError::Unavailable {
                detail: "one of its threads has ended early".to_owned(),
            });
        }
        let unfinished = shared.condition.is_down(Duty::Write) || shared.condition.is_down(Duty::Log);
        match before {
            Health::Unavailable { detail, .. } if unfinished => Err(JournalError::Unavailable { detail }),
            _ if unfinished => Err(shared.condition.unavailable()),
            _ => Ok(()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the journal was closed with entries unwritten");
        }
    }
}

/// Room for the end of one call. Pushing the end cannot fail; dropping this without it gives the room back.
pub struct End {
    shared: Option<Arc<Shared>>,
    call: CallId,
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("End").field("call", &self.call).finish_non_exhaustive()
    }
}

impl End {
    /// Records the end, with what was answered. It does no I/O, does not wait and cannot fail, so it may stand in a `Drop`.
    /// Where there is no room for the part beyond what was reserved, it is left out, and the entry says so. The end is that
    /// of the call for which room was reserved, whatever `finished` names.
    pub fn push(mut self, finished: Finished, record: Option<RecordPart>) -> Position {
        let finished = Finished { call: self.call, ..finished };
        self.shared.take().map_or(Position(0), |shared| Position(shared.push_end(finished, record)))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.release_end();
        }
    }
}

/// Takes the journal's lock, or says that somebody has it.
fn hold(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|source| JournalError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::Locked { dir: dir.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(JournalError::io(&path, source)),
    }
}

/// Ends what a crash left open, on the disk.
fn interrupt(shared: &Shared, interrupted: &[CallId], cut: u64) -> Result<(), JournalError> {
    if interrupted.is_empty() && cut == 0 {
        return Ok(());
    }
    for call in interrupted {
        let end = Finished::bare(*call, Outcome::Interrupted);
        shared.append_always(&Event::Finished(Box::new(end)))?;
    }
    shared.append_always(&Event::Recovered { interrupted: interrupted.len() as u64, cut })?;
    shared.cycle();
    shared.condition.check()
}

fn spawn(shared: &Arc<Shared>, log: Log) -> Result<Threads, JournalError> {
    let failed = |source| JournalError::io(&shared.dir, source);
    let ours = Arc::clone(shared);
    let keeper = thread::Builder::new().name("journal-sync".to_owned()).spawn(move || keeper::keep(&ours));
    let keeper = keeper.map_err(failed)?;
    // Only this thread could have set it.
    let _ = shared.keeper.set(keeper.thread().clone());
    let (ours, stop_log) = (Arc::clone(shared), Arc::new(AtomicBool::new(false)));
    let stop = Arc::clone(&stop_log);
    let log = thread::Builder::new()
        .name("journal-log".to_owned())
        .spawn(move || keeper::keep_log(&ours, log, &stop));
    Ok(Threads { keeper, log: log.map_err(failed)?, stop_log })
}
