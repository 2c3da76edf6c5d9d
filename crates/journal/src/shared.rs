//! What the tasks and the two threads of a journal share: the queue, the writer, how far each is, and who waits.
//!
//! An entry goes queue → operating system → disk. The first step is taken by whoever needs it (the leader of a group, which
//! may be a task on a runtime thread: one bounded write) or by the keeper; the second by the keeper alone, one sync for all
//! that wait. The writer is locked before the queue, never the other way round, and neither across an await.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::thread::Thread;

use model::{CallId, Clock};
use store::seal::Sealer;
use tokio::sync::Notify;

use crate::disk::Disk;
use crate::event::{Event, Finished};
use crate::health::{Condition, Duty};
use crate::queue::{Draft, Full, Queue};
use crate::strangers::Strangers;
use crate::writer::{Point, Writer};
use crate::{JournalError, RecordPart, describe, lock};

/// Bytes written and not synced after which the keeper syncs before anybody asks.
const EARLY: usize = 4 << 20;

/// Room that the end of a call takes, without its part: the usual memory holds the ends of 32,768 calls under way.
const END: usize = 1 << 10;

pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) condition: Condition,
    pub(crate) strangers: Mutex<Strangers>,
    /// No more entries are taken, and the threads end.
    pub(crate) stop: AtomicBool,
    /// The thread that syncs.
    pub(crate) keeper: OnceLock<Thread>,
    segment_bytes: u64,
    queue: Mutex<Queue>,
    writer: Mutex<Writer>,
    /// The positions after the last event that the operating system has, that the disk has, and that somebody wants there.
    written: AtomicU64,
    durable: AtomicU64,
    wanted: AtomicU64,
    wrote: Notify,
    synced: Notify,
}

/// The files and sizes that a journal begins with.
pub(crate) struct Parts {
    pub(crate) dir: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) segment_bytes: u64,
    pub(crate) queue: Queue,
    pub(crate) writer: Writer,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { dir, disk, sealer, clock, segment_bytes, queue, writer } = parts;
        let next = writer.point().written;
        Self {
            dir,
            disk,
            sealer,
            clock,
            condition: Condition::default(),
            strangers: Mutex::default(),
            stop: AtomicBool::new(false),
            keeper: OnceLock::new(),
            segment_bytes,
            queue: Mutex::new(queue),
            writer: Mutex::new(writer),
            written: AtomicU64::new(next),
            durable: AtomicU64::new(next),
            wanted: AtomicU64::new(next),
            wrote: Notify::new(),
            synced: Notify::new(),
        }
    }

    pub(crate) fn append(&self, event: &Event, record: Option<RecordPart>) -> Result<u64, JournalError> {
        self.condition.check()?;
        let draft = Draft::new(self.clock.now(), event, record, &self.sealer)?;
        let (position, long) = {
            let mut queue = lock(&self.queue);
            (queue.push(draft).map_err(full)?, queue.is_long())
        };
        if long {
            self.wake();
        }
        Ok(position)
    }

    /// Takes an event that recovery makes, however many there are.
    pub(crate) fn append_always(&self, event: &Event) -> Result<u64, JournalError> {
        let draft = Draft::new(self.clock.now(), event, None, &self.sealer)?;
        Ok(lock(&self.queue).push_reserved(draft, 0))
    }

    pub(crate) fn reserve_end(&self) -> Result<(), JournalError> {
        self.condition.check()?;
        lock(&self.queue).reserve(END).map_err(full)
    }

    pub(crate) fn release_end(&self) {
        lock(&self.queue).free(END);
    }

    /// Takes the end of a call whose room was reserved.
    pub(crate) fn push_end(&self, finished: Finished, record: Option<RecordPart>) -> u64 {
        let call = finished.call;
        let event = Event::Finished(Box::new(finished));
        let now = self.clock.now();
        // What cannot be written as it is (a part or a reason beyond every limit) ends the call all the same.
        let draft = Draft::new(now, &event, record, &self.sealer)
            .or_else(|_| Draft::new(now, &unrecordable(call), None, &self.sealer));
        match draft {
            Ok(draft) => lock(&self.queue).push_reserved(draft, END),
            Err(error) => {
                tracing::error!(%call, %error, "the end of a call could not be recorded");
                self.release_end();
                self.written().saturating_sub(1)
            }
        }
    }

    /// The position after the last event that the operating system has.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// The position after the last event that is on the disk.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Whether somebody waits for the disk.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire) > self.durable()
    }

    /// The events segment that is written to, and the bytes in it. It waits for the write under way.
    pub(crate) fn end_of_events(&self) -> (u64, u64) {
        self.with_writer(|writer| writer.point().events())
    }

    /// Wakes the keeper.
    pub(crate) fn wake(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.unpark();
        }
    }

    /// Waits until the operating system has the event. Whoever comes first writes for all.
    pub(crate) async fn wait_written(&self, position: u64) -> Result<(), JournalError> {
        while self.written() <= position && self.lead() {}
        loop {
            let notified = self.wrote.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.written() > position {
                return Ok(());
            }
            self.check_writing()?;
            if !self.lead() {
                notified.await;
            }
        }
    }

    /// Waits until the disk has the event.
    pub(crate) async fn wait_durable(&self, position: u64) -> Result<(), JournalError> {
        loop {
            let notified = self.synced.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.durable() > position {
                return Ok(());
            }
            self.check_writing()?;
            self.wanted.fetch_max(position + 1, Ordering::AcqRel);
            self.wake();
            notified.await;
        }
    }

    /// Writes what was taken, so that a reader of the files finds it.
    pub(crate) fn write_taken(&self) {
        while self.lead() {}
    }

    fn check_writing(&self) -> Result<(), JournalError> {
        if self.condition.is_down(Duty::Write) || self.condition.is_down(Duty::Closed) {
            return Err(self.condition.unavailable());
        }
        Ok(())
    }

    /// Writes one group, if nobody else writes. Returns whether it did something after which the caller should look again.
    fn lead(&self) -> bool {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let worked = !self.condition.is_down(Duty::Write) && self.write_one(&mut writer);
        let unsynced = writer.unsynced();
        drop(writer);
        self.wrote.notify_waiters();
        if unsynced > EARLY {
            self.wake();
        }
        worked
    }

    /// Writes the oldest group. What fails is down before the writer is free again, so that nothing is written after a gap.
    fn write_one(&self, writer: &mut Writer) -> bool {
        let Some(group) = lock(&self.queue).pop() else { return false };
        match writer.write(group) {
            Ok(end) => self.written.store(end, Ordering::Release),
            Err(error) => self.fail(&error),
        }
        true
    }

    fn fail(&self, error: &JournalError) {
        self.condition.fail(Duty::Write, describe(error), self.clock.now());
        self.wrote.notify_waiters();
        self.synced.notify_waiters();
        self.wake();
    }

    /// Takes the writer, however long that takes. Whoever found it taken meanwhile is told to look again.
    fn with_writer<R>(&self, work: impl FnOnce(&mut Writer) -> R) -> R {
        let mut writer = lock(&self.writer);
        let result = work(&mut writer);
        drop(writer);
        self.wrote.notify_waiters();
        result
    }

    /// Writes and syncs all that was appended. Only the keeper does this, and opening while there is none.
    pub(crate) fn cycle(&self) {
        let point = self.with_writer(|writer| {
            while !self.condition.is_down(Duty::Write) && self.write_one(writer) {}
            writer.point()
        });
        if point.written > self.durable() && !self.condition.is_down(Duty::Write) {
            self.settle(&point);
        }
        self.with_writer(|writer| self.roll(writer));
    }

    fn settle(&self, point: &Point) {
        match point.sync(&self.dir, &self.disk) {
            Ok(()) => {
                let freed = self.with_writer(|writer| writer.settle(point));
                self.made_durable(point.written, freed);
            }
            Err(error) => self.with_writer(|_| self.fail(&error)),
        }
    }

    fn made_durable(&self, to: u64, freed: usize) {
        lock(&self.queue).free(freed);
        self.durable.store(to, Ordering::Release);
        self.synced.notify_waiters();
    }

    /// Begins new segments where the current ones are full. Whoever wants to write meanwhile waits, once in 64 MiB.
    fn roll(&self, writer: &mut Writer) {
        if !writer.is_full(self.segment_bytes) || self.condition.is_down(Duty::Write) {
            return;
        }
        let point = writer.point();
        let rolled = point.sync(&self.dir, &self.disk).and_then(|()| {
            let freed = writer.settle(&point);
            self.made_durable(point.written, freed);
            writer.roll(self.segment_bytes, self.oldest())
        });
        if let Err(error) = rolled {
            self.fail(&error);
        }
    }

    /// Tries to write again what is kept. Returns whether that has healed the journal.
    pub(crate) fn mend(&self) -> bool {
        self.with_writer(|writer| match writer.mend(self.oldest()) {
            Ok(freed) => {
                let to = writer.point().written;
                self.written.store(to, Ordering::Release);
                self.condition.heal(Duty::Write);
                self.made_durable(to, freed);
                true
            }
            Err(error) => {
                self.condition.fail(Duty::Write, describe(&error), self.clock.now());
                false
            }
        })
    }

    /// No entry that is not written yet is older.
    fn oldest(&self) -> model::Timestamp {
        let now = self.clock.now();
        lock(&self.queue).oldest().map_or(now, |oldest| oldest.min(now))
    }
}

fn full(Full: Full) -> JournalError {
    let detail =
        "more waits for the disk than may be held in memory: the disk is too slow or does not answer";
    JournalError::Unavailable { detail: detail.to_owned() }
}

fn unrecordable(call: CallId) -> Event {
    let reason = "what is known of the end is too large to record".to_owned();
    Event::Finished(Box::new(Finished::bare(call, model::Outcome::Failed { reason })))
}
