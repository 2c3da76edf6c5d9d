//! The two threads of a journal: the keeper syncs and mends, the log's keeper makes tiles and checkpoints.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::health::Duty;
use crate::log::Log;
use crate::shared::Shared;
use crate::{describe, lock};

/// How often what nobody waits for is synced, counted and signed for.
const TICK: Duration = Duration::from_secs(1);

/// The first pause after a failure; each further one is twice as long, up to [`TICK`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Writes and syncs until it is told to stop, and once more then.
pub(crate) fn keep(shared: &Shared) {
    let mut counted = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let stopping = shared.stop.load(Ordering::Acquire);
        if shared.condition.is_down(Duty::Write) {
            if shared.mend() {
                pause = FIRST_PAUSE;
                continue;
            }
            if stopping {
                return;
            }
            rest(shared, pause);
            pause = (pause * 2).min(TICK);
            continue;
        }
        if stopping || counted.elapsed() >= TICK {
            counted = Instant::now();
            count_strangers(shared);
        }
        shared.cycle();
        if shared.condition.is_down(Duty::Write) {
            continue;
        }
        if stopping {
            return;
        }
        if !shared.is_wanted() {
            thread::park_timeout(TICK.saturating_sub(counted.elapsed()));
        }
    }
}

fn count_strangers(shared: &Shared) {
    let events = lock(&shared.strangers).take();
    for event in events {
        // Bounded in number, and counted already: they find room.
        if let Err(error) = shared.append_always(&event) {
            tracing::error!(%error, "refusals of strangers could not be recorded");
        }
    }
}

/// Waits out a pause that nobody may cut short but the end.
fn rest(shared: &Shared, pause: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < pause && !shared.stop.load(Ordering::Acquire) {
        thread::park_timeout(pause.saturating_sub(begun.elapsed()));
    }
}

/// Lets the log follow what is on the disk, about once a second, until told to stop, and once more then.
pub(crate) fn keep_log(shared: &Arc<Shared>, mut log: Log, stop: &std::sync::atomic::AtomicBool) {
    loop {
        let stopping = stop.load(Ordering::Acquire);
        match log.advance(shared.durable()) {
            Ok(()) => {
                if shared.condition.is_down(Duty::Log) {
                    shared.condition.heal(Duty::Log);
                }
            }
            Err(error) => shared.condition.fail(Duty::Log, describe(&error), shared.clock.now()),
        }
        if stopping {
            return;
        }
        thread::park_timeout(TICK);
    }
}
