//! A disk that is full: calls are refused, nothing reaches the target that must not, and calls are served again when there
//! is room, without another start.
//!
//! The gateway may write no file any longer, neither the journal nor the store nor its log; the operating system sees to
//! that (`RLIMIT_FSIZE`), which needs no privilege and no disk of its own.

use testkit::{Answer, Scene, eventually};

use crate::PROGRAM;

const DELETE: &str = r#"
@id("delete")
permit (principal in Group::"dev/functions", action == Action::"http.delete", resource == Target::"demo");
"#;

#[test]
fn while_the_disk_is_full_calls_are_refused_and_afterwards_served() {
    let mut scene = Scene::start_with(PROGRAM, |builder| builder.policy("delete.cedar", DELETE));
    let id = scene.payment("rent").send().at("/approval/id");
    assert_eq!(scene.approval(&id).send().status, 200);
    assert_eq!(read(&scene).status, 200);

    scene.gateway.process().limit_files(Some(0));
    eventually("a read is refused", || {
        let answer = read(&scene);
        // One that was sent before the journal failed has an answer, which nobody may see.
        assert!(matches!(answer.status, 422 | 503), "an answer without a record: {}", answer.text());
        (answer.at("/code") == "journal_unavailable").then(|| assert_eq!(answer.status, 503))
    });
    assert_eq!(scene.gateway.get("/readyz").send().status, 503);
    let seen = scene.api.requests().len();
    for _ in 0..5 {
        assert_eq!(read(&scene).at("/code"), "journal_unavailable");
        assert_eq!(delete(&scene).at("/code"), "journal_unavailable");
        let paid = scene.payment("rent").send();
        assert!(
            ["journal_unavailable", "store_unavailable"].contains(&paid.at("/code").as_str()),
            "{}",
            paid.text()
        );
    }
    assert_eq!(scene.api.requests().len(), seen, "the target was called without a record");

    scene.gateway.process().limit_files(None);
    eventually("a read is served again", || (read(&scene).status == 200).then_some(()));
    assert_eq!(scene.gateway.get("/readyz").send().status, 200);
    let paid = scene.payment("rent").send();
    assert_eq!(paid.status, 201, "the signature was lost: {}", paid.text());
    assert_eq!(scene.paid("rent"), 1);

    assert!(scene.gateway.terminate().success(), "{}", scene.gateway.log());
    let verified = scene.gateway.run("", &["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

fn read(scene: &Scene) -> Answer {
    scene.gateway.get("/t/demo/customers/1").bearer(&scene.function()).send()
}

fn delete(scene: &Scene) -> Answer {
    scene.gateway.request("DELETE", "/t/demo/customers/2").bearer(&scene.function()).send()
}
