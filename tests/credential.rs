//! The injected credential, echoed by its target in every form: nobody sees it, for whom nothing is masked least of all.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use testkit::Answer;

use crate::origin::{After, Origin, answer, answer_with, chunk, chunked};
use crate::world::{KEY, World, forms};

/// Everything of an answer that a caller sees.
fn shown(answer: &Answer) -> String {
    format!("{:?}\n{}", answer.headers, answer.text())
}

fn hides(answer: &Answer, why: &str) {
    let shown = shown(answer);
    for form in forms(KEY).iter().chain(&escaped()) {
        assert!(!shown.contains(form.as_str()), "{why}: `{form}` in {shown}");
    }
}

/// The credential as JSON may escape it, and percent-encoded as lazily as is allowed.
fn escaped() -> Vec<String> {
    let units = KEY.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    vec![
        KEY.replace('/', "\\/"),
        units,
        KEY.replace('+', "%2b").replace('/', "%2F").replace('=', "%3d"),
        KEY.replace('=', "%3D"),
    ]
}

fn echoes() -> Vec<String> {
    let mut echoes = vec![KEY.to_owned(), STANDARD.encode(KEY), URL_SAFE_NO_PAD.encode(KEY)];
    echoes.extend(forms(KEY).pop());
    echoes.extend(escaped());
    // In base64 a text has three looks, by where in it the secret begins.
    for before in ["x", "xy", "user:"] {
        echoes.push(STANDARD.encode(format!("{before}{KEY}")));
        echoes.push(URL_SAFE_NO_PAD.encode(format!("{before}{KEY} and more")));
    }
    echoes
}

#[test]
fn an_echo_in_any_form_and_place_is_hidden_from_everyone() {
    let world = World::answering(|seen| {
        let mut parts = seen.path()[1..].split('/');
        let (place, number) = (parts.next().unwrap(), parts.next().unwrap().parse::<usize>().unwrap());
        let echo = &echoes()[number];
        match place {
            "text" => answer(200, "text/plain", format!("key: {echo}; end")),
            "json" => {
                answer(200, "application/json", format!("{{\"key\": \"{}\"}}", echo.replace('"', "\\\"")))
            }
            "name" => answer(200, "application/json", format!("{{\"{echo}\": 1}}")),
            "error" => answer(401, "text/plain", format!("bad key {echo}")),
            "html" => answer(200, "text/html", format!("<b>{echo}</b>")),
            "bytes" => {
                answer(200, "application/octet-stream", [b"\x00\xff", echo.as_bytes(), b"\xfe"].concat())
            }
            "events" => answer(200, "text/event-stream", format!("data: {echo}\n\n")),
            "header" => answer_with(200, &[("content-type", "text/plain"), ("x-key", echo)], "ok"),
            _ => answer_with(
                302,
                &[("content-type", "text/plain"), ("location", &format!("/login?key={echo}"))],
                "ok",
            ),
        }
    });
    for place in ["text", "json", "name", "error", "html", "bytes", "events", "header", "location"] {
        for (number, echo) in echoes().iter().enumerate() {
            let path = format!("/{place}/{number}");
            for (who, answer) in [("masked", world.get(&path)), ("plain", world.get_plain(&path))] {
                let decoded = shown(&answer);
                assert!(!decoded.contains(echo.as_str()), "{place}, {who}: `{echo}` in {decoded}");
                hides(&answer, &format!("{place}, {who}, {echo}"));
            }
        }
    }
    world.close();
}

#[test]
fn an_echo_that_is_cut_at_any_byte_is_hidden() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        let media = if talk.request.path() == "/text" { "text/plain" } else { "application/octet-stream" };
        let at: usize = talk.request.target.split("at=").nth(1).unwrap().parse().unwrap();
        let body = format!("before {KEY} after");
        talk.send(chunked(media))?;
        if at == 0 {
            talk.send_byte_by_byte(body.as_bytes())?;
        } else {
            let (before, after) = body.split_at(at);
            talk.send(chunk(before))?;
            talk.send([chunk(after), b"0\r\n\r\n".to_vec()].concat())?;
        }
        Ok(After::Keep)
    }));
    for at in 0..KEY.len() + 12 {
        let masked = world.get(&format!("/text?at={at}"));
        assert_eq!((masked.status, masked.whole), (200, true), "{at}");
        assert!(
            masked.text().starts_with("before ") && masked.text().ends_with(" after"),
            "{}",
            masked.text()
        );
        hides(&masked, &format!("text cut at {at}"));
        hides(&world.get_plain(&format!("/bytes?at={at}")), &format!("bytes cut at {at}"));
    }
    world.close();
}

#[test]
fn an_echo_where_nothing_can_be_searched_is_withheld() {
    let world = World::answering(|seen| match seen.path() {
        "/gzip" => answer_with(
            200,
            &[("content-type", "application/octet-stream"), ("content-encoding", "gzip")],
            KEY,
        ),
        "/transfer" => [
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
                .to_vec(),
            chunk(KEY),
            b"0\r\n\r\n".to_vec(),
        ]
        .concat(),
        _ => answer(206, "multipart/byteranges; boundary=x", KEY),
    });
    for path in ["/gzip", "/transfer", "/ranges"] {
        let answer = world.get_plain(path);
        assert!(matches!(answer.status, 422 | 502), "{path}: {}", answer.text());
        hides(&answer, path);
    }
    world.close();
}

#[test]
fn a_credential_that_is_missing_or_new_is_told_apart_from_the_callers_fault() {
    let origin = Origin::answering(|_| crate::origin::json(&json!({})));
    let other = crate::world::target("bare", &origin.url()).replace("api-key\"", "never-set\"");
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"bare");"#;
    let world = World::with(origin, |builder| builder.table(&other).policy("bare.cedar", policy));
    let token = world.token("worker", &["workers"]);
    let answer = world.gateway.get("/t/bare/").bearer(&token).send();
    assert_eq!(
        (answer.status, answer.at("/code").as_str()),
        (503, "credential_unavailable"),
        "{}",
        answer.text()
    );
    assert!(world.origin.seen().is_empty());
    world.gateway.set_secret("never-set", "new-value-of-the-secret-7");
    testkit::eventually("a secret that was set is used without a restart", || {
        (world.gateway.get("/t/bare/").bearer(&token).send().status == 200).then_some(())
    });
    assert_eq!(world.origin.only().header("x-api-key"), Some("new-value-of-the-secret-7"));
    world.close();
}
