//! Headers on their way to a target and back: nobody speaks in the gateway's place, and nothing leads around it.

use serde_json::json;

use crate::origin::{self, After, Origin, answer_with, chunked};
use crate::world::{KEY, World};

#[test]
fn the_injected_header_cannot_be_supplied_in_any_spelling() {
    let world = World::new();
    let spellings = ["x-api-key", "X-API-KEY", "X-Api-Key", "x_api_key", "X_Api-Key", "X-API_KEY"];
    for spelling in spellings {
        let answer = world.call("GET", "/").header(spelling, "mine").header(spelling, "mine too").send();
        assert_eq!(answer.status, 200, "{spelling}: {}", answer.text());
    }
    for seen in world.origin.seen() {
        let sent: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| name.replace('_', "-").eq_ignore_ascii_case("x-api-key"))
            .collect();
        assert_eq!(sent, [&("x-api-key".to_owned(), KEY.to_owned())]);
    }
    assert_eq!(world.origin.seen().len(), spellings.len());
    world.close();
}

#[test]
fn the_injected_parameter_cannot_be_supplied_in_any_spelling() {
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let other = format!(
        "[targets.query]\nprotocol = \"http\"\nurl = \"{}\"\n\
         credential = {{ issuer = \"static\", secret = \"api-key\", query = \"api_key\" }}\n",
        origin.url()
    );
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"query");"#;
    let world = World::with(origin, |builder| builder.table(&other).policy("query.cedar", policy));
    let token = world.token("worker", &["workers"]);
    for query in [
        "",
        "?api_key=mine",
        "?a=1&API_KEY=mine&b=2",
        "?api%5Fkey=mine",
        "?%61pi_key",
        "?api_key=1&api_key=2",
    ] {
        let answer = world.gateway.get(&format!("/t/query/x{query}")).bearer(&token).send();
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    }
    let key = "target%2Bkey%2F9d3b7e1f5a2c8064%3D%3D";
    for seen in world.origin.seen() {
        assert!(!seen.target.contains("mine"), "{}", seen.target);
        assert!(seen.target.ends_with(&format!("api_key={key}")), "{}", seen.target);
        assert_eq!(seen.target.to_lowercase().matches("api").count(), 1, "{}", seen.target);
    }
    world.close();
}

#[test]
fn a_password_is_injected_in_place_of_the_callers_token() {
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let other = format!(
        "[targets.basic]\nprotocol = \"http\"\nurl = \"{}\"\n\
         credential = {{ issuer = \"static\", secret = \"api-key\", basic_user = \"svc\" }}\n",
        origin.url()
    );
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"basic");"#;
    let world = World::with(origin, |builder| builder.table(&other).policy("basic.cedar", policy));
    let answer = world.gateway.get("/t/basic/").bearer(&world.token("worker", &["workers"])).send();
    assert_eq!(answer.status, 200);
    assert_eq!(
        world.origin.only().all("authorization"),
        ["Basic c3ZjOnRhcmdldCtrZXkvOWQzYjdlMWY1YTJjODA2ND09"]
    );
    world.close();
}

#[test]
fn what_speaks_for_the_caller_or_the_connection_is_not_sent() {
    let world = World::new();
    let removed = [
        ("cookie", "a=b"),
        ("x-forwarded-for", "10.0.0.1"),
        ("X-Forwarded-Host", "evil.example"),
        ("x_forwarded_user", "root"),
        ("x-forwarded-anything-else", "1"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
        ("via", "1.1 me"),
        ("referer", "http://gateway/t/api/?token=1"),
        ("prefer", "wait=1"),
        ("proxy-authorization", "Basic eA=="),
        ("keep-alive", "timeout=1"),
        ("te", "trailers"),
        ("x-remote-user", "root"),
        ("remote_user", "root"),
        ("x-original-url", "/admin"),
        ("x-ms-client-principal", "root"),
        ("client-cert", "x"),
    ];
    let mut accepted = 0;
    for (name, value) in removed {
        let answer = world.call("GET", "/").header(name, value).send();
        assert!(matches!(answer.status, 200 | 400), "{name}: {}", answer.text());
        accepted += usize::from(answer.status == 200);
    }
    let seen = world.origin.seen();
    assert_eq!(seen.len(), accepted, "a request that was refused reached the target");
    for seen in &seen {
        let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-encoding", "host", "x-api-key"]);
        assert_eq!(seen.header("host"), Some(world.origin.address().to_string().as_str()));
        assert_eq!(seen.header("accept-encoding"), Some("identity"));
    }
    assert!(accepted >= 15, "only {accepted} were accepted");
    world.close();
}

#[test]
fn headers_that_a_target_does_not_want_are_neither_sent_nor_signed_for() {
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let unsigned = format!(
        "[targets.picky]\nprotocol = \"http\"\nurl = \"{}/base\"\nunsigned_headers = [\"X-Sdk\"]\n",
        origin.url()
    );
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"picky");"#;
    let world = World::with(origin, |builder| builder.table(&unsigned).policy("picky.cedar", policy));
    let token = world.token("worker", &["workers"]);
    let answer =
        world.gateway.get("/t/picky/x").bearer(&token).header("x_sdk", "1").header("x-kept", "2").send();
    assert_eq!(answer.status, 200);
    let seen = world.origin.only();
    assert_eq!(
        (seen.target.as_str(), seen.header("x_sdk"), seen.header("x-kept")),
        ("/base/x", None, Some("2"))
    );
    world.close();
}

#[test]
fn what_leads_around_the_gateway_or_speaks_for_its_origin_is_left_out() {
    let hostile = [
        ("content-type", "application/json"),
        ("set-cookie", "a=b"),
        ("alt-svc", "h3=\":443\""),
        ("clear-site-data", "\"*\""),
        ("refresh", "0;url=https://evil.example/"),
        ("strict-transport-security", "max-age=1"),
        ("www-authenticate", "Basic realm=x"),
        ("x-accel-redirect", "/internal"),
        ("x-sendfile", "/etc/passwd"),
        ("report-to", "{}"),
        ("sourcemap", "https://evil.example/x"),
        ("service-worker-allowed", "/"),
        ("cache-control", "public, max-age=9999"),
        ("expires", "Sun, 06 Nov 2094 08:49:37 GMT"),
        ("age", "1"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("x-kept", "1"),
        ("etag", "\"1\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("content-md5", "x"),
        ("repr-digest", "sha-256=:x:"),
    ];
    let world = World::answering(move |_| answer_with(200, &hostile, "{}"));
    let validators = ["etag", "last-modified", "content-md5", "repr-digest"];
    for (masked, answer) in [(true, world.get("/")), (false, world.get_plain("/"))] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        for (name, value) in hostile.iter().skip(1) {
            let kept = *name == "x-kept" || (!masked && validators.contains(name));
            let shown = answer.header(name);
            if kept {
                assert_eq!(shown, *value);
            } else {
                assert!(!shown.contains(value), "{name}: {shown}");
            }
        }
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    world.close();
}

#[test]
fn locations_and_links_lead_through_the_gateway_or_are_left_out() {
    let world = World::answering(|seen| {
        let to = seen.headers.iter().find(|(name, _)| name == "x-to").map(|(_, to)| to.clone());
        answer_with(
            201,
            &[("location", to.as_deref().unwrap_or("/")), ("content-type", "application/json")],
            "{}",
        )
    });
    let here = world.origin.url();
    for (to, shown) in [
        ("/a/b?x=1#f".to_owned(), "/t/api/a/b?x=1#f"),
        ("c".to_owned(), "/t/api/dir/c"),
        (format!("{here}/x"), "/t/api/x"),
        (here.replace("http://", "HTTP://user:secret@"), "/t/api/"),
        (here.replace("http:", ""), "/t/api/"),
        ("//evil.example/x".to_owned(), "http://evil.example/x"),
        ("\\\\evil.example/x".to_owned(), "http://evil.example/x"),
        ("https://user:secret@evil.example/".to_owned(), "https://evil.example/"),
        ("javascript:alert(1)".to_owned(), ""),
        ("data:text/html,x".to_owned(), ""),
        ("/a/%2e%2e/%2e%2e/v1/calls".to_owned(), "/t/api/v1/calls"),
        ("/../../v1/calls".to_owned(), "/t/api/v1/calls"),
        ("/a//b".to_owned(), ""),
    ] {
        let answer = world.call("GET", "/dir/x").header("x-to", &to).send();
        assert_eq!((answer.status, answer.header("location").as_str()), (201, shown), "{to}");
    }
    world.close();
}

#[test]
fn an_answer_that_breaks_the_protocol_is_no_answer() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        let path = talk.request.path().to_owned();
        let plain = "content-type: text/plain\r\ncontent-length: 2\r\n";
        talk.send(match path.as_str() {
            "/cr" => format!("HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: c=d\r\n{plain}\r\nok"),
            "/nul" => format!("HTTP/1.1 200 OK\r\nx-a: b\0c\r\n{plain}\r\nok"),
            "/two-lengths" => format!("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n{plain}\r\nok"),
            "/not-http" => "SSH-2.0-OpenSSH\r\n".to_owned(),
            "/switch" => "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n".to_owned(),
            "/huge" => format!("HTTP/1.1 200 OK\r\nx-a: {}\r\n{plain}\r\nok", "a".repeat(600 << 10)),
            "/short" => {
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nok".to_owned()
            }
            "/cut" => format!("{}5\r\nline\n\r\n5\r\nli", chunked("text/plain")),
            _ => String::new(),
        })?;
        Ok(After::Close)
    }));
    for path in ["/cr", "/nul", "/two-lengths", "/not-http", "/switch", "/huge", "/short", "/silent"] {
        let read = world.get(path);
        assert_eq!((read.status, read.at("/code").as_str()), (502, "failed"), "{path}: {}", read.text());
        let write = world.call("POST", path).json(&json!({})).send();
        assert_eq!((write.status, write.at("/code").as_str()), (424, "failed"), "{path}: {}", write.text());
        assert_eq!(write.json()["retryable"], false, "{path}");
    }
    let cut = world.get("/cut");
    assert!(
        cut.status == 502 || (cut.status == 200 && !cut.whole),
        "an answer that breaks off is seen to: {cut:?}"
    );
    world.close();
}

#[test]
fn interim_answers_and_trailers_of_a_target_stay_with_the_gateway() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        talk.send(
            "HTTP/1.1 103 Early Hints\r\nlink: </evil>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
        )?;
        talk.send("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n")?;
        talk.send("2\r\nok\r\n0\r\nx-t: zed@example.com\r\nset-cookie: a=b\r\n\r\n")?;
        Ok(After::Keep)
    }));
    let token = world.token("worker", &["workers"]);
    let request = format!(
        "GET /t/api/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    let raw = String::from_utf8(world.gateway.raw(request.as_bytes())).unwrap();
    assert!(raw.starts_with("HTTP/1.1 200 "), "{raw}");
    assert!(raw.ends_with("\r\n2\r\nok\r\n0\r\n\r\n"), "{raw}");
    for hidden in ["evil", "x-t", "zed@", "set-cookie"] {
        assert!(!raw.contains(hidden), "{raw}");
    }
    world.close();
}
