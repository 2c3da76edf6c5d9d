//! What people see of it: `calls list`, `calls show`.

use model::{ApprovalId, Digest, RefusalKind};

use super::*;
use crate::{ApprovalEnd, Asked, Filter, Part, Refused};

fn refused(call: CallId, approval: Option<ApprovalId>) -> Event {
    Event::Refused(Box::new(Refused {
        call,
        principal: Some("dev/bob".to_owned()),
        target: Some(TargetName::parse("billing").unwrap()),
        accesses: None,
        sentence: "POST /payments".to_owned(),
        kind: if approval.is_some() { RefusalKind::ApprovalRequired } else { RefusalKind::Denied },
        detail: "no policy permits it".to_owned(),
        policy: None,
        reasons: Vec::new(),
        approval,
    }))
}

fn asked(call: CallId, approval: ApprovalId) -> Event {
    Event::Asked(Box::new(Asked {
        approval,
        call,
        principal: "dev/bob".to_owned(),
        target: TargetName::parse("billing").unwrap(),
        digest: Digest::parse(&"ab".repeat(32)).unwrap(),
        groups: Vec::new(),
        sentence: "POST /payments".to_owned(),
        expires: Timestamp::from_secs(4_000_000_000),
    }))
}

#[tokio::test]
async fn a_call_is_shown_whole_wherever_it_lies() {
    let house = House::new();
    let journal = house.open();
    let calls = fill(&journal, 200).await;
    let unwritten = CallId::new();
    journal.append(begun(unwritten), None).unwrap();
    for at in [0, 57, 120, 199] {
        let history = journal.show(calls[at]).unwrap().unwrap();
        assert!(
            matches!(history.entries[0].1.event, Event::Begun(_))
                && matches!(history.entries[1].1.event, Event::Finished(_))
        );
        let parts: Vec<(Part, &[u8])> =
            history.parts.iter().map(|part| (part.part, part.plain.as_ref().unwrap().expose())).collect();
        let (asked, answered) = (format!("asked {at}"), format!("answered {at}"));
        assert_eq!(parts, [(Part::Asked, asked.as_bytes()), (Part::Answered, answered.as_bytes())]);
    }
    assert!(journal.show(CallId::new()).unwrap().is_none());
}

#[tokio::test]
async fn a_call_is_found_though_the_clock_was_set_back() {
    let house = House::new();
    let journal = house.open();
    house.clock.0.fetch_add(7_200_000_000, Ordering::Relaxed);
    let early = fill(&journal, 120).await;
    house.clock.0.fetch_sub(7_200_000_000, Ordering::Relaxed);
    let late = fill(&journal, 120).await;
    assert!(crate::segment::list(&house.dir, crate::segment::Kind::Events).unwrap().len() > 3);
    for call in [late[0], late[119]] {
        assert_eq!(journal.show(call).unwrap().unwrap().entries.len(), 2);
    }
    assert!(journal.has_begun(early[0]).unwrap());
}

#[tokio::test]
async fn an_approval_is_shown_with_the_call_that_asked() {
    let house = House::new();
    let journal = house.open();
    let (call, approval, by) = (CallId::new(), ApprovalId::new(), "dev/carol".to_owned());
    journal.append(asked(call, approval), None).unwrap();
    journal.append(Event::Signed { approval, by, reason: "fine".to_owned() }, None).unwrap();
    journal.append(Event::ApprovalEnded { approval, how: ApprovalEnd::Used { call } }, None).unwrap();
    let position = journal.append(begun(call), None).unwrap();
    journal.written(position).await.unwrap();
    let names: Vec<String> = journal
        .show(call)
        .unwrap()
        .unwrap()
        .entries
        .iter()
        .map(|(_, entry)| serde_json::to_value(entry).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["asked", "signed", "approval_ended", "begun"]);
}

#[tokio::test]
async fn calls_are_listed_newest_first_and_page_by_page() {
    let house = House::new();
    let journal = house.open();
    let mut calls = fill(&journal, 150).await;
    let (denied, waited, waiting, open) = (CallId::new(), CallId::new(), CallId::new(), CallId::new());
    let approval = ApprovalId::new();
    for event in [
        refused(denied, None),
        asked(waited, approval),
        refused(waited, Some(approval)),
        asked(waiting, ApprovalId::new()),
        begun(open),
        Event::Stopped,
    ] {
        let position = journal.append(event, None).unwrap();
        journal.written(position).await.unwrap();
    }
    calls.extend([denied, waited, waiting, open]);
    calls.reverse();
    let listed = |filter: &Filter, limit| -> Vec<CallId> {
        journal.list(filter, limit).unwrap().into_iter().map(|line| line.call).collect()
    };
    assert_eq!(listed(&Filter::default(), 1000), calls);
    let mut pages = Vec::new();
    while let page = listed(&Filter { before: pages.last().copied(), ..Filter::default() }, 40)
        && !page.is_empty()
    {
        pages.extend(page);
    }
    assert_eq!(pages, calls);
    let lines = journal.list(&Filter::default(), 4).unwrap();
    let ends: Vec<_> = lines.iter().map(|line| line.outcome.as_ref().map(ToString::to_string)).collect();
    assert_eq!(
        ends,
        [None, None, Some("refused: approval_required".to_owned()), Some("refused: denied".to_owned())]
    );
    assert_eq!(
        journal.list(&Filter::default(), 5).unwrap()[4].outcome,
        Some(Outcome::Answered { status: 200 })
    );

    let billing = Some(TargetName::parse("billing").unwrap());
    assert_eq!(listed(&Filter { target: billing, ..Filter::default() }, 9), [waiting, waited, denied]);
    assert_eq!(listed(&Filter { refused: true, ..Filter::default() }, 9), [waited, denied]);
    let by = |principal: &str| Filter { principal: Some(principal.to_owned()), ..Filter::default() };
    assert_eq!(listed(&by("dev/agent"), 1), [open]);
    assert_eq!(listed(&by("dev/ali"), 9), []);
    assert_eq!(
        listed(&Filter { since: Some(Timestamp::from_secs(4_000_000_000)), ..Filter::default() }, 9),
        []
    );
}

#[test]
fn an_entry_is_one_flat_object_with_the_names_that_were_released() {
    let call = CallId::parse("0198c5a0-0000-7000-8000-000000000000").unwrap();
    let entry = crate::Entry {
        time: Timestamp::from_secs(1_800_000_000),
        event: Event::Finished(Box::new(finished(call))),
        record: None,
    };
    let json = serde_json::to_string(&entry).unwrap();
    assert_eq!(
        json,
        r#"{"time":"2027-01-15T08:00:00.000000Z","event":"finished","call":"0198c5a0-0000-7000-8000-000000000000","outcome":{"outcome":"answered","status":200},"bytes_in":0,"bytes_out":0,"micros":0}"#
    );
    assert_eq!(serde_json::from_str::<crate::Entry>(&json).unwrap(), entry);
}
