//! Whatever is done to the files is found, with file and record.

use super::*;
use crate::frame::{self, SALT};
use crate::segment::{Kind, RECORDS_HEADER};

/// A closed journal with several segments, full and partial tiles, and two runs.
async fn journal() -> House {
    let house = House::new();
    for calls in [20, 120] {
        let journal = house.open();
        fill(&journal, calls).await;
        journal.close().unwrap();
    }
    assert!(crate::segment::list(&house.dir, Kind::Events).unwrap().len() > 3);
    assert!(crate::segment::list(&house.dir, Kind::Records).unwrap().len() > 1);
    let report = house.verify(&house.dir, None);
    assert_eq!(report.findings, []);
    assert_eq!((report.events, report.covered, report.parts, report.unfinished), (280, 280, 280, 0));
    house
}

#[tokio::test]
async fn a_byte_flipped_anywhere_is_reported_with_file_and_record() {
    let house = journal().await;
    let files: Vec<PathBuf> =
        files(&house.dir).into_iter().filter(|path| path != Path::new("lock")).collect();
    for kind in ["events/", "records/", "log/checkpoint", "log/tile/0/", "log/tile/1/", "log/tile/entries/"] {
        assert!(files.iter().any(|path| path.to_str().unwrap().starts_with(kind)), "no file of {kind}");
    }
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize % below
    };
    // Each file once, then 200 places at random.
    for round in 0..files.len() + 200 {
        let file = if round < files.len() { &files[round] } else { &files[draw(files.len())] };
        let path = house.dir.join(file);
        let sound = fs::read(&path).unwrap();
        let (at, bit) = (draw(sound.len()), draw(8));
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << bit;
        fs::write(&path, damaged).unwrap();
        let report = house.verify(&house.dir, None);
        fs::write(&path, sound).unwrap();
        let place = format!("{}, byte {at}, bit {bit}: {:?}", file.display(), report.findings);
        let found = report.findings.iter().find(|finding| finding.file == *file).expect(&place);
        let is_record =
            !(file.ends_with("checkpoint") || file.starts_with("records") && at < RECORDS_HEADER as usize);
        assert_eq!(found.record.is_some(), is_record, "{place}");
        assert!(
            report.findings.iter().all(|finding| finding.file == *file),
            "others are blamed too: {place}"
        );
    }
}

/// The frames of the second events segment, and its bytes.
fn frames(house: &House) -> (PathBuf, Vec<u8>, Vec<std::ops::Range<usize>>) {
    let first = crate::segment::list(&house.dir, Kind::Events).unwrap()[1];
    let path = Kind::Events.path(first);
    let bytes = fs::read(house.dir.join(&path)).unwrap();
    let mut ranges = Vec::new();
    let mut at = 8;
    while at < bytes.len() {
        let end = at + frame::OVERHEAD + frame::decode(&bytes[at..]).unwrap().payload.len();
        ranges.push(at..end);
        at = end;
    }
    ranges.remove(0);
    (path, bytes, ranges)
}

#[tokio::test]
async fn a_record_removed_moved_repeated_or_rewritten_is_found() {
    let house = journal().await;
    let (path, bytes, ranges) = frames(&house);
    let position = |n: usize| frame::decode(&bytes[ranges[n].clone()]).unwrap().position;
    let with = |order: &[usize]| -> Vec<u8> {
        let rest = ranges[4].start..bytes.len();
        let chosen = order.iter().flat_map(|&n| bytes[ranges[n].clone()].to_vec());
        bytes[..ranges[0].start].iter().copied().chain(chosen).chain(bytes[rest].iter().copied()).collect()
    };
    let mut rewritten = bytes[..ranges[0].start].to_vec();
    frame::encode(
        &mut rewritten,
        position(0),
        &[7; SALT],
        [br#"{"time":"2026-01-01T00:00:00Z","event":"stopped"}"#, b""],
    );
    rewritten.extend_from_slice(&bytes[ranges[1].start..]);
    let cases = [
        ("removed", with(&[0, 2, 3]), position(1)),
        ("moved", with(&[0, 2, 1, 3]), position(1)),
        ("repeated", with(&[0, 1, 1, 2, 3]), position(1)),
        ("rewritten", rewritten, position(0)),
    ];
    assert_eq!(with(&[0, 1, 2, 3]), bytes);
    for (what, changed, record) in cases {
        fs::write(house.dir.join(&path), changed).unwrap();
        let findings = house.verify(&house.dir, None).findings;
        let named = findings.iter().any(|finding| finding.file == path && finding.record == Some(record));
        assert!(named, "{what}: {findings:?}");
    }
}

#[tokio::test]
async fn a_segment_or_a_tile_that_is_gone_is_found() {
    let house = journal().await;
    let needed = |path: &PathBuf| {
        let empty = path.starts_with("records")
            && fs::metadata(house.dir.join(path)).unwrap().len() == RECORDS_HEADER;
        let path = path.to_str().unwrap();
        // Partial tiles of earlier checkpoints, and segments in which nothing is, are nobody's loss.
        path != "lock"
            && !empty
            && !path.ends_with("280")
            && (!path.contains(".p/") || path.ends_with(".p/24"))
    };
    for path in files(&house.dir).into_iter().filter(needed) {
        let sound = fs::read(house.dir.join(&path)).unwrap();
        fs::remove_file(house.dir.join(&path)).unwrap();
        assert!(!house.verify(&house.dir, None).is_sound(), "{}", path.display());
        fs::write(house.dir.join(&path), sound).unwrap();
    }
}

#[tokio::test]
async fn a_cut_tail_an_old_copy_and_a_fork_are_found_by_a_saved_checkpoint() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 30).await;
    journal.close().unwrap();
    let (old, fork) = (house.copy("old"), house.copy("fork"));
    let journal = house.open();
    fill(&journal, 30).await;
    let saved_from = journal.clone();
    journal.close().unwrap();
    let saved = saved_from.checkpoint().unwrap();
    drop(saved_from);
    assert_eq!(house.verify(&house.dir, Some(&saved)).findings, []);

    assert_eq!(house.verify(&old, None).findings, [], "an old copy is sound by itself");
    let findings = house.verify(&old, Some(&saved)).findings;
    assert!(findings.iter().any(|f| f.record == Some(60) && f.what.contains("covers 120")), "{findings:?}");

    let (forked, _) = house.open_at(&fork).unwrap();
    fill(&forked, 40).await;
    forked.close().unwrap();
    assert_eq!(house.verify(&fork, None).findings, [], "a fork is sound by itself");
    let findings = house.verify(&fork, Some(&saved)).findings;
    assert!(findings.iter().any(|f| f.what.contains("fork")), "{findings:?}");

    let last = crate::segment::list(&house.dir, Kind::Events)
        .unwrap()
        .into_iter()
        .rfind(|&first| first < 120)
        .unwrap();
    let path = house.dir.join(Kind::Events.path(last));
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 100).unwrap();
    let findings = house.verify(&house.dir, None).findings;
    assert!(findings.iter().any(|f| f.record == Some(119)), "{findings:?}");
}

#[tokio::test]
async fn another_key_opens_no_part_and_signs_no_checkpoint() {
    let house = House::new();
    let journal = house.open();
    fill(&journal, 2).await;
    let key = journal.verify_key().clone();
    journal.close().unwrap();
    let report = verify(&house.dir, Some(&Sealer::for_test().derive("another")), &key, None);
    assert_eq!(report.findings.iter().filter(|f| f.what.contains("does not open")).count(), 4);
    assert!(verify(&house.dir, None, &key, None).is_sound());
    let another = crate::note::Signer::new("test/journal", &new_key().unwrap()).unwrap().verify_key();
    assert!(!verify(&house.dir, None, &another, None).is_sound());
}
