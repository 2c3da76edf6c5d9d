//! A gateway's life while it serves: new configurations, broken ones, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};

use serde_json::json;
use testkit::{Signal, eventually};

use crate::origin::{After, Origin, SOON, chunk, chunked, json as json_answer};
use crate::world::{POLICIES, World};

/// A world whose `/stream` sends what the test tells it to.
fn streaming() -> (World, SyncSender<String>) {
    let (tell, pieces) = sync_channel(0);
    let pieces = Mutex::new(pieces);
    let origin = Origin::with(move |mut talk| {
        talk.read_body()?;
        if talk.request.path() != "/stream" {
            talk.send(json_answer(&json!({ "ok": true })))?;
            return Ok(After::Keep);
        }
        talk.send(chunked("text/event-stream"))?;
        while let Ok(piece) = pieces.lock().unwrap().recv() {
            talk.send(chunk(piece))?;
        }
        talk.send("0\r\n\r\n")?;
        Ok(After::Keep)
    });
    (World::before(origin), tell)
}

struct Reader(TcpStream, String);

impl Reader {
    fn open(world: &World) -> Self {
        let token = world.token("worker", &["workers"]);
        let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head = format!("GET /t/api/stream HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        Self(stream, String::new())
    }

    fn until(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.1.contains(text) {
            let count = self.0.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the stream ended without `{text}`: {}", self.1);
            self.1.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
}

fn event(number: u32) -> String {
    format!("data: event {number}\n\n")
}

#[test]
fn a_new_configuration_drops_no_call_and_counts_from_the_next_one() {
    let (mut world, tell) = streaming();
    let mut reader = Reader::open(&world);
    tell.send(event(1)).unwrap();
    reader.until("event 1");
    let closed = POLICIES.replace("dev/workers", "dev/nobody");
    std::fs::write(world.gateway.folder().join("policies/world.cedar"), closed).unwrap();
    assert!(world.gateway.reload());
    let denied = world.get("/");
    assert_eq!(
        (denied.status, denied.at("/code").as_str()),
        (403, "denied"),
        "the next call is under the new policy"
    );
    tell.send(event(2)).unwrap();
    reader.until("event 2");
    std::fs::write(world.gateway.folder().join("policies/world.cedar"), POLICIES).unwrap();
    assert!(world.gateway.reload());
    assert_eq!(world.get("/").status, 200);
    tell.send(event(3)).unwrap();
    drop(tell);
    reader.until("event 3");
    reader.until("0\r\n\r\n");
    world.close();
}

#[test]
fn a_broken_draft_is_refused_and_what_stood_stays() {
    let mut world = World::new();
    let (config, policies) = (world.gateway.config(), world.gateway.folder().join("policies"));
    let good = std::fs::read_to_string(&config).unwrap();
    let drafts = [
        ("not TOML", format!("{good}\n[[")),
        ("an unknown key", format!("lisen = \"x\"\n{good}")),
        ("an unknown target setting", format!("{good}\nurrl = \"x\"\n")),
        (
            "a reserved name",
            format!("{good}\n[targets.countersign]\nprotocol = \"http\"\nurl = \"http://127.0.0.1:1\"\n"),
        ),
        ("a secret in the URL", good.replace("http://127.0.0.1", "http://user:secret@127.0.0.1")),
        ("an issuer in the clear", good.replace("issuer = \"http://127.0.0.1", "issuer = \"http://10.0.0.1")),
    ];
    for (why, draft) in drafts {
        std::fs::write(&config, draft).unwrap();
        assert!(!world.gateway.reload(), "{why}");
        assert_eq!(world.get("/").status, 200, "{why}");
    }
    std::fs::write(&config, &good).unwrap();
    for (why, policy) in [
        ("no Cedar", "permit (".to_owned()),
        ("an unknown target", r#"permit (principal, action, resource == Target::"nope");"#.to_owned()),
        ("an unknown annotation", r#"@retain("1y") permit (principal, action, resource == Target::"api");"#.to_owned()),
        ("a forbid that no signature turns", r#"@approve("dev/a") forbid (principal, action, resource);"#.to_owned()),
        ("an attribute that is not there", r#"permit (principal, action == Action::"http.get", resource == Target::"api") when { context.nope };"#.to_owned()),
    ] {
        std::fs::write(policies.join("draft.cedar"), policy).unwrap();
        assert!(!world.gateway.reload(), "{why}");
        assert_eq!(world.get("/").status, 200, "{why}");
        let checked = world.gateway.run("", &["policy", "check"]);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(!checked.status.success() && said.contains("draft.cedar:1:"), "{why}: {said}");
    }
    std::fs::remove_file(policies.join("draft.cedar")).unwrap();
    assert!(world.gateway.reload());
    world.close();
}

#[test]
fn told_to_stop_it_ends_calls_under_way_and_begins_none() {
    let (mut world, tell) = streaming();
    let mut reader = Reader::open(&world);
    tell.send(event(1)).unwrap();
    reader.until("event 1");
    // A connection that idles, to be asked for something once the gateway stops.
    let idle = TcpStream::connect(world.gateway.address()).unwrap();
    idle.set_read_timeout(Some(SOON)).unwrap();
    world.gateway.process().signal(Signal::TERM);
    world.gateway.wait_for_log("stopping");
    let address = world.gateway.address();
    eventually("no new connection is served", || {
        let Ok(mut stream) = TcpStream::connect(address) else { return Some(()) };
        stream.set_read_timeout(Some(SOON)).unwrap();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        (read.is_err() || answer.is_empty() || answer.contains(" 503 ")).then_some(())
    });
    assert!(world.gateway.process().ended().is_none(), "a call is under way");
    tell.send(event(2)).unwrap();
    reader.until("event 2");
    drop(tell);
    reader.until("0\r\n\r\n");
    assert!(world.gateway.process().wait().success());
    assert_eq!(world.origin.seen().len(), 1);
    world.gateway.start();
    let calls = world.calls(false);
    let stream = calls.iter().find(|call| call["sentence"] == "GET /stream").unwrap();
    assert_eq!(stream["outcome"], json!({ "outcome": "answered", "status": 200 }), "{calls:?}");
    world.close();
}

#[test]
fn told_to_stop_it_answers_those_who_wait_for_a_signature() {
    let mut world = World::new();
    let request = world.call("POST", "/ask/x").wait(300).json(&json!({}));
    let waiting = std::thread::spawn(move || request.send());
    eventually("it waits", || {
        let listed = world.own("GET", "/v1/approvals?state=pending").send().json();
        (!listed["approvals"].as_array().unwrap().is_empty()).then_some(())
    });
    world.gateway.process().signal(Signal::TERM);
    let answer = waiting.join().unwrap();
    assert!(
        matches!(answer.at("/code").as_str(), "shutting_down" | "approval_required"),
        "{}",
        answer.text()
    );
    assert!(world.gateway.process().wait().success());
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn one_data_folder_serves_one_gateway_and_a_wrong_key_opens_nothing() {
    let mut world = World::new();
    let second = world.gateway.command(&["gateway"]).output().unwrap();
    assert!(!second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    assert_eq!(world.get("/").status, 200, "the first goes on");
    assert!(world.gateway.terminate().success());
    let key = world.gateway.folder().join("data.key");
    let away = key.with_extension("away");
    std::fs::rename(&key, &away).unwrap();
    let other = world.gateway.command(&["gateway"]).output().unwrap();
    assert!(!other.status.success() && !key.exists(), "a lost key is not replaced by a new one");
    std::fs::rename(&away, &key).unwrap();
    world.gateway.start();
    assert_eq!(world.get("/").status, 200);
    world.close();
}
