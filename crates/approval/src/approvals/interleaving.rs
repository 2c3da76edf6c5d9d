//! Whatever order things happen in, over two processes: never used unsigned or twice, never signed by oneself, and exactly
//! one outcome of each race.

use std::collections::{BTreeMap, BTreeSet};

use model::GroupName;
use proptest::prelude::*;

use super::tests::{LIFETIME, World, call_of, names, person, via};
use super::*;

/// Who takes part, by index: two chains that call, three who may sign, and one who may not.
fn cast() -> [Principal; 6] {
    [
        via(person("alice", &["dev/dba"]), person("agent", &["dev/legal"])),
        person("erin", &["dev/dba"]),
        person("bob", &["dev/dba", "dev/legal"]),
        person("carol", &["dev/legal"]),
        via(person("dave", &["dev/dba"]), person("agent", &[])),
        person("mallory", &[]),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Ask { caller: usize, groups: u8 },
    Sign { which: prop::sample::Index, who: usize },
    Reject { which: prop::sample::Index, who: usize },
    Withdraw { which: prop::sample::Index, who: usize },
    Void { which: prop::sample::Index },
    Use { which: prop::sample::Index },
    GiveBack,
    Pass { secs: i64 },
    Sweep,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        4 => (0..2usize, 0..3u8).prop_map(|(caller, groups)| Step::Ask { caller, groups }),
        8 => (which(), 0..6usize).prop_map(|(which, who)| Step::Sign { which, who }),
        1 => (which(), 0..6usize).prop_map(|(which, who)| Step::Reject { which, who }),
        1 => (which(), 0..6usize).prop_map(|(which, who)| Step::Withdraw { which, who }),
        1 => which().prop_map(|which| Step::Void { which }),
        4 => which().prop_map(|which| Step::Use { which }),
        1 => Just(Step::GiveBack),
        2 => (1..i64::from(LIFETIME)).prop_map(|secs| Step::Pass { secs }),
        1 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

fn groups_of(index: u8) -> &'static [&'static str] {
    match index {
        0 => &["dev/dba"],
        1 => &["dev/legal"],
        _ => &["dev/dba", "dev/legal"],
    }
}

/// What must be true of one approval, told from what succeeded alone.
#[derive(Debug)]
struct Told {
    caller: usize,
    groups: BTreeSet<GroupName>,
    expires: Timestamp,
    signers: Vec<usize>,
    ended: Option<State>,
    used_by: Option<CallId>,
}

impl Told {
    fn state(&self, now: Timestamp) -> State {
        match (self.ended, self.used_by) {
            (Some(ended), _) => ended,
            (None, Some(_)) => State::Used,
            (None, None) if now >= self.expires => State::Expired,
            (None, None) if self.signers.len() == self.groups.len() => State::Approved,
            (None, None) => State::Pending,
        }
    }

    fn is_own(&self, who: usize) -> bool {
        let cast = cast();
        let own: BTreeSet<_> = cast[self.caller].chain().map(|principal| principal.key.clone()).collect();
        cast[who].chain().any(|principal| own.contains(&principal.key))
    }

    /// Groups are taken in their order, so the signatures so far say which are awaited.
    fn may_sign(&self, who: usize) -> bool {
        let cast = cast();
        let mut awaited = self.groups.clone();
        for signer in &self.signers {
            let taken =
                awaited.intersection(&cast[*signer].groups).next().cloned().expect("nobody else has signed");
            awaited.remove(&taken);
        }
        !self.is_own(who) && !self.signers.contains(&who) && !awaited.is_disjoint(&cast[who].groups)
    }
}

async fn play(steps: Vec<Step>) {
    let mut world = World::new();
    let mut told: BTreeMap<ApprovalId, Told> = BTreeMap::new();
    for (turn, step) in steps.into_iter().enumerate() {
        let process = if turn % 2 == 0 { world.here.clone() } else { world.there.clone() };
        let now = process.now();
        let pick = |which: &prop::sample::Index, told: &BTreeMap<ApprovalId, Told>| {
            (!told.is_empty()).then(|| *told.keys().nth(which.index(told.len())).unwrap())
        };
        match &step {
            Step::Ask { caller, groups } => ask(&process, &mut told, *caller, groups_of(*groups)).await,
            Step::Sign { which, who } => {
                let Some(id) = pick(which, &told) else { continue };
                let approval = told.get_mut(&id).unwrap();
                let expected = approval.state(now) == State::Pending && approval.may_sign(*who);
                assert_eq!(process.sign(id, &cast()[*who], None).await.is_ok(), expected, "{step:?}");
                approval.signers.extend(expected.then_some(*who));
            }
            Step::Reject { which, who } => {
                let Some(id) = pick(which, &told) else { continue };
                let approval = told.get_mut(&id).unwrap();
                let asked = !approval.groups.is_disjoint(&cast()[*who].groups);
                let expected = approval.state(now) == State::Pending && asked && !approval.is_own(*who);
                assert_eq!(process.reject(id, &cast()[*who], None).await.is_ok(), expected, "{step:?}");
                approval.ended = expected.then_some(State::Rejected).or(approval.ended);
            }
            Step::Withdraw { which, who } => {
                let Some(id) = pick(which, &told) else { continue };
                let approval = told.get_mut(&id).unwrap();
                let expected = approval.state(now).is_live() && approval.caller == *who;
                assert_eq!(process.withdraw(id, &cast()[*who]).await.is_ok(), expected, "{step:?}");
                approval.ended = expected.then_some(State::Withdrawn).or(approval.ended);
            }
            Step::Void { which } => {
                let Some(id) = pick(which, &told) else { continue };
                let approval = told.get_mut(&id).unwrap();
                let expected = approval.state(now).is_live();
                assert_eq!(process.void(id).await.is_ok(), expected, "{step:?}");
                approval.ended = expected.then_some(State::Void).or(approval.ended);
            }
            Step::Use { which } => {
                let Some(id) = pick(which, &told) else { continue };
                let approval = told.get_mut(&id).unwrap();
                let expected = approval.state(now) == State::Approved;
                let call = CallId::new();
                let used = process.mark_used(id, call).await;
                assert_eq!(used.is_ok(), expected, "{step:?}");
                if let Ok(used) = used {
                    assert_eq!(used.groups, approval.groups, "used without every signature");
                    approval.used_by = Some(call);
                }
            }
            Step::GiveBack => {
                for id in process.give_back_unbegun(|_| false).await.unwrap() {
                    let approval = told.get_mut(&id).unwrap();
                    assert_eq!(approval.state(now), State::Used);
                    assert!(now < approval.expires);
                    approval.used_by = None;
                }
            }
            Step::Pass { secs } => world.clock.pass(*secs),
            Step::Sweep => drop(process.expire_due().await.unwrap()),
            Step::Restart => world.there = world.reopen(),
        }
        for (id, approval) in &told {
            let state = approval.state(world.here.now());
            assert_eq!(world.here.show(*id).await.unwrap().unwrap().state, state, "after {step:?}");
            assert_eq!(world.there.show(*id).await.unwrap().unwrap().state, state, "after {step:?}");
        }
    }
}

async fn ask(process: &Approvals, told: &mut BTreeMap<ApprovalId, Told>, caller: usize, groups: &[&str]) {
    let now = process.now();
    let (approval, fresh) = process.ask(call_of(&cast()[caller], 1, groups)).await.unwrap();
    let groups = names(groups);
    for (id, other) in
        told.iter_mut().filter(|(_, other)| other.caller == caller && other.state(now).is_live())
    {
        let serves = match other.state(now) {
            State::Pending => other.groups == groups,
            _ => groups.is_subset(&other.groups),
        };
        assert_eq!(*id == approval.id, serves, "an identical call attaches, and to nothing else");
        other.ended = (!serves).then_some(State::Void);
    }
    assert_eq!(fresh, !told.contains_key(&approval.id));
    let new =
        Told { caller, groups, expires: approval.expires, signers: Vec::new(), ended: None, used_by: None };
    told.entry(approval.id).or_insert(new);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_over_two_processes_keeps_the_promises(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(steps));
    }
}

#[tokio::test]
async fn of_a_signature_a_rejection_and_a_withdrawal_at_once_one_comes_out() {
    let world = World::new();
    let [caller, erin, _, _, _, _] = cast();
    let approver = person("bob", &["dev/dba"]);
    for _ in 0..20 {
        let id = world.here.ask(call_of(&caller, 1, &["dev/dba"])).await.unwrap().0.id;
        let (signed, rejected, signed_too) = tokio::join!(
            world.here.sign(id, &approver, None),
            world.there.reject(id, &approver, None),
            world.there.sign(id, &erin, None),
        );
        let came_out = [signed.is_ok(), rejected.is_ok(), signed_too.is_ok()];
        assert_eq!(came_out.iter().filter(|ok| **ok).count(), 1, "{came_out:?}");
        let state = world.there.show(id).await.unwrap().unwrap().state;
        assert_eq!(state, if rejected.is_ok() { State::Rejected } else { State::Approved });
        let _ = world.here.void(id).await;
    }
}

#[tokio::test]
async fn of_two_calls_and_an_expiry_at_once_one_comes_out() {
    let world = World::new();
    let [caller, _, bob, _, _, _] = cast();
    for _ in 0..20 {
        let id = world.here.ask(call_of(&caller, 1, &["dev/dba"])).await.unwrap().0.id;
        world.here.sign(id, &bob, None).await.unwrap();
        let (one, other, swept) = tokio::join!(
            world.here.mark_used(id, CallId::new()),
            world.there.mark_used(id, CallId::new()),
            async {
                world.clock.pass(i64::from(LIFETIME));
                world.there.expire_due().await.unwrap()
            },
        );
        let came_out = usize::from(one.is_ok()) + usize::from(other.is_ok()) + swept;
        assert_eq!(came_out, 1, "{one:?} {other:?} {swept}");
        let state = world.here.show(id).await.unwrap().unwrap().state;
        assert_eq!(state, if swept == 1 { State::Expired } else { State::Used });
    }
}
