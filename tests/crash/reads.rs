//! A read whose answer streams, killed around the first byte of it: what a caller saw stands in the journal.

use testkit::{Outgoing, Scene};

use super::{CRASH_AT, begun, died_at, text, verifies};
use crate::PROGRAM;

/// Lets the gateway die at `point` in the middle of a read, and gives what the caller received.
fn killed_at(point: &str) -> (Scene, Vec<u8>) {
    let mut scene = Scene::write(PROGRAM, |builder| builder);
    scene.gateway.start_with(&[(CRASH_AT, point)]);
    let received = scene.gateway.raw(&events(&scene).bytes());
    died_at(&mut scene, point);
    scene.gateway.start();
    (scene, received)
}

/// The demo API's stream of events, which takes longer than dying does.
fn events(scene: &Scene) -> Outgoing {
    scene.gateway.get("/t/demo/events").bearer(&scene.function())
}

fn stands_as_interrupted(mut scene: Scene) {
    let calls = begun(&scene);
    let outcomes: Vec<_> = calls.iter().map(|call| text(call, "/outcome/outcome")).collect();
    assert_eq!(outcomes, ["interrupted"]);
    verifies(&mut scene);
}

#[test]
fn a_read_is_written_before_a_byte_of_its_answer_is_released() {
    let (scene, received) = killed_at("recorded");
    assert!(received.is_empty(), "{}", String::from_utf8_lossy(&received));
    stands_as_interrupted(scene);
}

#[test]
fn a_read_whose_answer_began_to_show_is_in_the_journal() {
    let (scene, received) = killed_at("first_byte_out");
    assert!(received.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&received));
    stands_as_interrupted(scene);
}

#[test]
fn a_call_without_a_body_passes_the_steps_of_sending_too() {
    for point in ["head_sent", "body_sent"] {
        let (scene, received) = killed_at(point);
        assert!(received.is_empty(), "{}", String::from_utf8_lossy(&received));
        let calls = begun(&scene);
        // A read need not be written before it is sent; if it is there, it has ended.
        assert!(calls.len() <= 1 && calls.iter().all(|call| text(call, "/outcome/outcome") == "interrupted"));
    }
}
