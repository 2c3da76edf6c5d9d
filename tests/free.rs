//! Free requests to `httpbin`, an HTTP server of another project: what arrives there, and what comes back.

use serde_json::{Value, json};
use testkit::Answer;

use crate::counterparts::httpbin;
use crate::world::{KEY, World, forms};

fn world() -> World {
    World::to(&httpbin())
}

/// Asserts that the target ran the call and that its answer is not shown.
fn withheld(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.at("/code").as_str()), (422, "withheld"), "{why}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
}

#[test]
fn every_method_arrives_with_its_query_and_body() {
    let world = world();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let body = json!({ "name": "Zoë", "list": [1, 2.5, null] });
        let request = world.call(method, "/anything/a%20b?x=1&x=2&y=%26%3D+z");
        let request = if method == "GET" { request } else { request.json(&body) };
        let answer = request.send();
        assert_eq!((answer.status, answer.whole), (200, true), "{method}: {}", answer.text());
        let seen = answer.json();
        assert_eq!(seen["method"], method);
        assert_eq!(seen["args"], json!({ "x": ["1", "2"], "y": "&= z" }), "{method}");
        assert_eq!(seen["json"], if method == "GET" { Value::Null } else { body }, "{method}");
        assert!(seen["url"].as_str().unwrap().contains("/anything/a%20b?"), "{method}: {}", seen["url"]);
    }
    let options = world.call("OPTIONS", "/anything").send();
    assert!(options.header("allow").contains("PATCH"), "{options:?}");
    world.close();
}

#[test]
fn a_head_request_brings_a_head_and_nothing_else() {
    let world = world();
    let answer = world.call("HEAD", "/get").send();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("content-length"), "", "it would be the length before the mask");
    world.close();
}

#[test]
fn an_answer_of_every_status_comes_back_with_it() {
    let world = world();
    for status in [200, 201, 204, 400, 404, 409, 429, 500, 503] {
        // Its type is HTML and its length 0: where there is nothing, nothing is withheld.
        let answer = world.get(&format!("/status/{status}"));
        assert_eq!((answer.status, answer.text()), (status, String::new()));
    }
    world.close();
}

#[test]
fn an_encoded_answer_is_withheld_from_everyone() {
    let world = world();
    for path in ["/gzip", "/deflate", "/brotli"] {
        withheld(&world.get(path), path);
        withheld(&world.get_plain(path), path);
    }
    let asked = world.call("GET", "/headers").header("accept-encoding", "gzip, br").send();
    assert_eq!(asked.json()["headers"]["Accept-Encoding"], "identity");
    world.close();
}

#[test]
fn what_cannot_be_searched_is_withheld_unless_policy_lifts_the_mask() {
    let world = world();
    for path in ["/html", "/xml", "/encoding/utf8", "/bytes/100", "/image/png"] {
        withheld(&world.get(path), path);
    }
    for path in ["/html", "/xml", "/bytes/100", "/image/png"] {
        let direct = testkit::Outgoing::new(httpbin()["http://".len()..].parse().unwrap(), "GET", path);
        let (plain, direct) = (world.get_plain(path), direct.header("connection", "close").send());
        assert_eq!((plain.status, plain.whole), (200, true), "{path}: {}", plain.text());
        assert_eq!(plain.header("content-type"), direct.header("content-type"), "{path}");
        if path != "/bytes/100" {
            assert_eq!(plain.body, direct.body, "{path}");
        }
    }
    assert_eq!(world.get("/robots.txt").status, 200, "text/plain is searched, not withheld");
    let lines = world.get("/stream/3");
    assert_eq!(
        (lines.status, lines.whole),
        (200, false),
        "three documents are no JSON: the answer is cut after one"
    );
    world.close();
}

#[test]
fn conditions_and_ranges_are_not_asked_where_answers_are_masked() {
    let world = world();
    let masked = world.call("GET", "/etag/abc").header("if-none-match", "abc").send();
    assert_eq!((masked.status, masked.header("etag")), (200, String::new()), "{}", masked.text());
    let masked =
        world.call("GET", "/cache").header("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT").send();
    assert_eq!((masked.status, masked.header("last-modified")), (200, String::new()), "{}", masked.text());
    let plain = world.token("plain", &["workers", "plain"]);
    let plain = |path: &str| world.gateway.get(&format!("/t/api{path}")).bearer(&plain);
    assert_eq!(plain("/etag/abc").header("if-none-match", "abc").send().status, 304);
    assert_eq!(plain("/etag/abc").send().header("etag"), "abc");
    let range = plain("/range/100").header("range", "bytes=10-19").send();
    assert_eq!((range.status, range.text()), (206, "klmnopqrst".to_owned()));
    assert_eq!(range.header("content-range"), "bytes 10-19/100");
    let guarded = world.call("PUT", "/anything").header("if-match", "\"v1\"").json(&json!({})).send();
    assert_eq!((guarded.status, guarded.at("/code")), (403, "denied".to_owned()), "{}", guarded.text());
    world.close();
}

#[test]
fn redirects_are_not_followed_and_lead_through_the_gateway() {
    let world = world();
    for (path, to) in [
        ("/redirect/1", "/t/api/get"),
        ("/absolute-redirect/1", "/t/api/get"),
        ("/relative-redirect/1", "/t/api/get"),
        ("/redirect-to?url=/get?x=1", "/t/api/get?x=1"),
        ("/redirect-to?url=https%3A%2F%2Felsewhere.example%2Fx", "https://elsewhere.example/x"),
        ("/redirect-to?url=%2F%2Felsewhere.example%2Fx", "http://elsewhere.example/x"),
    ] {
        let answer = world.get_plain(path);
        assert_eq!((answer.status, answer.header("location").as_str()), (302, to), "{path}");
    }
    let cookies = world.get_plain("/cookies/set?session=s3cr3t");
    assert_eq!((cookies.status, cookies.header("location")), (302, "/t/api/cookies".to_owned()));
    assert_eq!(cookies.header("set-cookie"), "");
    world.close();
}

#[test]
fn nothing_of_the_callers_identity_reaches_the_target() {
    let world = world();
    let token = world.token("worker", &["workers"]);
    let request = world.gateway.get("/t/api/headers").bearer(&token);
    let answer = request
        .header("cookie", "session=mine")
        .header("x-forwarded-for", "10.0.0.1")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "for=10.0.0.1")
        .header("x-real-ip", "10.0.0.1")
        .header("via", "1.1 me")
        .header("x-mine", "kept")
        .send();
    let headers = answer.json()["headers"].clone();
    let mut names: Vec<&str> = headers.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["Accept-Encoding", "Host", "X-Api-Key", "X-Mine"], "{headers}");
    assert_eq!(headers["Host"], httpbin()["http://".len()..]);
    for form in forms(KEY).into_iter().chain(forms(&token)) {
        assert!(!answer.text().contains(&form), "{}", answer.text());
    }
    world.close();
}
