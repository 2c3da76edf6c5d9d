//! A disk that is full or broken: refused while it lasts, served when it is over, nothing lost.

use super::recovery::until_serving;
use super::*;
use crate::Health;

async fn full_disk(short: usize) {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 30).await;
    let faults = journal.shared().disk.faults.clone();
    faults.short.store(short, Ordering::SeqCst);
    faults.full.store(true, Ordering::SeqCst);
    let call = CallId::new();
    let end = journal.reserve_end(call).unwrap();
    let position = journal.append(begun(call), part("asked")).unwrap();
    assert!(matches!(journal.written(position).await, Err(JournalError::Unavailable { .. })));
    assert!(matches!(journal.durable(position).await, Err(JournalError::Unavailable { .. })));
    assert!(matches!(journal.append(begun(CallId::new()), None), Err(JournalError::Unavailable { .. })));
    assert!(matches!(journal.reserve_end(CallId::new()), Err(JournalError::Unavailable { .. })));
    let Health::Unavailable { detail, .. } = journal.health() else { panic!("it is not well") };
    assert!(detail.contains("cannot be used"), "{detail}");
    let end = end.push(finished(call), part("answered"));

    faults.full.store(false, Ordering::SeqCst);
    until_serving(&journal).await;
    journal.durable(end).await.unwrap();
    assert_eq!(
        journal.show(call).unwrap().unwrap().entries.len(),
        2,
        "what was taken is written when it can be"
    );
    fill(&journal, 30).await;
    journal.close().unwrap();
    let report = house.verify(&house.dir, None);
    assert_eq!(report.findings, []);
    assert_eq!(report.events, 122);
}

#[tokio::test]
async fn a_full_disk_refuses_and_serves_again() {
    full_disk(0).await;
}

#[tokio::test]
async fn a_write_that_ends_in_the_middle_is_made_up_for() {
    full_disk(40).await;
}

#[tokio::test]
async fn what_was_written_and_could_not_be_synced_is_written_again_elsewhere() {
    let house = House::new();
    let journal = house.open();
    let calls = fill(&journal, 30).await;
    let faults = journal.shared().disk.faults.clone();
    let call = CallId::new();
    let position = journal.append(begun(call), part("asked")).unwrap();
    faults.broken.store(true, Ordering::SeqCst);
    assert!(matches!(journal.durable(position).await, Err(JournalError::Unavailable { .. })));
    let killed = house.copy("killed");
    faults.broken.store(false, Ordering::SeqCst);
    until_serving(&journal).await;
    journal.durable(position).await.unwrap();
    fill(&journal, 3).await;
    journal.close().unwrap();
    let report = house.verify(&house.dir, None);
    assert_eq!(report.findings, []);
    assert_eq!(report.events, 67);

    let (again, recovered) = house.open_at(&killed).unwrap();
    assert!(
        recovered.interrupted.contains(&call),
        "what had left the process survives its end while the disk is broken"
    );
    assert!(again.has_begun(calls[29]).unwrap());
}

#[tokio::test]
async fn closing_over_a_broken_disk_says_so() {
    let house = House::new();
    let journal = house.open();
    journal.shared().disk.faults.full.store(true, Ordering::SeqCst);
    journal.append(begun(CallId::new()), None).unwrap();
    assert!(matches!(journal.close(), Err(JournalError::Unavailable { .. })));
}

#[tokio::test]
async fn without_room_entries_are_refused_and_ends_are_not() {
    let mut house = House::new();
    house.buffer_bytes = 64 << 10;
    let journal = house.open();
    let faults = journal.shared().disk.faults.clone();
    let call = CallId::new();
    let end = journal.reserve_end(call).unwrap();
    let begun_at = journal.append(begun(call), None).unwrap();
    journal.durable(begun_at).await.unwrap();
    faults.full.store(true, Ordering::SeqCst);
    let refused = (0..1000)
        .find_map(|_| journal.append(begun(CallId::new()), None).err())
        .expect("the buffer is bounded");
    assert!(matches!(refused, JournalError::Unavailable { .. }));
    let end = end.push(finished(call), part(&"x".repeat(60 << 10)));
    faults.full.store(false, Ordering::SeqCst);
    until_serving(&journal).await;
    while journal.durable(end).await.is_err() {
        until_serving(&journal).await;
    }
    let history = journal.show(call).unwrap().unwrap();
    assert!(
        matches!(history.entries[1].1.record, Some(crate::RecordRef::Lost { .. })),
        "the part had no room"
    );
    assert!(history.parts[0].plain.is_err());
    fill(&journal, 10).await;
    journal.close().unwrap();
    assert_eq!(house.verify(&house.dir, None).findings, []);
}

#[tokio::test]
async fn a_log_that_cannot_be_kept_refuses_calls_too() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 3).await;
    let tiles = house.dir.join("log/tile");
    journal.clone().close().unwrap();
    drop(journal);
    let journal = house.open();
    // A file where the log needs a folder.
    fs::remove_dir_all(&tiles).unwrap();
    fs::write(&tiles, b"").unwrap();
    let position = journal.append(begun(CallId::new()), None).unwrap();
    journal.durable(position).await.unwrap();
    while journal.health() == Health::Serving {
        tokio::task::yield_now().await;
    }
    assert!(journal.append(begun(CallId::new()), None).is_err());
    assert!(journal.close().is_err());
}
