//! The command line against a running gateway: what it prints, and the exit status that a script reads.

use std::process::Output;

use serde_json::{Value, json};
use testkit::Scene;

use crate::PROGRAM;

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn pay(reason: &str) -> Vec<String> {
    let arguments = json!({ "customer": 1, "amount": 5000, "reason": reason }).to_string();
    ["call", "demo", "payments.create", "--wait", "0", "--arguments", &arguments].map(str::to_owned).to_vec()
}

#[test]
fn a_named_operation_is_called_listed_denied_and_signed_for_by_the_command_line() {
    let scene = Scene::start(PROGRAM);
    let (function, approver) = (scene.function(), scene.approver());
    let run = |token: &str, arguments: &[&str]| told(&scene.gateway.run(token, arguments));

    let (code, out, _) = run(&function, &["call", "demo", "customers.read", "--arg", "id=1"]);
    let customer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(0), "{out}");
    assert!(customer.is_object() && !out.contains('@'), "{out}");

    let (code, out, error) = run(&function, &["call", "demo", "customers.read", "--arg-text", "id=1"]);
    assert_eq!((code, out.as_str()), (Some(3), ""), "{error}");
    assert!(error.starts_with("not_understood"), "{error}");
    let nobody = scene.issuer.token("nobody", &[]);
    let (code, _, error) = run(&nobody, &["call", "demo", "customers.read", "--arg", "id=1"]);
    assert_eq!(code, Some(3), "{error}");
    assert!(error.starts_with("denied") && error.contains("demo:customers.read"), "{error}");
    let (code, _, error) = run("no-token", &["call", "demo", "customers.read", "--arg", "id=1"]);
    assert!(code == Some(3) && error.starts_with("unauthenticated"), "{error}");

    let arguments = pay("cli");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, _, error) = run(&function, &arguments);
    assert_eq!(code, Some(4), "{error}");
    let (_, listed, _) = run(&approver, &["approvals", "list"]);
    let id = listed.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(error.contains(&id), "{error}");
    let (_, shown, _) = run(&approver, &["approvals", "show", &id]);
    assert!(shown.contains("dev/fn") && shown.contains("payments.create"), "{shown}");
    let (code, _, error) = run(&function, &["approvals", "approve", &id]);
    assert_eq!(code, Some(3), "{error}");
    let (code, out, _) = run(&approver, &["approvals", "approve", &id, "--reason", "as agreed"]);
    assert!(code == Some(0) && out.starts_with("approved"), "{out}");
    let (code, _, error) = run(&approver, &["approvals", "approve", &id]);
    assert_eq!(code, Some(3), "nobody signs twice: {error}");
    assert_eq!(run(&function, &arguments).0, Some(0));
    assert_eq!(scene.paid("cli"), 1);
    assert_eq!(run(&function, &arguments).0, Some(4), "the signature is used");

    let (_, out, _) = run(&approver, &["--json", "approvals", "list", "--state", "used"]);
    let used: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(used["approvals"][0]["signatures"][0]["reason"], "as agreed");
    let (code, _, error) = run(&approver, &["approvals", "show", "nonsense"]);
    assert!(code == Some(3) && error.starts_with("not_found"), "{error}");
}

#[test]
fn what_a_principal_may_call_is_listed_for_it_alone() {
    let scene = Scene::start_with(PROGRAM, |builder| {
        builder.policy(
            "look.cedar",
            r#"permit (principal, action in [Action::"targets.list", Action::"operations.list"], resource);"#,
        )
    });
    let operations = |groups: &[&str]| {
        let token = scene.issuer.token("somebody", groups);
        let (code, out, error) =
            told(&scene.gateway.run(&token, &["--json", "targets", "operations", "demo"]));
        assert_eq!(code, Some(0), "{error}");
        let tools: Value = serde_json::from_str(&out).unwrap();
        let names =
            tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(operations(&["functions"]), ["customers_read", "payments_create"], "asks are listed too");
    assert!(operations(&["others"]).is_empty());
    let token = scene.issuer.token("somebody", &["functions"]);
    let tool = json!({ "operation": "customers_read", "arguments": { "id": 1 } });
    let by_tool_name = scene.gateway.post("/v1/targets/demo/calls").bearer(&token).json(&tool).send();
    assert_eq!(by_tool_name.status, 200, "{}", by_tool_name.text());
    let (_, out, _) = told(&scene.gateway.run(&token, &["targets", "list"]));
    assert!(out.lines().nth(1).unwrap().starts_with("demo"), "{out}");
}
