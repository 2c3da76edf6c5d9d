//! The journal as its readers see it: every call is there, refused ones too, and nobody can take one out.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::origin::{self, Origin};
use crate::world::World;

fn cli(world: &World, arguments: &[&str]) -> Output {
    world.gateway.run(&world.token("operator", &["operators"]), arguments)
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn calls_are_listed_and_shown_by_the_command_line_as_by_the_interface() {
    let world = World::new();
    let call = world.get("/things/7?x=1").header("countersign-call");
    let denied = world.gateway.get("/t/api/secret").bearer(&world.token("nobody", &[])).send();
    let refused = denied.header("countersign-call");
    assert_eq!(denied.at("/call"), refused);
    let table = stdout(&cli(&world, &["calls", "list"]));
    let line = |id: &str| table.lines().find(|line| line.contains(id)).unwrap().to_owned();
    assert!(line(&call).contains("dev/worker") && line(&call).contains("GET /things/7?x=1"), "{table}");
    assert!(line(&call).contains("answered 200"), "{table}");
    assert!(line(&refused).contains("refused denied"), "{table}");
    let only = stdout(&cli(&world, &["calls", "list", "--refused"]));
    assert!(only.contains(&refused) && !only.contains(&call), "{only}");
    let others = stdout(&cli(&world, &["calls", "list", "--principal", "dev/nobody", "--target", "api"]));
    assert!(others.contains(&refused) && !others.contains(&call), "{others}");

    let shown = stdout(&cli(&world, &["calls", "show", &call]));
    assert!(shown.contains("begun") && shown.contains("finished"), "{shown}");
    let json: Value =
        serde_json::from_str(&stdout(&cli(&world, &["--json", "calls", "show", &call]))).unwrap();
    let kinds: Vec<_> =
        json["events"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(kinds, ["begun", "finished"]);
    assert!(json["record"].to_string().contains("/things/7"), "{json}");
    assert!(!json.to_string().contains("inputs"), "what policies read unmasked is not shown: {json}");
    let missing = cli(&world, &["calls", "show", "01900000-0000-7000-8000-000000000000"]);
    assert!(!missing.status.success());
    world.close();
}

#[test]
fn every_refused_request_is_in_the_journal() {
    let policy = r#"@rate("1/hour") permit (principal in Group::"dev/rare", action == Action::"http.get", resource == Target::"api");"#;
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.policy("rare.cedar", policy));
    let nobody = world.token("nobody", &[]);
    let rare = world.token("rare", &["rare"]);
    let send = |token: &str, path: &str| world.gateway.get(path).bearer(token).send().at("/code");
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(send(&nobody, "/t/api/x"));
        expected.push(send(&nobody, "/v1/calls"));
        expected.push(world.own("GET", "/v1/calls?limit=none").send().at("/code"));
        expected.push(world.call("PUT", "/x").header("if-match", "x").json(&json!({})).send().at("/code"));
        expected.push(world.call("POST", "/ask/x").wait(0).json(&json!({})).send().at("/code"));
        expected.push(send(&rare, "/t/api/x"));
    }
    expected.retain(|code| !code.is_empty());
    let mut found: Vec<_> = world
        .calls(true)
        .iter()
        .map(|call| call["outcome"]["refusal"].as_str().unwrap().to_owned())
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(expected.iter().filter(|code| *code == "rate_limited").count(), 2);
    assert_eq!(world.origin.seen().len(), 1, "of a rate of one an hour");
    world.close();
}

#[test]
fn a_rate_is_told_with_the_time_until_it_has_room() {
    let policy = r#"@id("slow") @rate("2/minute") permit (principal in Group::"dev/rare", action in Action::"http", resource == Target::"api");"#;
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.policy("rare.cedar", policy));
    let [ada, bob] = ["ada", "bob"].map(|subject| world.token(subject, &["rare"]));
    let call = |token: &str| world.gateway.get("/t/api/").bearer(token).send();
    assert_eq!([call(&ada).status, call(&ada).status], [200, 200]);
    let limited = call(&ada);
    assert_eq!((limited.status, limited.at("/code").as_str()), (429, "rate_limited"));
    let seconds: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(limited.at("/detail").contains("rare.cedar#slow"), "{}", limited.text());
    assert_eq!(call(&bob).status, 200, "a rate is one principal's");
    assert_eq!(world.origin.seen().len(), 3);
    world.close();
}

#[test]
fn a_tail_that_is_cut_or_an_old_copy_is_found_against_a_checkpoint_kept_elsewhere() {
    let mut world = World::new();
    assert_eq!(world.get("/old").status, 200);
    assert!(world.gateway.terminate().success());
    let (data, copy) = (world.gateway.folder().join("data"), tempfile::tempdir().unwrap());
    copy_folder(&data.join("journal"), &copy.path().join("journal"));
    world.gateway.start();
    assert_eq!(world.get("/new").status, 200);
    assert!(world.gateway.terminate().success());
    let kept = copy.path().join("checkpoint");
    std::fs::write(&kept, stdout(&world.gateway.run("", &["audit", "checkpoint"]))).unwrap();
    let kept = kept.display().to_string();
    let verify = |world: &World| world.gateway.run("", &["audit", "verify", "--checkpoint", &kept]);
    assert!(verify(&world).status.success());
    std::fs::remove_dir_all(data.join("journal")).unwrap();
    copy_folder(&copy.path().join("journal"), &data.join("journal"));
    assert!(
        world.gateway.run("", &["audit", "verify"]).status.success(),
        "by itself an old copy is a whole journal"
    );
    let found = verify(&world);
    assert_eq!(found.status.code(), Some(5), "{}", String::from_utf8_lossy(&found.stdout));
    let key = stdout(&world.gateway.run("", &["audit", "key"]));
    let journal = data.join("journal").display().to_string();
    let elsewhere = world.gateway.run("", &["audit", "verify", "--journal", &journal, "--key", key.trim()]);
    assert!(elsewhere.status.success(), "who has only the public key verifies too");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
