//! What a killed process leaves, and what opening makes of it.

use super::*;
use crate::log::checkpoint_path;
use crate::segment::{self, Kind};

/// The last events segment that holds an event.
fn last_events(dir: &Path) -> PathBuf {
    let last = events(dir).last().unwrap().0.get();
    let first = segment::list(dir, Kind::Events).unwrap().into_iter().rfind(|&first| first <= last).unwrap();
    dir.join(Kind::Events.path(first))
}

#[tokio::test]
async fn calls_under_way_end_as_interrupted() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 100).await;
    let (open, ended) = (CallId::new(), CallId::new());
    for call in [open, ended] {
        let position = journal.append(begun(call), part("asked")).unwrap();
        journal.written(position).await.unwrap();
    }
    let position = journal.append(Event::Finished(Box::new(finished(ended))), None).unwrap();
    journal.written(position).await.unwrap();
    let killed = house.copy("killed");

    let (again, recovered) = house.open_at(&killed).unwrap();
    assert_eq!(recovered.interrupted, [open]);
    assert_eq!(recovered.cut, 0);
    assert!(recovered.begun.contains(&open) && recovered.begun.contains(&ended));
    assert!(again.has_begun(open).unwrap() && again.has_begun(ended).unwrap());
    assert!(!again.has_begun(CallId::new()).unwrap());
    let history = again.show(open).unwrap().unwrap();
    let Event::Finished(end) = &history.entries.last().unwrap().1.event else { panic!("not ended") };
    assert_eq!(end.outcome, Outcome::Interrupted);
    again.close().unwrap();
    assert_eq!(house.verify(&killed, None).findings, []);

    let (_, recovered) = house.open_at(&killed).unwrap();
    assert_eq!(recovered.interrupted, [], "a call is interrupted once");
}

#[tokio::test]
async fn a_call_that_began_segments_ago_is_interrupted_too() {
    let house = House::new();
    let journal = house.open();
    let open = CallId::new();
    let position = journal.append(begun(open), None).unwrap();
    journal.written(position).await.unwrap();
    fill(&journal, 200).await;
    assert!(segment::list(&house.dir, Kind::Events).unwrap().len() > 2);
    let (again, recovered) = house.open_at(&house.copy("killed")).unwrap();
    assert_eq!(recovered.interrupted, [open]);
    assert_eq!(again.show(open).unwrap().unwrap().entries.len(), 2);
}

#[tokio::test]
async fn a_torn_tail_of_any_length_is_cut_and_nothing_else() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 3).await;
    journal.close().unwrap();
    let signed = house.copy("signed");
    let before = fs::metadata(last_events(&house.dir)).unwrap().len();
    let journal = house.open();
    let position = journal.append(Event::Stopped, None).unwrap();
    journal.written(position).await.unwrap();
    let killed = house.copy_unsigned("killed", &signed);
    drop(journal);
    let whole = fs::read(last_events(&killed)).unwrap();
    for length in before as usize..=whole.len() {
        let torn = house._tmp.path().join("torn");
        copy(&killed, &torn);
        fs::write(last_events(&torn), &whole[..length]).unwrap();
        let (again, recovered) = house.open_at(&torn).unwrap();
        let all = length == whole.len();
        assert_eq!(recovered.cut, if all { 0 } else { length as u64 - before }, "at {length}");
        again.close().unwrap();
        let report = house.verify(&torn, None);
        assert_eq!(report.findings, [], "at {length}");
        // Six events of calls, then the whole one, or what recovery says of the torn one.
        assert_eq!(report.events, if length == before as usize { 6 } else { 7 }, "at {length}");
        fs::remove_dir_all(torn).unwrap();
    }
}

#[tokio::test]
async fn an_event_that_outran_its_record_is_cut() {
    let house = House::new();
    house.open().close().unwrap();
    let signed = house.copy("signed");
    let journal = house.open();
    let position = journal.append(begun(CallId::new()), part("asked")).unwrap();
    journal.written(position).await.unwrap();
    let killed = house.copy_unsigned("killed", &signed);
    let records = killed.join(Kind::Records.path(0));
    let length = fs::metadata(&records).unwrap().len();
    fs::OpenOptions::new().write(true).open(&records).unwrap().set_len(length - 1).unwrap();
    let (again, recovered) = house.open_at(&killed).unwrap();
    assert!(recovered.cut > 0 && recovered.interrupted.is_empty());
    fill(&again, 3).await;
    again.close().unwrap();
    assert_eq!(house.verify(&killed, None).findings, []);
}

#[tokio::test]
async fn damage_is_an_error_and_never_cut() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 150).await;
    journal.close().unwrap();
    let events = last_events(&house.dir);
    let sound = fs::read(&events).unwrap();
    let refused = |what: &str| match house.open_at(&house.dir) {
        Err(JournalError::Damaged { file, record, .. }) => (house.dir.join(file), record),
        other => panic!("{what}: {other:?}"),
    };
    fs::write(&events, &sound[..sound.len() - 1]).unwrap();
    assert_eq!(refused("a signed record cut short").0, events);
    let mut changed = sound.clone();
    let middle = sound.len() / 2;
    changed[middle] ^= 1;
    fs::write(&events, &changed).unwrap();
    assert!(matches!(refused("a byte changed"), (file, Some(_)) if file == events));
    fs::write(&events, &sound).unwrap();

    let checkpoint = house.dir.join(checkpoint_path());
    let signed = fs::read(&checkpoint).unwrap();
    fs::remove_file(&checkpoint).unwrap();
    assert_eq!(refused("no checkpoint").0, checkpoint);
    fs::write(&checkpoint, &signed).unwrap();
    house.open_at(&house.dir).unwrap();
}

#[tokio::test]
async fn a_log_that_is_another_than_its_checkpoint_is_not_opened() {
    let (house, mut other) = (House::new(), House::new());
    other.key = house.key.clone();
    for house in [&house, &other] {
        let journal = house.open();
        fill(&journal, 10).await;
        journal.close().unwrap();
    }
    fs::copy(other.dir.join(checkpoint_path()), house.dir.join(checkpoint_path())).unwrap();
    let error = house.open_at(&house.dir).unwrap_err();
    assert!(error.to_string().contains("of another log"), "{error}");
}

#[tokio::test]
async fn a_mended_segment_is_cut_though_the_process_died_before_it_could() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 5).await;
    let position = journal.append(begun(CallId::new()), None).unwrap();
    journal.durable(position).await.unwrap();
    let uncut = house.copy("killed");
    let (tail, faults) = (last_events(&uncut), journal.shared().disk.faults.clone());
    let position = journal.append(begun(CallId::new()), part("asked")).unwrap();
    journal.written(position).await.unwrap();
    let overlapping = fs::read(last_events(&house.dir)).unwrap();
    faults.broken.store(true, Ordering::SeqCst);
    journal.durable(position).await.unwrap_err();
    faults.broken.store(false, Ordering::SeqCst);
    until_serving(&journal).await;
    let mended = house.copy("mended");
    // The old segment as it was when the new one had just got its name.
    fs::write(mended.join(tail.strip_prefix(&uncut).unwrap()), overlapping).unwrap();
    let (again, recovered) = house.open_at(&mended).unwrap();
    assert_eq!(recovered.interrupted.len(), 2);
    again.close().unwrap();
    assert_eq!(house.verify(&mended, None).findings, []);
}

#[test]
fn two_processes_do_not_share_a_journal() {
    let house = House::new();
    let journal = house.open();
    assert!(matches!(house.open_at(&house.dir), Err(JournalError::Locked { .. })));
    journal.close().unwrap();
    house.open_at(&house.dir).unwrap();
}

pub(super) async fn until_serving(journal: &Journal) {
    while journal.health() != crate::Health::Serving {
        tokio::task::yield_now().await;
    }
}
