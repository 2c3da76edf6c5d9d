//! The guard against httparse: for any cutting the same bytes are passed, and each message that is passed reads as one
//! request with one body, line by line the one that was sent.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../src/codec/mod.rs"]
#[expect(dead_code, reason = "what becomes of a refusal is not looked at here")]
mod codec;
#[path = "../../src/url.rs"]
#[expect(dead_code, reason = "only what the guard asks about bytes is used here")]
mod url;

use crate::codec::{BadRequest, Guard, Limits, Step};

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = input.split_first() else { return };
    let tight = Limits { request_line: 64, head: 256, headers: 4 };
    for limits in [Limits::default(), tight] {
        let whole = run(stream, stream.len(), limits);
        assert_eq!(run(stream, usize::from(*size), limits), whole, "cutting changes nothing");
        assert_eq!(run(stream, 1, limits), whole, "cutting changes nothing");
        whole.messages.iter().for_each(|message| check(message));
    }
});

#[derive(Debug, Default, PartialEq, Eq)]
struct Went {
    messages: Vec<Vec<u8>>,
    open: Vec<u8>,
    refused: Option<BadRequest>,
}

fn run(stream: &[u8], size: usize, limits: Limits) -> Went {
    let mut guard = Guard::new(limits);
    let mut went = Went::default();
    let (mut start, mut end) = (0, 0);
    loop {
        match guard.next(&stream[start..end]) {
            Step::NeedMore if end == stream.len() => {
                assert_eq!(guard.is_between_messages(), start == end && went.open.is_empty());
                return went;
            }
            Step::NeedMore => end = stream.len().min(end + size.max(1)),
            Step::Pass { bytes, boundary } => {
                assert!(bytes > 0 && bytes <= end - start);
                assert!(
                    !went.open.is_empty() || stream[start..start + bytes].ends_with(b"\r\n\r\n"),
                    "a head is whole"
                );
                went.open.extend_from_slice(&stream[start..start + bytes]);
                start += bytes;
                if boundary {
                    assert!(guard.is_at_head());
                    went.messages.push(std::mem::take(&mut went.open));
                }
            }
            Step::Refuse(why) => {
                went.refused = Some(why);
                return went;
            }
        }
    }
}

/// The message as httparse reads it, compared with its lines.
fn check(message: &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = request.parse(message) else {
        panic!("httparse does not read {:?}", String::from_utf8_lossy(message))
    };
    let text = std::str::from_utf8(&message[..length]).expect("a head is ASCII");
    let mut lines = text.strip_suffix("\r\n\r\n").expect("a head ends").split("\r\n");
    let version = format!("HTTP/1.{}", request.version.expect("a version"));
    let first =
        [request.method.expect("a method"), request.path.expect("a target"), version.as_str()].join(" ");
    assert_eq!(lines.next(), Some(first.as_str()));
    let read =
        request.headers.iter().map(|header| (header.name, std::str::from_utf8(header.value).expect("ASCII")));
    let given = lines.map(|line| line.split_once(':').expect("a colon"));
    let given = given.map(|(name, value)| (name, value.trim_matches([' ', '\t'])));
    assert!(read.eq(given), "{text:?}");

    let value = |wanted: &str| {
        let mut values = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(wanted));
        let value = values.next().map(|header| std::str::from_utf8(header.value).expect("ASCII"));
        assert!(values.next().is_none(), "{wanted} stands once");
        value
    };
    assert!(value("host").is_some());
    let body = &message[length..];
    match (value("transfer-encoding"), value("content-length")) {
        (Some(coding), None) => {
            assert!(coding.eq_ignore_ascii_case("chunked"));
            chunks(body);
        }
        (None, length) => assert_eq!(length.map_or(Ok(0), str::parse), Ok(body.len())),
        (Some(_), Some(_)) => panic!("two lengths"),
    }
}

/// The body is one run of chunks and ends with the last.
fn chunks(mut rest: &[u8]) {
    loop {
        let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(rest) else {
            panic!("httparse reads no chunk size")
        };
        assert!(rest[..line].iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'\r' | b'\n')));
        let after = &rest[line + usize::try_from(size).expect("a size")..];
        rest = after.strip_prefix(b"\r\n").expect("CRLF after a chunk");
        if size == 0 {
            return assert!(rest.is_empty());
        }
    }
}
