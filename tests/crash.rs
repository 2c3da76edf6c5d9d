//! Killed at every step of the order of writes (ARCHITECTURE.md), and at moments that nobody chose: no effect without a
//! record, none twice, every signature used once, every call ended, and a journal that verifies.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod load;
mod points;
mod reads;

use serde_json::Value;
use testkit::{Scene, eventually};

/// The crash point that ends a gateway.
const CRASH_AT: &str = "COUNTERSIGN_CRASH_AT";

/// Waits until the gateway has ended by itself at this crash point, and by nothing else.
fn died_at(scene: &mut Scene, point: &str) {
    let status = scene.gateway.process().wait();
    let log = scene.gateway.log();
    assert!(!status.success(), "the gateway ended in order");
    assert!(log.contains(&format!("crash point point=\"{point}\"")), "`{point}` was never hit:\n{log}");
}

/// The calls of the demo API that were begun, the latest first: neither refused nor awaiting a signature. None is under way,
/// so each has an end, at the latest when the journal has written what it was told.
fn begun(scene: &Scene) -> Vec<Value> {
    eventually("every call that was begun has an end", || {
        let mut calls = listed(scene);
        calls.retain(|call| match text(call, "/outcome/outcome").as_str() {
            "refused" => false,
            "" => events(scene, &text(call, "/call")).iter().any(|event| event["event"] == "begun"),
            _ => true,
        });
        calls.iter().all(|call| !call["outcome"].is_null()).then_some(calls)
    })
}

fn listed(scene: &Scene) -> Vec<Value> {
    let mut calls: Vec<Value> = Vec::new();
    loop {
        let before = calls.last().map(|call| format!("&before={}", text(call, "/call"))).unwrap_or_default();
        let path = format!("/v1/calls?target=demo&limit=1000{before}");
        let answer = scene.gateway.get(&path).bearer(&scene.approver()).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json()["calls"].as_array().unwrap().clone();
        if page.is_empty() {
            return calls;
        }
        calls.extend(page);
    }
}

/// What the journal holds of a call.
fn events(scene: &Scene, call: &str) -> Vec<Value> {
    let answer = scene.gateway.get(&format!("/v1/calls/{call}")).bearer(&scene.approver()).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["events"].as_array().unwrap().clone()
}

/// A request for a signature.
fn approval(scene: &Scene, id: &str) -> Value {
    let answer = scene.gateway.get(&format!("/v1/approvals/{id}")).bearer(&scene.approver()).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Stops in order; then the journal must verify.
fn verifies(scene: &mut Scene) {
    assert!(scene.gateway.terminate().success(), "{}", scene.gateway.log());
    let verified = scene.gateway.run("", &["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
