//! How many durable records a second, how long each waits, and what a call costs the processor.
//!
//! `cargo bench -p countersign-journal`. It writes to `COUNTERSIGN_BENCH_DIR`, or to the folder for temporary files, which
//! should be on a real disk.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and ends when it cannot go on"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use journal::{Begun, Event, Finished, Journal, RecordPart, Settings, new_key};
use model::{
    Access, Accesses, ActionName, CallId, Obligations, Outcome, PolicyId, Reason, Resource, SessionId,
    SystemClock, TargetName, Verb,
};
use store::seal::Sealer;

const TASKS: usize = 64;
const RUN: Duration = Duration::from_secs(5);
const CALLS: usize = 400_000;

fn main() {
    let base = std::env::var_os("COUNTERSIGN_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let dir = base.join(format!("countersign-journal-bench-{}", std::process::id()));
    durable(&dir.join("durable"));
    calls(&dir.join("events"), None);
    calls(&dir.join("parts"), Some(600));
    std::fs::remove_dir_all(&dir).expect("the benchmark's folder goes");
}

fn open(dir: &Path) -> Journal {
    let key = new_key().expect("a key");
    let settings = Settings::new(
        dir.to_owned(),
        "bench/journal".to_owned(),
        key,
        Sealer::for_test(),
        SystemClock::shared(),
    );
    Journal::open(settings).expect("a journal").0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// 64 tasks on one thread, each with one record at a time.
fn durable(dir: &Path) {
    let journal = open(dir);
    let before = cpu();
    let waits = runtime().block_on(async {
        let begin = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let journal = journal.clone();
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    while begin.elapsed() < RUN {
                        let call = CallId::new();
                        let end = Finished::bare(call, Outcome::Answered { status: 200 });
                        for event in [begun(call), Event::Finished(Box::new(end))] {
                            let start = Instant::now();
                            let position = journal.append(event, None).expect("room");
                            journal.durable(position).await.expect("a disk");
                            waits.push(start.elapsed());
                        }
                    }
                    waits
                })
            })
            .collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await.expect("a task"));
        }
        waits
    });
    let spent = cpu() - before;
    report_waits(waits, spent);
    journal.close().expect("an end");
}

fn report_waits(mut waits: Vec<Duration>, spent: Duration) {
    waits.sort_unstable();
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "durable, {TASKS} waiting: {:.0} records/s, median wait {:?}, p99 {:?}, {:.2} us of CPU each",
        waits.len() as f64 / RUN.as_secs_f64(),
        at(0.5),
        at(0.99),
        micros_each(spent, waits.len()),
    );
}

/// Calls that change nothing: both events, the first waited for as a read waits.
fn calls(dir: &Path, part: Option<usize>) {
    let journal = open(dir);
    let record = || part.map(|bytes| RecordPart { plain: vec![b'x'; bytes] });
    let before = cpu();
    let start = Instant::now();
    runtime().block_on(async {
        for round in 0..CALLS / TASKS {
            let mut last = None;
            let calls: Vec<CallId> = (0..TASKS).map(|_| CallId::new()).collect();
            let mut begun_at = Vec::with_capacity(TASKS);
            for call in &calls {
                let end = journal.reserve_end(*call).expect("room");
                begun_at.push((journal.append(begun(*call), record()).expect("room"), end));
            }
            for (call, (position, end)) in calls.iter().zip(begun_at) {
                journal.written(position).await.expect("a disk");
                last = Some(end.push(Finished::bare(*call, Outcome::Answered { status: 200 }), record()));
            }
            // A caller that is faster than the disk for long is refused: this one stays within what may wait.
            if let Some(last) = last.filter(|_| round % 64 == 0) {
                journal.durable(last).await.expect("a disk");
            }
        }
    });
    let elapsed = start.elapsed();
    journal.close().expect("an end");
    println!(
        "reads, {TASKS} at a time, {}: {:.0} calls/s, {:.2} us of CPU a call (all threads, both events)",
        part.map_or("events only".to_owned(), |bytes| format!("two sealed parts of {bytes} bytes")),
        CALLS as f64 / elapsed.as_secs_f64(),
        micros_each(cpu() - before, CALLS),
    );
}

fn micros_each(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / count as f64
}

/// Processor time of this process, user and system, in steps of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn begun(call: CallId) -> Event {
    let target = TargetName::parse("crm").expect("a name");
    let access = Access {
        action: ActionName::builtin("http.get"),
        verb: Verb::Read,
        resource: Resource::target(&target),
    };
    Event::Begun(Box::new(Begun {
        call,
        session: SessionId::new(),
        principal: "dev/function".to_owned(),
        target,
        accesses: Accesses::one(access),
        sentence: "GET /customers/1042".to_owned(),
        policy: "9f86d081884c7d65".to_owned(),
        reasons: vec![Reason::Permit { policy: PolicyId("crm.cedar#read".into()) }],
        obligations: Obligations::default(),
        approval: None,
        digest: None,
        signers: Vec::new(),
        credential: None,
    }))
}
