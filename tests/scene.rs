//! The scene that all other tests stand on: a call, a denial, a payment that is signed for, a stop and another start.

use testkit::Scene;

use crate::PROGRAM;

#[test]
fn a_call_goes_all_the_way_and_comes_back_masked() {
    let scene = Scene::start(PROGRAM);
    let answer = scene.gateway.get("/t/demo/customers/1").bearer(&scene.function()).send();
    assert_eq!((answer.status, answer.whole), (200, true), "{}", answer.text());
    assert!(!answer.text().contains('@'), "an address is not masked: {}", answer.text());

    let deleted = scene.gateway.request("DELETE", "/t/demo/customers/1").bearer(&scene.function()).send();
    assert_eq!(deleted.status, 403, "{}", deleted.text());
    assert!(scene.api.effects().is_empty());
}

#[test]
fn a_payment_runs_once_when_it_is_signed_and_outlives_a_stop() {
    let mut scene = Scene::start(PROGRAM);
    let asked = scene.payment("first").send();
    assert_eq!(asked.status, 403, "{}", asked.text());
    let id = asked.at("/approval/id");
    assert_eq!(scene.approval(&id).send().status, 200);
    assert!(scene.gateway.terminate().success());
    scene.gateway.start();

    assert_eq!(scene.payment("first").send().status, 201);
    assert_eq!(scene.paid("first"), 1);
    assert_eq!(scene.payment("first").send().status, 403, "a signature is used once");
    assert_eq!(scene.paid("first"), 1);
    assert!(scene.gateway.terminate().success());
    assert!(scene.gateway.run("", &["audit", "verify"]).status.success());
}
