//! A countersigned payment, killed at each step.

use testkit::Scene;

use super::{CRASH_AT, approval, begun, died_at, events, text, verifies};
use crate::PROGRAM;

/// What the payment is for.
const REASON: &str = "rent";

/// What is found after the restart.
struct Found {
    /// How often the target was made to pay.
    paid: usize,
    /// The state of the approval.
    state: String,
    /// How each begun call of the payment has ended.
    outcomes: Vec<String>,
}

/// A payment whose gateway died at a step, and was started again on the same folder.
struct Killed {
    scene: Scene,
    /// The approval; empty when the gateway died before it told anybody.
    id: String,
}

impl Killed {
    /// While the call asked for a signature.
    fn asking() -> Self {
        let mut scene = Scene::write(PROGRAM, |builder| builder);
        scene.gateway.start_with(&[(CRASH_AT, "asked")]);
        assert!(scene.payment(REASON).try_send().is_err());
        Self::restarted(scene, "asked", String::new())
    }

    /// While an approver signed.
    fn signing() -> Self {
        let mut scene = Scene::start(PROGRAM);
        let id = scene.payment(REASON).send().at("/approval/id");
        assert!(scene.gateway.terminate().success());
        scene.gateway.start_with(&[(CRASH_AT, "signed")]);
        assert!(scene.approval(&id).try_send().is_err());
        Self::restarted(scene, "signed", id)
    }

    /// While the signed call ran. An approver's own calls pass the same steps, so the signature stands before the gateway
    /// that will die is started.
    fn paying(point: &str) -> Self {
        let mut scene = Scene::start(PROGRAM);
        let id = scene.payment(REASON).send().at("/approval/id");
        assert_eq!(scene.approval(&id).send().status, 200);
        assert!(scene.gateway.terminate().success());
        scene.gateway.start_with(&[(CRASH_AT, point)]);
        // An answer may have come, in whole or in part: at the last steps it was on its way.
        let _ = scene.payment(REASON).try_send();
        Self::restarted(scene, point, id)
    }

    fn restarted(mut scene: Scene, point: &str, id: String) -> Self {
        died_at(&mut scene, point);
        scene.gateway.start();
        Self { scene, id }
    }

    /// What stands in the target's file, the store and the journal; whatever that is, no effect lacks its record.
    fn found(&self) -> Found {
        let paid = self.scene.paid(REASON);
        let calls = begun(&self.scene);
        assert!(paid <= calls.len(), "an effect without a record");
        for call in &calls {
            let events = events(&self.scene, &text(call, "/call"));
            let event = events.iter().find(|event| event["event"] == "begun").unwrap();
            assert_eq!(
                event["approval"].as_str(),
                Some(self.id.as_str()),
                "its approval is not named: {event}"
            );
            assert_eq!(event["signers"], serde_json::json!(["dev/ada"]), "its signer is not named: {event}");
        }
        Found {
            paid,
            state: text(&approval(&self.scene, &self.id), "/state"),
            outcomes: calls.iter().map(|call| text(call, "/outcome/outcome")).collect(),
        }
    }

    /// The identical call once more, which must run by the signature that was not used.
    fn runs_once(&mut self) {
        let again = self.scene.payment(REASON).send();
        assert_eq!(again.status, 201, "{}", again.text());
        self.asks_anew(1);
        let Found { state, outcomes, .. } = self.found();
        assert_eq!((state.as_str(), outcomes.as_slice()), ("used", ["answered".to_owned()].as_slice()));
        verifies(&mut self.scene);
    }

    /// The identical call once more, which must ask for another signature and have no effect.
    fn asks_anew(&self, paid: usize) {
        let again = self.scene.payment(REASON).send();
        assert_eq!(again.status, 403, "{}", again.text());
        let other = again.at("/approval/id");
        assert!(!other.is_empty() && other != self.id, "a signature can be used twice: {}", again.text());
        assert_eq!(self.scene.paid(REASON), paid);
    }

    /// The call may have run; its signature is used, and nothing runs again.
    fn was_interrupted(&mut self, paid: impl Fn(usize) -> bool, outcomes: &[&str]) {
        let found = self.found();
        assert!(paid(found.paid), "paid {} times", found.paid);
        assert_eq!(found.state, "used");
        let [outcome] = found.outcomes.as_slice() else { panic!("not one call: {:?}", found.outcomes) };
        assert!(outcomes.contains(&outcome.as_str()), "it ended as `{outcome}`");
        self.asks_anew(found.paid);
        verifies(&mut self.scene);
    }
}

#[test]
fn asked_leaves_a_pending_approval_that_the_same_call_finds() {
    let mut killed = Killed::asking();
    let pending =
        killed.scene.gateway.get("/v1/approvals?state=pending").bearer(&killed.scene.approver()).send();
    let pending = pending.json()["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "/id"))
        .collect::<Vec<_>>();
    let [id] = pending.as_slice() else { panic!("not one approval: {pending:?}") };
    assert_eq!(killed.scene.payment(REASON).send().at("/approval/id"), *id, "it does not attach");
    killed.id.clone_from(id);
    let Found { paid, state, outcomes } = killed.found();
    assert_eq!((paid, state.as_str(), outcomes.len()), (0, "pending", 0));
    assert_eq!(killed.scene.approval(id).send().status, 200);
    killed.runs_once();
}

#[test]
fn signed_leaves_a_signature_that_the_same_call_uses_once() {
    let mut killed = Killed::signing();
    let Found { paid, state, outcomes } = killed.found();
    assert_eq!((paid, state.as_str(), outcomes.len()), (0, "approved", 0));
    killed.runs_once();
}

#[test]
fn used_without_begun_is_given_back() {
    let mut killed = Killed::paying("used");
    let Found { paid, state, outcomes } = killed.found();
    assert_eq!((paid, state.as_str(), outcomes.len()), (0, "approved", 0));
    killed.runs_once();
}

#[test]
fn begun_in_the_buffer_is_given_back_unless_it_was_written() {
    let mut killed = Killed::paying("begun");
    let Found { paid, state, outcomes } = killed.found();
    assert_eq!(paid, 0);
    // The journal's own thread may have been faster than the end.
    match (state.as_str(), outcomes.len()) {
        ("approved", 0) => killed.runs_once(),
        ("used", 1) => killed.was_interrupted(|paid| paid == 0, &["interrupted"]),
        other => panic!("store and journal disagree: {other:?}"),
    }
}

#[test]
fn durable_ends_as_interrupted_and_never_runs() {
    Killed::paying("durable").was_interrupted(|paid| paid == 0, &["interrupted"]);
}

#[test]
fn minted_ends_as_interrupted_and_never_runs() {
    Killed::paying("minted").was_interrupted(|paid| paid == 0, &["interrupted"]);
}

#[test]
fn head_sent_ends_as_interrupted_and_never_runs() {
    Killed::paying("head_sent").was_interrupted(|paid| paid == 0, &["interrupted"]);
}

#[test]
fn body_sent_ends_as_interrupted_and_may_have_run_once() {
    let mut killed = Killed::paying("body_sent");
    let seen = killed.scene.api.requests();
    assert!(
        seen.iter().any(|request| request["method"] == "POST"),
        "the target was not sent the call: {seen:?}"
    );
    killed.was_interrupted(|paid| paid <= 1, &["interrupted"]);
}

#[test]
fn answer_begun_ends_as_interrupted_and_has_run_once() {
    Killed::paying("answer_begun").was_interrupted(|paid| paid == 1, &["interrupted"]);
}

#[test]
fn recorded_ends_as_interrupted_and_has_run_once() {
    Killed::paying("recorded").was_interrupted(|paid| paid == 1, &["interrupted"]);
}

#[test]
fn first_byte_out_has_run_once() {
    Killed::paying("first_byte_out").was_interrupted(|paid| paid == 1, &["interrupted", "answered"]);
}

#[test]
fn finished_has_run_once() {
    Killed::paying("finished").was_interrupted(|paid| paid == 1, &["interrupted", "answered"]);
}

/// A crash point that is added has a test of its own here.
#[test]
fn every_crash_point_is_hit() {
    let tests = include_str!("points.rs");
    for name in gate::CrashPoint::ALL.map(gate::CrashPoint::name) {
        assert!(tests.contains(&format!("\"{name}\"")), "nothing is killed at `{name}`");
    }
}
