//! Bodies stream both ways as they come, and an endless answer costs no memory.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use testkit::eventually;

use crate::origin::{After, Origin, SOON, chunk, chunked};
use crate::world::World;

/// An origin that sends its head, and then each piece when the test says so.
fn told(media: &'static str, pieces: Receiver<Vec<u8>>) -> Origin {
    let pieces = Mutex::new(pieces);
    Origin::with(move |mut talk| {
        talk.read_body()?;
        talk.send(chunked(media))?;
        while let Ok(piece) = pieces.lock().unwrap().recv() {
            talk.send(chunk(piece))?;
        }
        talk.send("0\r\n\r\n")?;
        Ok(After::Keep)
    })
}

/// A connection on which a worker has asked for this path.
fn asked(world: &World, path: &str) -> TcpStream {
    let token = world.token("worker", &["workers"]);
    let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "GET /t/api{path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Reads until what was received holds `text`.
fn read_until(stream: &mut TcpStream, received: &mut String, text: &str) {
    let mut chunk = [0; 4096];
    while !received.contains(text) {
        let count = stream.read(&mut chunk).unwrap();
        assert_ne!(count, 0, "it ended without `{text}`: {received}");
        received.push_str(&String::from_utf8_lossy(&chunk[..count]));
    }
}

#[test]
fn each_event_is_released_while_the_target_goes_on() {
    let (tell, pieces) = sync_channel(1);
    let world = World::before(told("text/event-stream", pieces));
    let (mut stream, mut received) = (asked(&world, "/events"), String::new());
    read_until(&mut stream, &mut received, "\r\n\r\n");
    for number in 0..5 {
        tell.send(format!("id: {number}\ndata: mail zed{number}@example.com\n\n").into_bytes()).unwrap();
        read_until(&mut stream, &mut received, &format!("id: {number}\ndata: mail [email]"));
    }
    drop(tell);
    read_until(&mut stream, &mut received, "0\r\n\r\n");
    assert!(!received.contains('@'), "{received}");
    world.close();
}

#[test]
fn each_line_of_text_is_released_while_the_target_goes_on() {
    let (tell, pieces) = sync_channel(1);
    let world = World::before(told("text/plain", pieces));
    let (mut stream, mut received) = (asked(&world, "/log"), String::new());
    for number in 0..5 {
        tell.send(format!("line {number} is whole\n").into_bytes()).unwrap();
        read_until(&mut stream, &mut received, &format!("line {number} is whole\n"));
    }
    drop(tell);
    world.close();
}

#[test]
fn an_upload_reaches_the_target_while_the_caller_goes_on() {
    let world = World::before(Origin::with(|mut talk| {
        talk.read_body()?;
        talk.send(crate::origin::answer(200, "text/plain", "done"))?;
        Ok(After::Keep)
    }));
    for chunked in [false, true] {
        let token = world.token("worker", &["workers"]);
        let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let length = if chunked { "transfer-encoding: chunked" } else { "content-length: 15" };
        let path = format!("/upload/{chunked}");
        let head = format!(
            "POST /t/api{path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for number in 1..=3 {
            let piece = if chunked { "5\r\nabcde\r\n" } else { "abcde" };
            stream.write_all(piece.as_bytes()).unwrap();
            world.origin.wait_for(|seen| seen.path() == path && seen.body.len() == 5 * number);
        }
        if chunked {
            stream.write_all(b"0\r\n\r\n").unwrap();
        }
        read_until(&mut stream, &mut String::new(), "done");
    }
    world.close();
}

#[test]
fn a_caller_that_leaves_in_the_middle_of_an_answer_is_noticed_and_recorded() {
    let (tell, pieces) = sync_channel(0);
    let world = World::before(told("text/plain", pieces));
    let (mut stream, mut received) = (asked(&world, "/log"), String::new());
    tell.send(b"first\n".to_vec()).unwrap();
    read_until(&mut stream, &mut received, "first\n");
    drop(stream);
    eventually("the call ends as abandoned", || {
        let calls = world.calls(false);
        calls.iter().any(|call| call["outcome"]["outcome"] == "abandoned").then_some(())
    });
    drop(tell);
    world.close();
}

#[test]
fn an_endless_answer_to_a_slow_reader_costs_no_memory_and_holds_up_its_target() {
    const PIECES: usize = 3200;
    let line = "nothing that must be masked stands in this line of text\n".repeat(1170);
    let (size, piece) = (PIECES * line.len(), chunk(line));
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let mut world = World::before(Origin::with(move |mut talk| {
        talk.read_body()?;
        talk.send(chunked("text/html"))?;
        counter.store(0, Ordering::SeqCst);
        for _ in 0..PIECES {
            talk.send(&piece)?;
            counter.fetch_add(1, Ordering::SeqCst);
        }
        talk.send("0\r\n\r\n")?;
        Ok(After::Keep)
    }));
    let token = world.token("plain", &["workers", "plain"]);
    let process = world.gateway.process().child().id();
    let begun = || {
        let mut stream = TcpStream::connect(world.gateway.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head = "connection: close\r\n\r\n";
        let head = format!("GET /t/api/ HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{head}");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    // Buffers and pools are what they will be after some megabytes.
    std::io::copy(&mut begun().take(4 << 20), &mut std::io::sink()).unwrap();
    let before = resident(process);

    let mut stream = begun();
    let (mut last, mut still) = (0, 0);
    eventually("the target is held up because nobody reads", || {
        let now = sent.load(Ordering::SeqCst);
        still = if now == last { still + 1 } else { 0 };
        last = now;
        (still > 50).then_some(())
    });
    assert!(last < PIECES / 4, "the gateway took {last} of {PIECES} pieces that nobody has read");
    let (mut received, mut most, mut buffer) = (0, resident(process), vec![0; 256 << 10]);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        received += count;
        most = most.max(resident(process));
    }
    assert!(received > size, "only {received} bytes came");
    let grown = most.saturating_sub(before);
    assert!(grown < 8 << 20, "the gateway grew by {grown} bytes while {received} went through it");
    world.close();
}

/// What a process holds in memory, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
