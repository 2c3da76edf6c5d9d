//! Answers are masked whatever their form: cut anywhere, escaped, as numbers, as keys, in errors and in headers.

use serde_json::{Value, json};

use crate::origin::{self, After, Origin, answer, answer_with, chunk, chunked};
use crate::world::World;

const EMAIL: &str = "zed.smith@example.com";
const CARD: &str = "4111111111111111";
const IBAN: &str = "DE89370400440532013000";

/// Says whether a text holds any of the data that must be masked.
fn leaks(text: &str) -> bool {
    [EMAIL, "zed.smith", CARD, "4111 1111", "4111-1111", IBAN, "DE89 3704", "536-22-8145"]
        .iter()
        .any(|data| text.contains(data))
}

fn document() -> String {
    format!(
        "{{\"note\": \"mail {EMAIL} or zed.smith\\u0040example.com\", \"card\": {CARD}, \"iban\":\"DE89 3704 0044 0532 0130 00\",\
         \"{EMAIL}\":[\"536-22-8145\"],\"n\":7}}"
    )
}

#[test]
fn a_value_that_is_cut_at_any_byte_is_masked_alike() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        let document = document();
        let (media, body) = match talk.request.path() {
            "/json" => ("application/json", document),
            "/text" => ("text/plain", document),
            _ => ("text/event-stream", format!("event: x\ndata: {document}\n\n")),
        };
        let at = talk.request.target.split("at=").nth(1).and_then(|at| at.parse::<usize>().ok());
        talk.send(chunked(media))?;
        match at {
            // Each byte is a chunk and a packet of its own.
            None => talk.send_byte_by_byte(body.as_bytes())?,
            Some(at) => {
                let (before, after) = body.as_bytes().split_at(at.min(body.len()));
                for piece in [before, after].into_iter().filter(|piece| !piece.is_empty()) {
                    talk.send(chunk(piece))?;
                }
                talk.send("0\r\n\r\n")?;
            }
        }
        Ok(After::Keep)
    }));
    for kind in ["json", "text", "events"] {
        let whole = world.get(&format!("/{kind}?at=0"));
        assert_eq!((whole.status, whole.whole), (200, true), "{kind}: {}", whole.text());
        assert!(!leaks(&whole.text()), "{kind}: {}", whole.text());
        for at in 1..document().len() {
            let cut = world.get(&format!("/{kind}?at={at}"));
            assert_eq!((cut.status, cut.text()), (200, whole.text()), "{kind} cut at {at}");
        }
        assert_eq!(world.get(&format!("/{kind}")).text(), whole.text(), "{kind} a byte a chunk");
    }
    let masked: Value = serde_json::from_str(&world.get("/json").text()).unwrap();
    assert_eq!((&masked["card"], &masked["n"]), (&Value::Null, &json!(7)));
    world.close();
}

#[test]
fn errors_are_masked_like_answers() {
    let world = World::answering(|seen| {
        let status = seen.path()[1..].parse().unwrap();
        answer(
            status,
            "application/problem+json",
            json!({ "detail": format!("no such user: {EMAIL}") }).to_string(),
        )
    });
    for status in [400, 401, 404, 409, 422, 500, 503] {
        for method in ["GET", "POST"] {
            let answer = world.call(method, &format!("/{status}")).send();
            assert_eq!(answer.status, status);
            assert!(answer.text().contains("no such user: ") && !leaks(&answer.text()), "{}", answer.text());
        }
    }
    world.close();
}

#[test]
fn headers_and_redirects_are_masked() {
    let world = World::answering(|_| {
        let headers = [
            ("content-type", "application/json"),
            ("x-contact", EMAIL),
            ("x-encoded", "zed.smith%40example.com"),
            ("x-card", "4111-1111-1111-1111"),
            ("location", "/users/zed.smith@example.com?card=4111111111111111"),
            ("link", "</users/zed.smith%40example.com>; rel=next"),
            ("x-zed.smith", "1"),
            ("content-disposition", "attachment; filename=\"zed.smith@example.com.json\""),
        ];
        answer_with(302, &headers, "{}")
    });
    let answer = world.get("/");
    let head = format!("{:?}", answer.headers);
    assert_eq!(answer.status, 302);
    assert!(!leaks(&head.replace("x-zed.smith", "")), "{head}");
    assert!(!head.contains("zed.smith%40"), "{head}");
    let plain = world.get_plain("/");
    assert_eq!(plain.header("x-contact"), EMAIL);
    world.close();
}

#[test]
fn a_type_that_promises_something_else_is_withheld() {
    let body = format!("{{\"mail\":\"{EMAIL}\"}}");
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let answers: Vec<(&str, Vec<u8>)> = vec![
        ("another charset", answer(200, "application/json; charset=utf-16", &utf16)),
        ("UTF-16 that is not announced", answer(200, "application/json", &utf16)),
        ("Latin-1", answer(200, "text/plain; charset=iso-8859-1", &body)),
        ("UTF-7", answer(200, "text/plain; charset=utf-7", "zed+AEA-example.com")),
        ("two charsets", answer(200, "text/plain; charset=utf-8; charset=utf-7", &body)),
        (
            "two types",
            answer_with(200, &[("content-type", "text/plain"), ("content-type", "application/json")], &body),
        ),
        ("no type", answer_with(200, &[], &body)),
        ("HTML", answer(200, "text/html", &body)),
        ("CSV", answer(200, "text/csv", &body)),
        ("a form", answer(200, "application/x-www-form-urlencoded", &body)),
        ("multipart", answer(200, "multipart/mixed; boundary=x", &body)),
        (
            "encoded",
            answer_with(200, &[("content-type", "application/json"), ("content-encoding", "gzip")], &body),
        ),
        (
            "encoded twice",
            answer_with(
                200,
                &[("content-type", "application/json"), ("content-encoding", "identity, br")],
                &body,
            ),
        ),
        (
            "a range",
            answer_with(206, &[("content-type", "text/plain"), ("content-range", "bytes 0-4/30")], "zed.s"),
        ),
        ("several ranges", answer(206, "multipart/byteranges; boundary=x", &body)),
        ("not modified", answer(304, "application/json", "")),
        ("a difference", answer(226, "application/json", &body)),
        ("not UTF-8", answer(200, "application/json", b"{\"a\":\"\xff\xfezed\"}")),
        ("NUL in text", answer(200, "text/plain", "z\0e\0d\0@")),
        ("no JSON", answer(200, "application/json", format!("zed = {EMAIL}"))),
        ("two documents", answer(200, "application/json", format!("{{}} {body}"))),
        ("deep", answer(200, "application/json", "[".repeat(100_000))),
    ];
    let cases: Vec<_> = answers.iter().map(|(why, _)| *why).collect();
    let world = World::answering(move |seen| answers[seen.path()[1..].parse::<usize>().unwrap()].1.clone());
    for (number, why) in cases.iter().enumerate() {
        // A change is not repeated by a client that takes 422 for what it is.
        for method in ["GET", "POST"] {
            let answer = world.call(method, &format!("/{number}")).send();
            let cut = method == "GET" && answer.status == 200 && !answer.whole;
            assert!(answer.status == 422 || cut, "{why}, {method}: {} {}", answer.status, answer.text());
            assert!(!leaks(&answer.text()), "{why}: {}", answer.text());
            if answer.status == 422 {
                assert_eq!(
                    (answer.at("/code").as_str(), &answer.json()["retryable"]),
                    ("withheld", &json!(false))
                );
            }
        }
    }
    world.close();
}

#[test]
fn classified_fields_are_masked_by_their_place() {
    let origin = Origin::answering(|_| {
        origin::json(
            &json!({ "users": [{ "name": "Zed", "pin": "1234567812345678", "tel": 5_550_134 }], "name": "kept" }),
        )
    });
    let fields = "[[targets.api.fields]]\npointer = \"/users/*/name\"\nclass = \"name\"\n\
        [[targets.api.fields]]\npointer = \"/users/*/pin\"\nclass = \"pin\"\nmask = \"last-four\"\n\
        [[targets.api.fields]]\npointer = \"/users/*/tel\"\nclass = \"tel\"\n";
    let policy = r#"permit (principal in Group::"dev/names", action == Action::"readUnmasked", resource == FieldClass::"api/name");"#;
    let world = World::with(origin, |builder| builder.table(fields).policy("names.cedar", policy));
    let user = |token: &str| world.gateway.get("/t/api/").bearer(token).send().json();
    let masked = user(&world.token("worker", &["workers"]));
    assert_ne!(masked["users"][0]["name"], "Zed");
    assert!(masked["users"][0]["pin"].as_str().unwrap().contains("5678"));
    assert!(!masked["users"][0]["pin"].as_str().unwrap().contains("1234"));
    assert_eq!((&masked["users"][0]["tel"], &masked["name"]), (&Value::Null, &json!("kept")));
    let one = user(&world.token("names", &["workers", "names"]));
    assert_eq!(one["users"][0]["name"], "Zed", "one class is lifted");
    assert_ne!(one["users"][0]["pin"], "1234567812345678", "and no other");
    let plain = user(&world.token("plain", &["workers", "plain"]));
    assert_eq!(
        (&plain["users"][0]["pin"], &plain["users"][0]["tel"]),
        (&json!("1234567812345678"), &json!(5_550_134))
    );
    world.close();
}

#[test]
fn what_was_masked_is_masked_in_the_record_too() {
    let policy = r#"@record("full") permit (principal in Group::"dev/kept", action in Action::"http", resource == Target::"api");"#;
    let origin = Origin::answering(|_| origin::json(&json!({ "mail": EMAIL })));
    let world = World::with(origin, |builder| builder.policy("kept.cedar", policy));
    let token = world.token("plain", &["kept", "plain"]);
    let request = world.gateway.post(&format!("/t/api/users/{EMAIL}?card={CARD}")).bearer(&token);
    let answer = request.header("x-contact", EMAIL).json(&json!({ "mail": EMAIL, CARD: [IBAN] })).send();
    assert_eq!(answer.json()["mail"], EMAIL, "this caller sees it");
    let shown = world.own("GET", &format!("/v1/calls/{}", answer.header("countersign-call"))).send();
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert!(!leaks(&shown.text()), "{}", shown.text());
    let listed = world.own("GET", "/v1/calls").send().text();
    assert!(listed.contains("POST /") && !leaks(&listed), "{listed}");
    world.close();
}
