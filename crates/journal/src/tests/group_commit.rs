//! Many tasks at once: nothing is lost, nothing changes places, whoever leaves hurts nobody.

use std::net::Ipv4Addr;

use model::RefusalKind;

use super::*;

/// Polls a wait a few times and leaves.
async fn leave(wait: impl Future<Output = Result<(), JournalError>>, patience: usize) {
    tokio::pin!(wait);
    for _ in 0..patience {
        tokio::select! {
            biased;
            done = &mut wait => { done.unwrap(); return; }
            () = tokio::task::yield_now() => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_event_is_lost_or_moved_however_many_wait_and_leave() {
    let house = House::new();
    let journal = house.open();
    let mut tasks = Vec::new();
    for task in 0..32usize {
        let journal = journal.clone();
        tasks.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            for n in 0..60usize {
                let call = CallId::new();
                let record = (n % 3 == 0).then(|| RecordPart { plain: vec![task as u8; n] });
                let position = journal.append(begun(call), record).unwrap();
                taken.push((position, call));
                match (task * 7 + n * 13) % 5 {
                    0 => journal.durable(position).await.unwrap(),
                    1 => journal.written(position).await.unwrap(),
                    2 => leave(journal.durable(position), n % 4).await,
                    3 => leave(journal.written(position), n % 2).await,
                    _ => {}
                }
            }
            taken
        }));
    }
    let mut taken = Vec::new();
    for task in tasks {
        let task = task.await.unwrap();
        assert!(task.is_sorted(), "a task's own events are in its order");
        taken.extend(task);
    }
    journal.close().unwrap();
    taken.sort();
    let found: Vec<(Position, CallId)> =
        events(&house.dir).into_iter().map(|(position, event)| (position, event.call().unwrap())).collect();
    assert_eq!(found, taken);
    assert_eq!(house.verify(&house.dir, None).findings, []);
}

#[tokio::test]
async fn one_write_serves_all_that_wait() {
    let house = House::new();
    let journal = house.open();
    let positions: Vec<Position> =
        (0..64).map(|_| journal.append(begun(CallId::new()), None).unwrap()).collect();
    journal.written(positions[0]).await.unwrap();
    for position in positions {
        let mut wait = std::pin::pin!(journal.written(position));
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(wait.as_mut().poll(cx).is_ready())).await;
        assert!(polled, "the first one wrote for {position}");
    }
}

#[tokio::test]
async fn with_sync_all_a_read_waits_for_the_disk() {
    let house = House::new();
    let mut settings = house.settings(&house.dir);
    settings.sync = crate::SyncMode::All;
    let (journal, _) = Journal::open(settings).unwrap();
    let position = journal.append(begun(CallId::new()), None).unwrap();
    journal.written(position).await.unwrap();
    assert!(journal.shared().durable() > position.get());
}

#[test]
fn strangers_are_recorded_as_counts() {
    let house = House::new();
    let journal = house.open();
    for n in 0..10_000u32 {
        journal.append_stranger(Ipv4Addr::from(n << 8).into(), RefusalKind::Unauthenticated);
    }
    journal.close().unwrap();
    let counts: Vec<u64> = events(&house.dir)
        .into_iter()
        .filter_map(|(_, event)| if let Event::Strangers { count, .. } = event { Some(count) } else { None })
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 10_000);
    assert!(counts.len() < 200, "{}", counts.len());
}

#[test]
fn a_closed_journal_takes_nothing() {
    let house = House::new();
    let journal = house.open();
    journal.clone().close().unwrap();
    assert!(matches!(journal.append(Event::Stopped, None), Err(JournalError::Unavailable { .. })));
    assert!(matches!(journal.append(Event::Stopped, part("x")), Err(JournalError::Unavailable { .. })));
}

#[test]
fn entries_are_bounded_and_parts_belong_to_calls() {
    let house = House::new();
    let journal = house.open();
    assert!(matches!(journal.append(Event::Stopped, part("x")), Err(JournalError::NoPart)));
    let long = Event::PolicyRefused { detail: "x".repeat(2 << 20) };
    assert!(matches!(journal.append(long, None), Err(JournalError::TooLarge { .. })));
    let large = Some(RecordPart { plain: vec![0; 2 << 20] });
    assert!(matches!(journal.append(begun(CallId::new()), large), Err(JournalError::TooLarge { .. })));
}
