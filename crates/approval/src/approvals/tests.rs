//! The stage over a real store, by a clock that the tests set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use model::{Ask, Digest, GroupName, IssuerName, PrincipalKey};
use serde_json::json;

use super::*;

#[derive(Debug)]
pub(super) struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl SetClock {
    pub(super) fn pass(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

/// A store and two handles to it, as two processes have them.
pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) clock: Arc<SetClock>,
    pub(super) here: Approvals,
    pub(super) there: Approvals,
}

pub(super) const LIFETIME: u32 = 60;

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(1_900_000_000)));
        let (here, there) = (open(folder.path(), &clock), open(folder.path(), &clock));
        Self { folder, clock, here, there }
    }

    pub(super) fn reopen(&self) -> Approvals {
        open(self.folder.path(), &self.clock)
    }

    async fn asked(&self, groups: &[&str]) -> ApprovalId {
        self.here.ask(call_of(&caller(), 1, groups)).await.unwrap().0.id
    }
}

fn open(folder: &Path, clock: &Arc<SetClock>) -> Approvals {
    let settings =
        Settings { lifetime: Ttl::from_secs_clamped(LIFETIME), max_pending: 3, max_pending_per_principal: 2 };
    Approvals::new(Store::open(folder).unwrap(), Sealer::for_test(), Arc::clone(clock) as _, settings)
}

pub(super) fn person(subject: &str, groups: &[&str]) -> Principal {
    Principal {
        key: PrincipalKey { issuer: IssuerName::parse("dev").unwrap(), subject: subject.into() },
        groups: names(groups),
        claims: BTreeMap::new(),
        actor: None,
    }
}

pub(super) fn via(principal: Principal, actor: Principal) -> Principal {
    Principal { actor: Some(Arc::new(actor)), ..principal }
}

pub(super) fn names(groups: &[&str]) -> BTreeSet<GroupName> {
    groups.iter().map(|group| GroupName::parse(group).unwrap()).collect()
}

/// Alice by her agent, both of them in a group that may sign.
fn caller() -> Principal {
    via(person("alice", &["dev/dba"]), person("agent", &["dev/dba"]))
}

pub(super) fn call_of(principal: &Principal, digest: u8, groups: &[&str]) -> NewApproval {
    NewApproval {
        principal: principal.clone(),
        target: TargetName::parse("crm").unwrap(),
        digest: Digest::parse(&hex([digest; 32])).unwrap(),
        ask: Ask { groups: names(groups), policies: Vec::new() },
        call: CallId::new(),
        sentence: "pay 12.50 to Zacharias Quux".to_owned(),
        detail: json!({ "arguments": { "to": "quux@example.com" } }),
        revision: "r1".to_owned(),
    }
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bob() -> Principal {
    person("bob", &["dev/dba"])
}

#[tokio::test]
async fn a_signed_approval_is_used_once() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    let call = CallId::new();
    assert!(matches!(world.here.mark_used(id, call).await, Err(ApprovalError::NotSigned)));
    let signed = world.there.sign(id, &bob(), Some("looks right".to_owned())).await.unwrap();
    assert_eq!(signed.state, State::Approved);
    let used = world.here.mark_used(id, call).await.unwrap();
    assert_eq!(
        used,
        Used { approval: id, call, groups: names(&["dev/dba"]), by: vec!["dev/bob".to_owned()] }
    );
    assert!(matches!(world.there.mark_used(id, CallId::new()).await, Err(ApprovalError::Conflict)));
    let shown = world.there.show(id).await.unwrap().unwrap();
    assert_eq!((shown.state, shown.used_by), (State::Used, Some(call)));
    assert_eq!(shown.signatures[0].reason.as_deref(), Some("looks right"));
}

#[tokio::test]
async fn nobody_of_the_callers_chain_signs_nor_anybody_through_them() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    let dba = &["dev/dba"];
    for own in [
        person("alice", dba),
        person("agent", dba),
        via(bob(), person("agent", &[])),
        via(bob(), via(person("tool", &[]), person("alice", &[]))),
    ] {
        assert!(
            matches!(world.here.sign(id, &own, None).await, Err(ApprovalError::OwnCall)),
            "{}",
            own.chain_text()
        );
        assert!(matches!(world.here.reject(id, &own, None).await, Err(ApprovalError::OwnCall)));
    }
    let same_subject_elsewhere = Principal {
        key: PrincipalKey { issuer: IssuerName::parse("other").unwrap(), subject: "alice".into() },
        ..bob()
    };
    assert!(world.here.sign(id, &same_subject_elsewhere, None).await.is_ok());
}

#[tokio::test]
async fn each_group_needs_a_signature_of_another_person() {
    let world = World::new();
    let id = world.asked(&["dev/dba", "dev/legal"]).await;
    let both = person("bob", &["dev/dba", "dev/legal"]);
    let first = world.here.sign(id, &both, None).await.unwrap();
    assert_eq!((first.state, first.awaited()), (State::Pending, names(&["dev/legal"])));
    assert!(matches!(world.here.sign(id, &both, None).await, Err(ApprovalError::AlreadySigned)));
    let through_bob = via(person("carol", &["dev/legal"]), both);
    assert!(matches!(world.here.sign(id, &through_bob, None).await, Err(ApprovalError::AlreadySigned)));
    let not_asked = world.here.sign(id, &person("dave", &["dev/dba"]), None).await.unwrap_err();
    assert_eq!(
        not_asked.to_string(),
        "the approval awaits a signature of `dev/legal`, and you are in no such group"
    );
    let last = world.here.sign(id, &person("carol", &["dev/legal"]), None).await.unwrap();
    assert_eq!((last.state, last.signed()), (State::Approved, names(&["dev/dba", "dev/legal"])));
}

#[tokio::test]
async fn an_identical_call_attaches_and_any_other_does_not() {
    let world = World::new();
    let (first, fresh) = world.here.ask(call_of(&caller(), 1, &["dev/dba"])).await.unwrap();
    assert!(fresh);
    let (same, fresh) = world.there.ask(call_of(&caller(), 1, &["dev/dba"])).await.unwrap();
    assert_eq!((same.id, fresh), (first.id, false));
    let alone = person("alice", &["dev/dba"]);
    let (without_agent, _) = world.there.ask(call_of(&alone, 1, &["dev/dba"])).await.unwrap();
    let (other_digest, _) = world.there.ask(call_of(&caller(), 2, &["dev/dba"])).await.unwrap();
    assert!(
        without_agent.id != first.id && other_digest.id != first.id && without_agent.id != other_digest.id
    );

    world.here.sign(first.id, &bob(), None).await.unwrap();
    assert_eq!(world.there.ask(call_of(&caller(), 1, &["dev/dba"])).await.unwrap().0.id, first.id);
    world.here.mark_used(first.id, CallId::new()).await.unwrap();
    assert_ne!(world.there.ask(call_of(&caller(), 1, &["dev/dba"])).await.unwrap().0.id, first.id);
}

#[tokio::test]
async fn what_policy_no_longer_demands_is_voided_and_asked_for_anew() {
    let world = World::new();
    let first = world.asked(&["dev/dba"]).await;
    world.here.sign(first, &bob(), None).await.unwrap();
    let (second, fresh) = world.here.ask(call_of(&caller(), 1, &["dev/legal"])).await.unwrap();
    assert!(fresh && second.id != first);
    assert_eq!(world.here.wait(first, world.here.now()).await.unwrap(), Settled::Void);
    assert!(matches!(
        world.here.mark_used(first, CallId::new()).await,
        Err(ApprovalError::Settled(State::Void))
    ));
}

#[tokio::test]
async fn time_ends_what_was_not_used_whether_or_not_anybody_swept() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    world.here.sign(id, &bob(), None).await.unwrap();
    world.clock.pass(i64::from(LIFETIME));
    assert_eq!(world.there.show(id).await.unwrap().unwrap().state, State::Expired);
    assert!(matches!(world.here.mark_used(id, CallId::new()).await, Err(ApprovalError::Expired)));
    let (anew, fresh) = world.here.ask(call_of(&caller(), 1, &["dev/dba"])).await.unwrap();
    assert!(fresh && anew.id != id);
    assert_eq!(world.there.wait(id, world.there.now()).await.unwrap(), Settled::Expired);
    assert!(matches!(world.there.sign(id, &bob(), None).await, Err(ApprovalError::Expired)));
}

#[tokio::test]
async fn sweeping_expires_once_and_forgets_a_month_later() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    assert_eq!(world.here.expire_due().await.unwrap(), 0);
    world.clock.pass(i64::from(LIFETIME));
    assert_eq!(world.here.expire_due().await.unwrap(), 1);
    assert_eq!(world.there.expire_due().await.unwrap(), 0);
    assert_eq!(world.here.list(Filter::default()).await.unwrap().len(), 1);
    world.clock.pass(KEPT / 1_000_000);
    world.here.expire_due().await.unwrap();
    assert!(world.here.show(id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_rejection_ends_it_with_its_reason() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    let outsider = person("eve", &["dev/guests"]);
    assert!(matches!(world.here.reject(id, &outsider, None).await, Err(ApprovalError::NotAsked { .. })));
    world.there.reject(id, &bob(), Some("not today".to_owned())).await.unwrap();
    let settled = world.here.wait(id, world.here.now()).await.unwrap();
    assert_eq!(settled, Settled::Rejected { by: bob().key, reason: Some("not today".to_owned()) });
    assert!(matches!(world.here.sign(id, &bob(), None).await, Err(ApprovalError::Settled(State::Rejected))));
}

#[tokio::test]
async fn only_the_very_chain_that_asked_withdraws() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    for other in
        [person("alice", &[]), person("agent", &[]), bob(), via(person("agent", &[]), person("alice", &[]))]
    {
        assert!(matches!(world.here.withdraw(id, &other).await, Err(ApprovalError::NotYours)));
    }
    assert_eq!(world.here.withdraw(id, &caller()).await.unwrap().state, State::Withdrawn);
}

#[tokio::test]
async fn reasons_that_could_steer_a_terminal_are_refused() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    for bad in ["\u{1b}[2J".to_owned(), "two\nlines".to_owned(), "x".repeat(1001)] {
        let refused = world.here.sign(id, &bob(), Some(bad)).await;
        assert!(matches!(refused, Err(ApprovalError::BadReason { .. })));
    }
    assert_eq!(world.here.show(id).await.unwrap().unwrap().state, State::Pending);
}

#[tokio::test]
async fn a_waiting_call_wakes_at_once_here_and_soon_there() {
    let world = World::new();
    let far = world.here.now().plus(Duration::from_secs(30));
    for signer in [&world.here, &world.there] {
        let id = world.asked(&["dev/dba"]).await;
        let bob = bob();
        let (settled, signed) = tokio::join!(world.here.wait(id, far), signer.sign(id, &bob, None));
        signed.unwrap();
        let groups = names(&["dev/dba"]);
        assert_eq!(settled.unwrap(), Settled::Approved { groups, by: vec!["dev/bob".to_owned()] });
        world.here.mark_used(id, CallId::new()).await.unwrap();
        assert_eq!(world.here.wait(id, far).await.unwrap(), Settled::Used);
    }
}

#[tokio::test]
async fn waiting_ends_when_its_time_is_over() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    assert_eq!(world.here.wait(id, world.here.now()).await.unwrap(), Settled::StillPending);
    let nowhere = world.here.wait(ApprovalId::new(), world.here.now()).await;
    assert!(matches!(nowhere, Err(ApprovalError::NotFound(_))));
}

#[tokio::test]
async fn a_restart_loses_none() {
    let world = World::new();
    let pending = world.asked(&["dev/dba", "dev/legal"]).await;
    world.here.sign(pending, &bob(), Some("half".to_owned())).await.unwrap();
    let before = world.here.show(pending).await.unwrap().unwrap();
    let World { folder, clock, here, there } = world;
    drop((here, there));
    let after = open(folder.path(), &clock).show(pending).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(&after).unwrap(), serde_json::to_value(&before).unwrap());
    assert_eq!(after.detail, json!({ "arguments": { "to": "quux@example.com" } }));
}

#[tokio::test]
async fn used_and_never_begun_is_given_back_and_used_and_begun_is_not() {
    let world = World::new();
    let (mut used, begun) = (Vec::new(), CallId::new());
    for (digest, call) in [(1, CallId::new()), (2, begun)] {
        let id = world.here.ask(call_of(&caller(), digest, &["dev/dba"])).await.unwrap().0.id;
        world.here.sign(id, &bob(), None).await.unwrap();
        world.here.mark_used(id, call).await.unwrap();
        used.push(id);
    }
    let restarted = world.reopen();
    assert_eq!(restarted.give_back_unbegun(|call| call == begun).await.unwrap(), [used[0]]);
    assert!(restarted.mark_used(used[0], CallId::new()).await.is_ok());
    assert!(matches!(restarted.mark_used(used[1], CallId::new()).await, Err(ApprovalError::Conflict)));
}

#[tokio::test]
async fn what_was_asked_for_anew_meanwhile_is_not_given_back_twice() {
    let world = World::new();
    let first = world.asked(&["dev/dba"]).await;
    world.here.sign(first, &bob(), None).await.unwrap();
    world.here.mark_used(first, CallId::new()).await.unwrap();
    let second = world.asked(&["dev/dba"]).await;
    assert_ne!(first, second);
    assert!(world.reopen().give_back_unbegun(|_| false).await.unwrap().is_empty());
    assert_eq!(world.here.show(first).await.unwrap().unwrap().state, State::Used);
}

#[tokio::test]
async fn too_many_are_refused_and_what_has_expired_takes_no_room() {
    let world = World::new();
    for digest in [1, 2] {
        world.here.ask(call_of(&caller(), digest, &["dev/dba"])).await.unwrap();
    }
    assert!(matches!(world.here.ask(call_of(&caller(), 3, &["dev/dba"])).await, Err(ApprovalError::TooMany)));
    world.here.ask(call_of(&bob(), 3, &["dev/dba"])).await.unwrap();
    let carol = person("carol", &[]);
    assert!(matches!(world.here.ask(call_of(&carol, 3, &["dev/dba"])).await, Err(ApprovalError::TooMany)));
    world.clock.pass(i64::from(LIFETIME));
    assert!(world.here.ask(call_of(&carol, 3, &["dev/dba"])).await.is_ok());
}

#[tokio::test]
async fn nothing_personal_is_readable_in_the_files_or_printed() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    world.here.sign(id, &bob(), Some("for Quux".to_owned())).await.unwrap();
    let shown = format!("{:?} {:?}", world.here.show(id).await.unwrap(), call_of(&caller(), 1, &[]));
    assert!(!shown.contains("Quux"));
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for needle in ["Quux", "quux", "alice", "bob"] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
        }
    }
}

#[tokio::test]
async fn a_state_that_was_edited_in_the_file_is_refused() {
    let world = World::new();
    let id = world.asked(&["dev/dba"]).await;
    let store = Store::open(world.folder.path()).unwrap();
    let row = store.approval(id).await.unwrap().unwrap();
    let forged = store::ApprovalChange {
        id,
        from: row.version,
        state: State::Approved,
        call: None,
        progress: row.progress.clone(),
    };
    assert!(store.change_approval(forged).await.unwrap());
    assert!(
        matches!(world.here.mark_used(id, CallId::new()).await, Err(ApprovalError::Damaged(damaged)) if damaged == id)
    );
}

#[tokio::test]
async fn a_list_shows_what_it_is_asked_for_and_nothing_that_has_run_out() {
    let world = World::new();
    let rejected = world.asked(&["dev/dba"]).await;
    world.here.reject(rejected, &bob(), None).await.unwrap();
    let pending = world.asked(&["dev/dba"]).await;
    let ids = |filter: Filter| async {
        let listed = world.there.list(filter).await.unwrap();
        listed.into_iter().map(|approval| approval.id).collect::<BTreeSet<_>>()
    };
    let of_state = |state| Filter { state: Some(state), ..Filter::default() };
    assert_eq!(ids(Filter::default()).await, BTreeSet::from([pending, rejected]));
    assert_eq!(ids(of_state(State::Pending)).await, BTreeSet::from([pending]));
    assert_eq!(ids(of_state(State::Rejected)).await, BTreeSet::from([rejected]));
    assert_eq!(ids(Filter { limit: Some(1), ..Filter::default() }).await.len(), 1);
    assert!(
        ids(Filter { target: Some(TargetName::parse("erp").unwrap()), ..Filter::default() }).await.is_empty()
    );
    world.clock.pass(i64::from(LIFETIME));
    assert!(ids(of_state(State::Pending)).await.is_empty());
}
