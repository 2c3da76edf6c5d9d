//! The second signature over HTTP: what was approved is what runs, once, for whom it was approved, and nothing else.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use testkit::{Answer, Outgoing, eventually};

use crate::origin::{self, Origin};
use crate::world::{POLICIES, World};

/// A payment of a worker, which needs a signature. It does not wait for one.
fn payment(world: &World, amount: u64) -> Outgoing {
    world.call("POST", "/ask/pay").wait(0).json(&json!({ "amount": amount }))
}

/// The approval that a refused call asks for.
fn asked(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.at("/code").as_str()), (403, "approval_required"), "{}", answer.text());
    answer.at("/approval/id")
}

/// Sends it in the background.
fn waiting(request: Outgoing) -> JoinHandle<Answer> {
    std::thread::spawn(move || request.send())
}

/// The approvals in this state, as an operator sees them.
fn approvals(world: &World, state: &str) -> Vec<Value> {
    let answer = world.own("GET", &format!("/v1/approvals?state={state}")).send();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["approvals"].as_array().unwrap().clone()
}

/// Waits until a request for a signature is pending.
fn pending(world: &World) -> String {
    eventually("a request for a signature", || {
        approvals(world, "pending").first().map(|approval| approval["id"].as_str().unwrap().to_owned())
    })
}

fn state(world: &World, id: &str) -> String {
    world.own("GET", &format!("/v1/approvals/{id}")).send().at("/state")
}

#[test]
fn a_caller_that_waits_runs_at_once_when_somebody_signs() {
    let world = World::new();
    let caller = waiting(payment(&world, 1).wait(60));
    let id = pending(&world);
    assert!(world.origin.seen().is_empty() && !caller.is_finished());
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({ "ok": true })));
    let seen = world.origin.only();
    assert_eq!(
        (seen.method.as_str(), seen.path(), seen.body.as_slice()),
        ("POST", "/ask/pay", &br#"{"amount":1}"#[..])
    );
    let used = world.own("GET", &format!("/v1/approvals/{id}")).send().json();
    assert_eq!(
        (&used["state"], &used["used_by"]),
        (&json!("used"), &json!(answer.header("countersign-call")))
    );
    world.close();
}

#[test]
fn a_caller_that_does_not_wait_is_told_what_to_wait_for_and_runs_once_when_it_comes_back() {
    let world = World::new();
    let first = payment(&world, 1).send();
    let id = asked(&first);
    assert_eq!(first.at("/approval/url"), format!("/v1/approvals/{id}"));
    assert!(!first.at("/approval/expires").is_empty() && !first.header("retry-after").is_empty());
    assert_eq!(asked(&payment(&world, 1).send()), id, "an identical call asks for nothing new");
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    assert_eq!(payment(&world, 1).send().status, 200);
    assert_ne!(asked(&payment(&world, 1).send()), id, "a signature is used once");
    assert_eq!(world.origin.seen().len(), 1);
    world.close();
}

#[test]
fn a_caller_that_has_left_never_runs_and_its_signature_serves_one_identical_call() {
    let world = World::new();
    let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
    stream.write_all(&payment(&world, 1).wait(300).bytes()).unwrap();
    let id = pending(&world);
    drop(stream);
    eventually("the gateway notices", || {
        let open = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let port = format!(":{:04X} ", world.gateway.address().port());
        // What is left of the connection at the gateway's end: nothing that could carry an answer.
        (!open.lines().any(|line| line.contains(&port) && line.contains(" 08 "))).then_some(())
    });
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    assert_eq!(world.call("GET", "/free").send().status, 200);
    assert_eq!(world.origin.only().path(), "/free", "nobody was there to get the answer");
    assert_eq!(state(&world, &id), "approved");
    assert_eq!(payment(&world, 1).send().status, 200);
    assert_eq!(world.origin.seen().len(), 2);
    world.close();
}

#[test]
fn nobody_signs_a_call_of_their_own() {
    let world = World::new();
    let both = world.token("ada", &["workers", "approvers"]);
    let call =
        |token: &str| world.gateway.post("/t/api/ask/pay").bearer(token).wait(0).json(&json!({})).send();
    let sign = |token: &str, id: &str| {
        world.gateway.post(&format!("/v1/approvals/{id}/approve")).bearer(token).send()
    };
    let id = asked(&call(&both));
    let refused = sign(&both, &id);
    assert_eq!((refused.status, refused.at("/code").as_str()), (403, "denied"), "{}", refused.text());
    assert_eq!(state(&world, &id), "pending");

    // An agent that acts for somebody: neither of the two signs for it.
    let mut claims = world.issuer.claims("ada", &["workers", "approvers"]);
    claims["act"] = json!({ "sub": "bot" });
    let agent = world.issuer.sign(&claims);
    let id = asked(&call(&agent));
    for signer in [&both, &agent, &world.token("bot", &["approvers"])] {
        assert_eq!(sign(signer, &id).status, 403);
    }
    // And an agent of an approver is no approver of a third person's call that the approver's own agent made.
    assert_eq!(world.verdict("eve", &id, "approve").status, 200, "somebody else does");
    world.close();
}

#[test]
fn a_signature_is_given_by_a_member_of_the_group_that_is_asked_and_by_nobody_else() {
    let policy =
        r#"permit (principal in Group::"dev/signers", action == Action::"approval.sign", resource);"#;
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.policy("signers.cedar", policy));
    let id = asked(&payment(&world, 1).send());
    let sign = |groups: &[&str]| {
        let token = world.token("eve", groups);
        world
            .gateway
            .post(&format!("/v1/approvals/{id}/approve"))
            .bearer(&token)
            .json(&json!({}))
            .send()
            .status
    };
    assert_eq!(sign(&[]), 403, "no policy permits it to sign");
    assert_eq!(sign(&["operators"]), 403, "an operator's permit is no membership");
    assert_eq!(sign(&["signers"]), 403, "a permit to sign is no membership");
    assert_eq!(state(&world, &id), "pending");
    assert_eq!(sign(&["approvers"]), 200);
    world.close();
}

#[test]
fn a_call_that_differs_in_anything_is_another_call() {
    let world = World::new();
    let id = asked(&payment(&world, 1).header("x-note", "a").send());
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    let token = |subject: &str| world.token(subject, &["workers"]);
    let body = json!({ "amount": 1 });
    let send = |method: &str, path: &str, subject: &str, note: &str, body: &Value| {
        let request = world.gateway.request(method, &format!("/t/api{path}")).bearer(&token(subject)).wait(0);
        request.header("x-note", note).json(body).send()
    };
    let mut others = vec![
        send("POST", "/ask/pay", "worker", "a", &json!({ "amount": 2 })),
        send("POST", "/ask/pay", "worker", "a", &json!({ "amount": 1.0 })),
        send("POST", "/ask/pay", "worker", "b", &body),
        send("POST", "/ask/pay?x=1", "worker", "a", &body),
        send("POST", "/ask/pay/", "worker", "a", &body),
        send("PUT", "/ask/pay", "worker", "a", &body),
        send("POST", "/ask/pay", "other", "a", &body),
        payment(&world, 1).send(),
        payment(&world, 1).header("x-note", "a").header("x-note", "b").send(),
    ];
    let same_text = world.call("POST", "/ask/pay").wait(0).header("x-note", "a");
    others.push(same_text.body("application/json", r#"{"amount": 1}"#).send());
    for other in &others {
        assert_ne!(asked(other), id);
    }
    assert!(world.origin.seen().is_empty());
    // What differs from one try to the next by itself is not signed for.
    let again = payment(&world, 1)
        .header("x-note", "a")
        .header("user-agent", "x/2")
        .header("traceparent", "00-1-2-3");
    assert_eq!(again.header("idempotency-key", "k").send().status, 200);
    assert_eq!(world.origin.seen().len(), 1);
    world.close();
}

#[test]
fn of_identical_calls_that_wait_one_runs() {
    let world = World::new();
    for round in 0..5 {
        let callers: Vec<_> = (0..4).map(|_| waiting(payment(&world, round).wait(3))).collect();
        let id = pending(&world);
        assert_eq!(world.verdict("ada", &id, "approve").status, 200);
        let mut codes: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).map(code).collect();
        codes.sort();
        assert_eq!(codes.iter().filter(|code| *code == "200").count(), 1, "{codes:?}");
        // Who came too late to wait for this signature asks for another.
        assert!(codes[1..].iter().all(|code| code == "conflict" || code == "approval_required"), "{codes:?}");
        assert_eq!(world.origin.seen().len() as u64, round + 1);
        for left in approvals(&world, "pending") {
            world.verdict("ada", left["id"].as_str().unwrap(), "reject");
        }
    }
    world.close();
}

fn code(answer: Answer) -> String {
    if answer.status == 200 { "200".to_owned() } else { answer.at("/code") }
}

#[test]
fn a_rejection_ends_the_call_with_its_reason() {
    let world = World::new();
    let caller = waiting(payment(&world, 1).wait(60));
    let id = pending(&world);
    let token = world.token("ada", &["approvers"]);
    let reject = world.gateway.post(&format!("/v1/approvals/{id}/reject")).bearer(&token);
    assert_eq!(reject.json(&json!({ "reason": "too much" })).send().status, 200);
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, answer.at("/code").as_str()), (403, "rejected"));
    assert!(answer.at("/detail").contains("too much"), "{}", answer.text());
    assert_ne!(asked(&payment(&world, 1).send()), id, "what was rejected is asked for anew");
    assert_eq!(world.verdict("eve", &id, "approve").status, 403, "it cannot be signed any more");
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn of_an_approval_and_a_rejection_at_once_one_counts() {
    let world = World::new();
    for round in 0..8 {
        let id = asked(&payment(&world, round).send());
        let verdict = |who: &str, verdict: &str| {
            let token = world.token(who, &["approvers"]);
            waiting(
                world.gateway.post(&format!("/v1/approvals/{id}/{verdict}")).bearer(&token).json(&json!({})),
            )
        };
        let (approve, reject) = (verdict("ada", "approve"), verdict("eve", "reject"));
        let (approved, rejected) = (approve.join().unwrap().status, reject.join().unwrap().status);
        let ran = payment(&world, round).send().status == 200;
        match (approved, rejected) {
            (200, 200) | (200, 409) | (200, 403) => assert!(ran || rejected == 200, "{approved} {rejected}"),
            (403 | 409, 200) => assert!(!ran),
            other => panic!("{other:?}"),
        }
        let expected = if ran { "used" } else { "rejected" };
        assert_eq!(state(&world, &id), expected);
    }
    world.close();
}

#[test]
fn an_approval_that_has_run_out_can_be_neither_signed_nor_used() {
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.table("[approvals]\nlifetime = \"2s\"\n"));
    let signed = asked(&payment(&world, 1).send());
    assert_eq!(world.verdict("ada", &signed, "approve").status, 200);
    let unsigned = asked(&payment(&world, 2).send());
    let caller = waiting(payment(&world, 3).wait(60));
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, answer.at("/code").as_str()), (403, "expired"), "{}", answer.text());
    let late = world.verdict("ada", &unsigned, "approve");
    assert_eq!((late.status, late.at("/code").as_str()), (403, "expired"), "{}", late.text());
    assert_ne!(asked(&payment(&world, 1).send()), signed, "a signature that has run out is not used");
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn a_restart_loses_no_approval_and_revives_none() {
    let mut world = World::new();
    let [pending, approved, used, rejected] =
        [1, 2, 3, 4].map(|amount| asked(&payment(&world, amount).send()));
    for id in [&approved, &used] {
        assert_eq!(world.verdict("ada", id, "approve").status, 200);
    }
    assert_eq!(world.verdict("ada", &rejected, "reject").status, 200);
    assert_eq!(payment(&world, 3).send().status, 200);
    for kill in [false, true] {
        if kill {
            world.gateway.kill()
        } else {
            world.gateway.terminate()
        };
        world.gateway.start();
        let states = [&pending, &approved, &used, &rejected].map(|id| state(&world, id));
        assert_eq!(states, ["pending", "approved", "used", "rejected"], "killed: {kill}");
        assert_eq!(asked(&payment(&world, 1).send()), pending);
        assert_ne!(asked(&payment(&world, 3).send()), used);
    }
    assert_eq!(payment(&world, 2).send().status, 200);
    assert_eq!(world.verdict("ada", &pending, "approve").status, 200);
    assert_eq!(payment(&world, 1).send().status, 200);
    assert_eq!(world.origin.seen().len(), 3);
    world.close();
}

#[test]
fn policy_decides_again_with_the_signature_and_may_say_no() {
    let mut world = World::new();
    let id = asked(&payment(&world, 1).send());
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    let forbid = r#"@id("frozen") forbid (principal, action in Action::"http", resource == Target::"api") when { context.path like "/ask*" };"#;
    let file = world.gateway.folder().join("policies/frozen.cedar");
    std::fs::write(&file, forbid).unwrap();
    assert!(world.gateway.reload());
    let denied = payment(&world, 1).send();
    assert_eq!((denied.status, denied.at("/code").as_str()), (403, "denied"));
    assert!(denied.at("/detail").contains("frozen"), "{}", denied.text());
    std::fs::remove_file(&file).unwrap();
    assert!(world.gateway.reload());
    assert_eq!(
        payment(&world, 1).send().status,
        200,
        "the approval stood, and is used under a policy that asks for it"
    );
    assert_eq!(world.origin.seen().len(), 1);
    world.close();
}

#[test]
fn a_caller_that_waits_while_policy_changes_runs_under_the_new_one() {
    let mut world = World::new();
    let caller = waiting(payment(&world, 1).wait(60));
    let id = pending(&world);
    let stricter = POLICIES.replace("dev/approvers", "dev/directors");
    std::fs::write(world.gateway.folder().join("policies/world.cedar"), stricter).unwrap();
    let policy =
        r#"permit (principal in Group::"dev/approvers", action == Action::"approval.sign", resource);"#;
    std::fs::write(world.gateway.folder().join("policies/sign.cedar"), policy).unwrap();
    assert!(world.gateway.reload());
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, answer.at("/code").as_str()), (409, "conflict"), "{}", answer.text());
    assert_eq!(state(&world, &id), "void");
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn a_signature_does_not_follow_a_target_that_is_pointed_elsewhere() {
    let elsewhere = Origin::answering(|_| origin::json(&json!({ "elsewhere": true })));
    let mut world = World::new();
    let id = asked(&payment(&world, 1).send());
    assert_eq!(world.verdict("ada", &id, "approve").status, 200);
    let config = std::fs::read_to_string(world.gateway.config()).unwrap();
    let pointed = config
        .replace(&format!("url = \"{}\"", world.origin.url()), &format!("url = \"{}\"", elsewhere.url()));
    assert_ne!(config, pointed);
    std::fs::write(world.gateway.config(), pointed).unwrap();
    assert!(world.gateway.reload());
    assert_ne!(asked(&payment(&world, 1).send()), id);
    assert!(world.origin.seen().is_empty() && elsewhere.seen().is_empty());
    world.close();
}

#[test]
fn what_an_approver_reads_is_masked_and_says_what_will_run() {
    let world = World::new();
    let body = json!({ "to": "zed@example.com", "card": 4_111_111_111_111_111_u64, "amount": 7 });
    let id = asked(&world.call("POST", "/ask/pay").wait(0).json(&body).send());
    let token = world.token("ada", &["operators"]);
    let shown = world.gateway.get(&format!("/v1/approvals/{id}")).bearer(&token).send();
    let text = shown.text();
    assert!(!text.contains("zed@") && !text.contains("4111111111111111"), "{text}");
    let approval = shown.json();
    assert_eq!(approval["principal"], "dev/worker");
    assert_eq!(approval["awaits"], json!(["dev/approvers"]));
    assert!(approval["sentence"].as_str().unwrap().starts_with("POST /ask/pay"), "{text}");
    assert!(text.contains("amount") && text.contains("world.cedar#asks"), "{text}");
    world.close();
}

#[test]
fn a_principal_cannot_fill_the_store_with_requests() {
    let world = World::new();
    let token = world.token("worker", &["workers"]);
    let ask = |number: u32| world.gateway.post(&format!("/t/api/ask/{number}")).bearer(&token).wait(0).send();
    let refused = (0..200).map(ask).find(|answer| answer.at("/code") != "approval_required").unwrap();
    assert_eq!((refused.status, refused.at("/code").as_str()), (429, "rate_limited"), "{}", refused.text());
    let other = world.token("other", &["workers"]);
    asked(&world.gateway.post("/t/api/ask/x").bearer(&other).wait(0).send());
    world.close();
}
