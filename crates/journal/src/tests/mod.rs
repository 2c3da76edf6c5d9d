//! Tests of the journal as a whole. What each file is about is its name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::{
    Access, Accesses, ActionName, CallId, Clock, Obligations, Outcome, Resource, Secret, SessionId,
    TargetName, Timestamp, Verb,
};
use store::seal::Sealer;

use crate::verify::{Report, verify};
use crate::{
    Begun, Event, Finished, Journal, JournalError, Position, RecordPart, Recovered, Settings, new_key,
};

mod damage;
mod faults;
mod group_commit;
mod history;
mod recovery;

/// A clock that moves by a microsecond whenever it is read, and by more when told to.
#[derive(Debug)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A folder, and what journals in it are opened with.
struct House {
    _tmp: tempfile::TempDir,
    dir: PathBuf,
    key: Secret,
    clock: Arc<TestClock>,
    segment_bytes: u64,
    buffer_bytes: usize,
}

impl House {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let now = model::SystemClock.now().micros();
        Self {
            dir: tmp.path().join("journal"),
            _tmp: tmp,
            key: new_key().unwrap(),
            clock: Arc::new(TestClock(AtomicI64::new(now))),
            segment_bytes: 16 << 10,
            buffer_bytes: 8 << 20,
        }
    }

    fn settings(&self, dir: &Path) -> Settings {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let mut settings = Settings::new(
            dir.to_owned(),
            "test/journal".to_owned(),
            self.key.clone(),
            Sealer::for_test(),
            clock,
        );
        settings.segment_bytes = self.segment_bytes;
        settings.buffer_bytes = self.buffer_bytes;
        settings
    }

    fn open(&self) -> Journal {
        self.open_at(&self.dir).unwrap().0
    }

    fn open_at(&self, dir: &Path) -> Result<(Journal, Recovered), JournalError> {
        Journal::open(self.settings(dir))
    }

    /// The folder as a killed process leaves it, or as a thief copies it.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self._tmp.path().join(name);
        copy(&self.dir, &to);
        to
    }

    /// The folder as a process leaves it that was killed before it signed for what it wrote after `signed` was copied.
    fn copy_unsigned(&self, name: &str, signed: &Path) -> PathBuf {
        let to = self.copy(name);
        fs::remove_dir_all(to.join("log")).unwrap();
        copy(&signed.join("log"), &to.join("log"));
        to
    }

    fn verify(&self, dir: &Path, saved: Option<&str>) -> Report {
        let signer = crate::note::Signer::new("test/journal", &self.key).unwrap();
        verify(dir, Some(&Sealer::for_test()), &signer.verify_key(), saved)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// All files below `dir`, relative to it, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn crm() -> TargetName {
    TargetName::parse("crm").unwrap()
}

fn begun(call: CallId) -> Event {
    let access = Access {
        action: ActionName::builtin("http.get"),
        verb: Verb::Read,
        resource: Resource::target(&crm()),
    };
    Event::Begun(Box::new(Begun {
        call,
        session: SessionId::new(),
        principal: "dev/alice via dev/agent".to_owned(),
        target: crm(),
        accesses: Accesses::one(access),
        sentence: "GET /customers/1".to_owned(),
        policy: "3f2a".to_owned(),
        reasons: Vec::new(),
        obligations: Obligations::default(),
        approval: None,
        digest: None,
        signers: Vec::new(),
        credential: None,
    }))
}

fn finished(call: CallId) -> Finished {
    Finished::bare(call, Outcome::Answered { status: 200 })
}

fn part(text: &str) -> Option<RecordPart> {
    Some(RecordPart { plain: text.as_bytes().to_vec() })
}

/// Begins and finishes `calls` calls with both parts of their records, a sync now and then.
async fn fill(journal: &Journal, calls: usize) -> Vec<CallId> {
    let (mut ids, mut last) = (Vec::new(), None);
    for n in 0..calls {
        let call = CallId::new();
        let end = journal.reserve_end(call).unwrap();
        let position = journal.append(begun(call), part(&format!("asked {n}"))).unwrap();
        journal.written(position).await.unwrap();
        let position = end.push(finished(call), part(&format!("answered {n}")));
        if n % 20 == 0 {
            journal.durable(position).await.unwrap();
        }
        last = Some(position);
        ids.push(call);
    }
    if let Some(last) = last {
        journal.durable(last).await.unwrap();
    }
    ids
}

/// The positions and payloads of all events on the disk, in order.
fn events(dir: &Path) -> Vec<(Position, Event)> {
    let mut found = Vec::new();
    for first in crate::segment::list(dir, crate::segment::Kind::Events).unwrap() {
        let mut segment = crate::segment::EventsSegment::open(dir, first).unwrap();
        while let crate::frame::Step::Frame(frame) = segment.frames.step().unwrap() {
            let entry: crate::Entry = serde_json::from_slice(frame.payload).unwrap();
            found.push((Position(frame.position), entry.event));
        }
    }
    found
}
