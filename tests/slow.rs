//! Callers who are slow, silent or large: they hold up nobody but themselves, and what they send has its limits.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use testkit::eventually;

use crate::origin::{self, SOON};
use crate::world::World;

/// More than can be served at once by any pool of two workers.
const MANY: usize = 300;

/// Opens connections that have each sent this much and go on no further.
fn stalled(world: &World, bytes: &[u8]) -> Vec<TcpStream> {
    let open = || {
        let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    std::iter::repeat_with(open).take(MANY).collect()
}

/// Others are served, and those who stalled may still finish.
fn others_are_served(world: &World, what: &str) {
    for number in 0..20 {
        assert_eq!(world.get(&format!("/{number}")).status, 200, "{what}");
    }
    assert_eq!(world.gateway.get("/healthz").send().status, 200, "{what}");
}

#[test]
fn silent_connections_stop_nobody() {
    let world = World::new();
    let silent = stalled(&world, b"");
    others_are_served(&world, "silent");
    drop(silent);
    world.close();
}

#[test]
fn heads_that_never_end_stop_nobody_and_end_when_they_end() {
    let world = World::new();
    let token = world.token("worker", &["workers"]);
    let head = format!(
        "GET /t/api/slow HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n"
    );
    let slow = stalled(&world, head.as_bytes());
    others_are_served(&world, "half a head");
    assert!(world.origin.seen().iter().all(|seen| seen.path() != "/slow"));
    let mut last = slow.into_iter().next_back().unwrap();
    last.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    last.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    world.close();
}

#[test]
fn bodies_that_never_end_stop_nobody() {
    let world = World::new();
    let token = world.token("worker", &["workers"]);
    for path in ["/t/api/slow", "/t/api/ask/slow", "/v1/targets/api/calls", "/v1/setup"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 10\r\n\r\n{{"
        );
        let slow = stalled(&world, head.as_bytes());
        others_are_served(&world, path);
        drop(slow);
    }
    // Those whose bodies are read in full have room for 64 at a time, and give it back when they leave.
    eventually("room is given back", || {
        let answer = world.call("POST", "/ask/again").wait(0).json(&json!({})).send();
        (answer.at("/code") == "approval_required").then_some(())
    });
    world.close();
}

#[test]
fn a_body_that_must_be_read_in_full_has_a_limit_and_one_that_streams_has_none() {
    let world = World::answering(|seen| origin::json(&json!({ "bytes": seen.body.len() })));
    let body = |bytes: usize| vec![b'a'; bytes];
    let large =
        |path: &str, bytes: usize| world.call("POST", path).wait(0).body("text/plain", body(bytes)).send();
    assert_eq!(large("/free", 5 << 20).json()["bytes"], 5 << 20);
    assert_eq!(large("/ask", 1 << 20).at("/code"), "approval_required");
    for path in ["/ask/length", "/ask"] {
        let refused = large(path, (1 << 20) + 1);
        assert_eq!((refused.status, refused.at("/code").as_str()), (413, "too_large"), "{}", refused.text());
    }
    let chunks = format!("{:x}\r\n{}\r\n", 64 << 10, "a".repeat(64 << 10)).repeat(17);
    let token = world.token("worker", &["workers"]);
    let request = format!(
        "POST /t/api/ask/chunks HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
    );
    let answer = world.gateway.raw(request.as_bytes());
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    let long = json!({ "operation": "a.b", "arguments": { "x": "a".repeat(1 << 20) } });
    let refused = world.gateway.post("/v1/targets/api/calls").bearer(&token).json(&long).send();
    assert_eq!((refused.status, refused.at("/code").as_str()), (413, "too_large"));
    assert_eq!(world.origin.only().path(), "/free");
    world.close();
}

#[test]
fn a_caller_that_expects_a_go_ahead_gets_it_only_after_the_decision() {
    let world = World::answering(|seen| origin::json(&json!({ "bytes": seen.body.len() })));
    let head = |path: &str, token: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
        )
    };
    let begin = |path: &str, groups: &[&str]| {
        let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(head(path, &world.token("caller", groups)).as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        (String::from_utf8_lossy(&first).into_owned(), stream)
    };
    assert_eq!(begin("/t/api/x", &[]).0, "HTTP/1.1 403");
    assert!(world.origin.seen().is_empty());
    let (first, mut stream) = begin("/t/api/x", &["workers"]);
    assert_eq!(first, "HTTP/1.1 100");
    stream.write_all(b"abc").unwrap();
    let mut rest = vec![0; 64];
    stream.read_exact(&mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(world.origin.wait_for(|seen| !seen.body.is_empty()).body, b"abc");
    world.close();
}

#[test]
fn a_flood_of_strangers_is_counted_and_does_not_fill_the_journal() {
    let world = World::new();
    let before = journal_bytes(&world);
    for _ in 0..500 {
        assert_eq!(world.gateway.get("/t/api/").send().status, 401);
    }
    assert_eq!(world.refusals("unauthenticated"), 500);
    let grown = journal_bytes(&world) - before;
    assert!(grown < 64 << 10, "500 strangers took {grown} bytes");
    world.close();
}

fn journal_bytes(world: &World) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![world.gateway.folder().join("data/journal")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() { folders.push(entry.path()) } else { bytes += metadata.len() }
        }
    }
    bytes
}

#[test]
fn one_callers_slow_reading_holds_up_nobody_else() {
    let world = World::before(origin::Origin::with(|mut talk| {
        talk.read_body()?;
        talk.send(origin::chunked("text/plain"))?;
        let line = origin::chunk("nothing to see in this line\n".repeat(1000));
        let pieces = if talk.request.path() == "/large" { 1000 } else { 1 };
        for _ in 0..pieces {
            talk.send(&line)?;
        }
        talk.send("0\r\n\r\n")?;
        Ok(origin::After::Keep)
    }));
    let token = world.token("worker", &["workers"]);
    let head = format!("GET /t/api/large HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
    let mut slow: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(world.gateway.address()).unwrap()).collect();
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    for _ in 0..20 {
        let answer = world.get("/small");
        assert_eq!((answer.status, answer.whole), (200, true));
    }
    drop(slow);
    world.close();
}
