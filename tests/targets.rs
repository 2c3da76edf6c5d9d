//! Connections to targets and credentials for one call: nothing is sent twice, and nothing is left behind on a connection.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::origin::{self, After, Origin, answer, chunk, chunked};
use crate::world::{World, target};

#[test]
fn a_connection_that_the_target_closed_meanwhile_fails_no_call_and_repeats_none() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        talk.send(origin::json(&json!({ "ok": true })))?;
        // It promised to keep the connection, and does not.
        Ok(After::Close)
    }));
    for number in 0..20 {
        let answer = world.call("POST", &format!("/{number}")).json(&json!({})).send();
        assert!(matches!(answer.status, 200 | 424), "{number}: {}", answer.text());
    }
    let seen = world.origin.seen();
    for number in 0..20 {
        let count = seen.iter().filter(|seen| seen.path() == format!("/{number}")).count();
        assert!(count <= 1, "call {number} was sent {count} times");
    }
    world.close();
}

#[test]
fn a_connection_is_used_again_only_when_nothing_is_left_on_it() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        let ok = answer(200, "text/plain", "ok");
        match talk.request.path() {
            // A second answer that nobody asked for, for whoever uses the connection next.
            "/injects" => talk.send([ok.clone(), answer(200, "text/plain", "poison")].concat())?,
            "/longer" => talk.send([ok, b"poison".to_vec()].concat())?,
            _ => talk.send(ok)?,
        }
        Ok(After::Keep)
    }));
    for path in ["/injects", "/longer"] {
        for number in 0..5 {
            assert_eq!(world.get(path).text(), "ok", "{path}");
            let next = world.get(&format!("/next/{number}"));
            assert_eq!((next.status, next.text().as_str()), (200, "ok"), "after {path}");
        }
    }
    let polite: Vec<_> = (0..5).map(|_| world.get("/polite").status).collect();
    assert_eq!(polite, [200; 5]);
    let connections: std::collections::BTreeSet<_> = world
        .origin
        .seen()
        .iter()
        .filter(|seen| seen.path() == "/polite")
        .map(|seen| seen.connection)
        .collect();
    assert!(connections.len() < 5, "a clean connection is kept");
    world.close();
}

#[test]
fn a_target_that_answers_before_it_has_read_the_body_is_heard() {
    let world = World::before(Origin::with(|mut talk| {
        talk.send(answer(413, "application/json", r#"{"error":"too large for me"}"#))?;
        let _ = talk.read_body();
        Ok(After::Close)
    }));
    for _ in 0..5 {
        let request = world.call("POST", "/upload").body("text/plain", vec![b'a'; 4 << 20]);
        let answer = String::from_utf8_lossy(&world.gateway.raw(&request.bytes())).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too large for me"), "{answer}");
    }
    world.close();
}

#[test]
fn a_target_that_is_not_there_has_run_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::to(&format!("http://{free}"));
    for method in ["GET", "POST"] {
        let answer = world.call(method, "/").send();
        assert_eq!((answer.status, answer.at("/code").as_str()), (502, "target_unavailable"));
        assert_eq!(answer.json()["retryable"], true, "{}", answer.text());
    }
    let outcomes: Vec<_> = world.calls(true).iter().map(|call| call["outcome"]["refusal"].clone()).collect();
    assert_eq!(outcomes, ["target_unavailable", "target_unavailable"]);
    world.close();
}

#[test]
fn a_call_whose_caller_cannot_send_it_whole_is_not_finished_by_the_gateway() {
    let broken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&broken);
    let world = World::before(Origin::with(move |mut talk| {
        if talk.read_body().is_err() || talk.request.body.len() < 10 {
            counter.fetch_add(1, Ordering::SeqCst);
            return Ok(After::Close);
        }
        talk.send(origin::json(&json!({})))?;
        Ok(After::Keep)
    }));
    let token = world.token("worker", &["workers"]);
    let head = format!(
        "POST /t/api/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 10\r\n\r\nabc"
    );
    let mut stream = std::net::TcpStream::connect(world.gateway.address()).unwrap();
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    world.origin.wait_for(|seen| seen.body == b"abc");
    drop(stream);
    testkit::eventually("the target sees that the body has broken off", || {
        (broken.load(Ordering::SeqCst) == 1).then_some(())
    });
    assert_eq!(world.origin.only().body, b"abc");
    let ended = testkit::eventually("the call has ended", || {
        let call = world.calls(false).into_iter().find(|call| call["sentence"] == "POST /x")?;
        call["outcome"]["outcome"].as_str().map(str::to_owned)
    });
    assert!(matches!(ended.as_str(), "abandoned" | "failed"), "{ended}");
    world.close();
}

#[test]
fn a_token_for_one_call_is_signed_for_just_that_and_shown_to_nobody() {
    let origin = Origin::answering(|seen| {
        let token = seen.header("authorization").unwrap_or_default().to_owned();
        answer(200, "text/plain", format!("you sent {token} {}", token.trim_start_matches("Bearer ")))
    });
    let jwt = format!(
        "[targets.signed]\nprotocol = \"http\"\nurl = \"{}\"\n\
         credential = {{ issuer = \"jwt\", audience = \"urn:signed\", lifetime = \"20s\" }}\n",
        origin.url()
    );
    let policy = r#"@ttl("5s") permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"signed");"#;
    let world = World::with(origin, |builder| builder.table(&jwt).policy("signed.cedar", policy));
    let own = world.token("worker", &["workers"]);
    let mut tokens = Vec::new();
    for method in ["GET", "DELETE"] {
        let answer = world.gateway.request(method, "/t/signed/x").bearer(&own).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("eyJ"), "{}", answer.text());
        let sent = world.origin.seen().last().unwrap().header("authorization").unwrap().to_owned();
        tokens.push((
            method.to_lowercase(),
            answer.header("countersign-call"),
            sent.trim_start_matches("Bearer ").to_owned(),
        ));
    }
    let keys: JwkSet =
        serde_json::from_value(world.gateway.get("/.well-known/jwks.json").send().json()).unwrap();
    for (method, call, token) in &tokens {
        assert_ne!(token, &own);
        let mut expected = Validation::new(Algorithm::ES256);
        expected.set_audience(&["urn:signed"]);
        let id = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&id).unwrap()).unwrap();
        let claims: Value = jsonwebtoken::decode::<Value>(token, &key, &expected).unwrap().claims;
        assert_eq!(
            (&claims["sub"], &claims["jti"], &claims["target"]),
            (&json!("dev/worker"), &json!(call), &json!("signed"))
        );
        assert_eq!(claims["op"], json!(format!("http.{method}")));
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            5,
            "policy's `@ttl` is shorter"
        );
        assert!(!world.gateway.log().contains(token.as_str()));
        let public = keys.find(&id).map(|key| serde_json::to_value(key).unwrap()).unwrap();
        assert!(
            public.get("d").is_none()
                && URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap().len() == 32
        );
    }
    world.close();
}

#[test]
fn with_every_line_of_the_log_on_no_secret_is_in_one() {
    let origin = Origin::with(|mut talk| {
        talk.read_body()?;
        let echo = talk.request.header("x-api-key").unwrap_or_default().to_owned();
        match talk.request.path() {
            "/breaks" => return Ok(After::Close),
            "/cut" => talk.send(
                [chunked("text/html").into_bytes(), chunk(format!("<b>{echo}")), b"zz\r\n".to_vec()].concat(),
            )?,
            _ => talk.send(answer(500, "text/html", format!("bad key {echo}")))?,
        }
        Ok(After::Close)
    });
    let other = target("gone", "http://127.0.0.1:1");
    let policy = r#"permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"gone");"#;
    let world = World::with(origin, |builder| {
        builder.env("COUNTERSIGN_LOG", "trace").table(&other).policy("gone.cedar", policy)
    });
    for path in ["/", "/breaks", "/cut"] {
        for method in ["GET", "POST"] {
            let _ = world.call(method, path).json(&json!({})).try_send();
        }
        let _ = world
            .gateway
            .get(&format!("/t/api{path}"))
            .bearer(&world.token("p", &["workers", "plain"]))
            .try_send();
    }
    let token = world.token("worker", &["workers"]);
    world.gateway.get("/t/gone/").bearer(&token).send();
    world.gateway.get("/v1/calls").bearer(&token).send();
    world.gateway.get("/t/api/").header("authorization", &format!("Basic {token}")).send();
    world.gateway.get(&format!("/t/api/?access_token={token}")).send();
    world.gateway.get(&format!("/{token}")).bearer(&format!("{token}x")).send();
    let _ = world
        .gateway
        .raw(format!("GET /t/api/ HTTP/1.1\r\nauthorization: Bearer {token}\r\nx y: z\r\n\r\n").as_bytes());
    assert!(world.gateway.log().contains("TRACE"), "the log is as loud as it can be");
    world.close();
}
