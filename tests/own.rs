//! Countersign's own interface: every route is denied until policy permits it, and reads nothing in two ways.

use serde_json::{Value, json};
use testkit::{Answer, Outgoing, Scene};

use crate::PROGRAM;
use crate::world::World;

const ID: &str = "01900000-0000-7000-8000-000000000000";

/// Every method and path of the OpenAPI document, with its parameters filled in.
fn routes(world: &World) -> Vec<(String, String)> {
    let document = world.gateway.get("/openapi.json").send();
    assert_eq!(document.status, 200);
    let paths = document.json()["paths"].as_object().unwrap().clone();
    let of_path = |(path, methods): (String, Value)| {
        let path = path.replace("{target}", "api").replace("{approval}", ID).replace("{call}", ID);
        assert!(!path.contains('{'), "{path}");
        let methods: Vec<_> =
            methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(move |method| (method, path.clone()))
    };
    paths.into_iter().flat_map(of_path).collect()
}

fn request(world: &World, method: &str, path: &str) -> Outgoing {
    let request = world.gateway.request(method, path);
    match path {
        _ if method == "GET" => request,
        "/v1/setup" => request.json(&json!({ "code": "AAAAA-AAAAA-AAAAA-AAAAA" })),
        _ if path.ends_with("/calls") => request.json(&json!({ "operation": "a.b" })),
        _ => request.json(&json!({})),
    }
}

/// A problem document that no cache keeps.
fn problem(answer: &Answer, status: u16, code: &str, why: &str) {
    assert_eq!((answer.status, answer.at("/code").as_str()), (status, code), "{why}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
    assert!(answer.header("cache-control").contains("no-store"), "{why}");
    for member in ["type", "title", "status", "next"] {
        assert!(answer.json().get(member).is_some(), "{why}: no `{member}` in {}", answer.text());
    }
}

#[test]
fn every_route_is_denied_to_strangers_and_to_those_whom_no_policy_permits() {
    let world = World::new();
    let nobody = world.token("nobody", &["workers", "approver", "operator"]);
    let routes = routes(&world);
    assert!(routes.len() >= 11, "{routes:?}");
    for (method, path) in &routes {
        let why = format!("{method} {path}");
        problem(&request(&world, method, path).send(), 401, "unauthenticated", &why);
        let denied = request(&world, method, path).bearer(&nobody).send();
        problem(&denied, 403, "denied", &why);
        for other in ["DELETE", "PUT", "PATCH"] {
            let answer = request(&world, other, path).bearer(&nobody).send();
            assert!(matches!(answer.status, 400 | 403), "{other} {path}: {}", answer.text());
        }
    }
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn an_operator_may_use_every_route_and_learns_what_is_not_there() {
    let world = World::new();
    for (method, path) in routes(&world) {
        if path.starts_with("/v1/targets/api/calls") || path == "/v1/setup" {
            continue;
        }
        let token = world.token("operator", &["operators"]);
        let answer = request(&world, &method, &path).bearer(&token).send();
        let expected = if path.contains(ID) { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
        if expected == 404 {
            problem(&answer, 404, "not_found", &path);
        }
    }
    for id in ["x", "../calls", "%00", "' OR 1=1", &"a".repeat(1000)] {
        let id = id.replace(' ', "%20");
        let answer = world.own("GET", &format!("/v1/calls/{id}")).send();
        assert!(matches!(answer.status, 404 | 400), "{id}: {}", answer.text());
    }
    world.close();
}

#[test]
fn only_four_pages_are_open_and_only_to_be_read() {
    let world = World::new();
    for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/openapi.json"] {
        assert_eq!(world.gateway.get(path).send().status, 200, "{path}");
        assert_eq!(world.gateway.post(path).send().status, 401, "POST {path}");
    }
    for path in [
        "/",
        "/metrics",
        "/v1",
        "/v1/",
        "/healthz/",
        "/v1/unknown",
        "/t",
        "/t/",
        "/t/countersign/v1/calls",
        "/debug",
    ] {
        let answer = world.gateway.get(path).send();
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    let answer = world.own("GET", "/t/countersign/v1/calls").send();
    assert!(
        matches!(answer.status, 400 | 403),
        "the interface is not a target below `/t/`: {}",
        answer.text()
    );
    world.close();
}

#[test]
fn what_is_not_expected_is_refused() {
    let world = World::new();
    let queries = [
        "/v1/calls?unknown=1",
        "/v1/calls?limit=1&limit=2",
        "/v1/calls?limit=0",
        "/v1/calls?limit=1001",
        "/v1/calls?limit=-1",
        "/v1/calls?refused=maybe",
        "/v1/calls?before=x",
        "/v1/calls?target=%00",
        "/v1/targets?x=1",
        "/v1/approvals?state=nonsense",
        "/metrics?x=1",
    ];
    for path in queries {
        problem(&world.own("GET", path).send(), 400, "not_understood", path);
    }
    let approver = world.token("ada", &["approvers"]);
    let worker = world.token("worker", &["workers"]);
    let bodies = [
        r#"{"reason":"a","reason":"b"}"#,
        r#"{"reason":"a","re\u0061son":"b"}"#,
        r#"{"Reason":"a"}"#,
        r#"{"reason":"a","state":"approved"}"#,
        r#"{"reason":1}"#,
        r#"{"reason":"a"} {}"#,
        r#"{"reason":"a",}"#,
        "[]",
        "null",
        "\u{feff}{}",
        "{\"reason\":\"\\ud800\"}",
        "{\"reason\":\"a\0\"}",
    ];
    for body in bodies {
        let path = format!("/v1/approvals/{ID}/approve");
        let answer = world.gateway.post(&path).bearer(&approver).body("application/json", body).send();
        problem(&answer, 400, "not_understood", body);
    }
    let calls = [
        r#"{"operation":"a.b","operation":"c.d"}"#,
        r#"{"operation":"a.b","Operation":"c.d"}"#,
        r#"{"operation":"a.b","arguments":{"x":1,"x":2}}"#,
        r#"{"operation":"a.b","extra":1}"#,
        r#"{"arguments":{}}"#,
        "",
    ];
    for body in calls {
        let answer =
            world.gateway.post("/v1/targets/api/calls").bearer(&worker).body("application/json", body).send();
        problem(&answer, 400, "not_understood", body);
    }
    problem(
        &world
            .gateway
            .post("/v1/targets/api/calls?x=1")
            .bearer(&worker)
            .json(&json!({ "operation": "a.b" }))
            .send(),
        400,
        "not_understood",
        "a named operation takes no query",
    );
    world.close();
}

#[test]
fn a_call_or_approval_of_others_looks_like_none_to_those_who_may_not_see_it() {
    let world = World::new();
    let id = world.call("POST", "/ask/x").wait(0).send().at("/approval/id");
    let call = world.get("/").header("countersign-call");
    let nobody = world.token("nobody", &["workers"]);
    for (there, not_there) in [
        (format!("/v1/approvals/{id}"), format!("/v1/approvals/{ID}")),
        (format!("/v1/calls/{call}"), format!("/v1/calls/{ID}")),
    ] {
        let [there, not_there] =
            [there, not_there].map(|path| world.gateway.get(&path).bearer(&nobody).send());
        let shape = |answer: &Answer| (answer.status, answer.at("/code"), answer.at("/title"));
        assert_eq!(shape(&there), shape(&not_there));
        assert_eq!(there.status, 403);
    }
    world.close();
}

#[test]
fn targets_and_operations_that_may_not_be_called_look_like_none() {
    let scene = Scene::start(PROGRAM);
    let nobody = scene.issuer.token("nobody", &[]);
    let call = |target: &str, operation: &str| {
        let body = json!({ "operation": operation, "arguments": { "id": 1 } });
        scene.gateway.post(&format!("/v1/targets/{target}/calls")).bearer(&nobody).json(&body).send()
    };
    let answers =
        [call("demo", "customers.read"), call("demo", "no.such"), call("no-such", "customers.read")];
    for answer in &answers {
        assert_eq!((answer.status, answer.at("/code").as_str()), (403, "denied"), "{}", answer.text());
    }
    let free = ["/t/demo/customers/1", "/t/no-such/customers/1"]
        .map(|path| scene.gateway.get(path).bearer(&nobody).send());
    assert_eq!((free[0].status, free[0].at("/code")), (free[1].status, free[1].at("/code")));
    assert!(scene.api.requests().is_empty());
}

#[test]
fn the_one_time_code_makes_one_administrator_once() {
    let mut world = World::new();
    let code = world.gateway.setup_code();
    let first = world.token("first", &[]);
    let calls = |world: &World, token: &str| world.gateway.get("/v1/calls").bearer(token).send().status;
    assert_eq!(calls(&world, &first), 403);
    let wrong = world.gateway.run(&first, &["setup", "--code", "AAAAA-AAAAA-AAAAA-AAAAA"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", String::from_utf8_lossy(&wrong.stderr));

    // Several at once with the right code: one joins.
    let redeem = |subject: String| {
        let request = world
            .gateway
            .post("/v1/setup")
            .bearer(&world.token(&subject, &[]))
            .json(&json!({ "code": code }));
        std::thread::spawn(move || (subject, request.send().status))
    };
    let rivals: Vec<_> = (0..6).map(|number| redeem(format!("rival-{number}"))).collect();
    let outcomes: Vec<_> = rivals.into_iter().map(|rival| rival.join().unwrap()).collect();
    let winners: Vec<_> = outcomes.iter().filter(|(_, status)| *status == 200).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let winner = world.token(&winners[0].0, &[]);
    assert_eq!(calls(&world, &winner), 200, "from the next call on");
    assert_eq!(
        world.gateway.post("/v1/setup").bearer(&first).json(&json!({ "code": code })).send().status,
        403
    );

    assert!(world.gateway.terminate().success());
    world.gateway.start();
    assert!(!world.gateway.log().contains("setup --code"), "there is an administrator: no code is made");
    assert_eq!(calls(&world, &winner), 200, "and stays one");
    assert_eq!(
        world.gateway.get("/t/api/").bearer(&winner).send().status,
        403,
        "of Countersign, and of no target"
    );
    world.close();
}

#[test]
fn the_metrics_tell_how_calls_ended_and_name_nobody() {
    let world = World::new();
    assert_eq!(world.get("/").status, 200);
    assert_eq!(world.gateway.get("/t/api/").bearer(&world.token("nobody", &[])).send().status, 403);
    let answer = world.own("GET", "/metrics").send();
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let page = answer.text();
    assert!(page.contains("countersign_calls_total{outcome=\"answered\"} 1\n"), "{page}");
    assert!(page.contains("countersign_refusals_total{kind=\"denied\"} 1\n"), "{page}");
    for secret in ["worker", "nobody", "dev/", "127.0.0.1"] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
    world.close();
}
