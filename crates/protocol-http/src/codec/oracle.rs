//! The readers behind the guard as oracles: what it passes, httparse and hyper read as the same requests.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::Limits;
use super::tests::{run, streams};

#[derive(Debug, PartialEq, Eq)]
struct Read {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The messages as httparse and a plain reading of lengths and chunks have them.
fn by_httparse(message: &[u8]) -> Read {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) =
        request.parse(message).expect("httparse refuses what the guard passed")
    else {
        panic!("httparse wants more than the guard passed")
    };
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
        .collect();
    let value =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice());
    let rest = &message[head..];
    let body = if value("transfer-encoding").is_some() {
        dechunked(rest)
    } else {
        let length =
            value("content-length").map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap());
        assert_eq!(rest.len(), length, "the message ends where its length says");
        rest.to_vec()
    };
    Read {
        method: request.method.unwrap().to_owned(),
        target: request.path.unwrap().to_owned(),
        headers,
        body,
    }
}

fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((line, size)) =
            httparse::parse_chunk_size(rest).expect("a chunk size")
        else {
            panic!("the message ends inside a chunk size")
        };
        let size = usize::try_from(size).unwrap();
        let (data, after) = rest[line..].split_at(size);
        body.extend_from_slice(data);
        rest = after.strip_prefix(b"\r\n").expect("CRLF after a chunk");
        if size == 0 {
            assert!(rest.is_empty(), "the message ends with its last chunk");
            return body;
        }
    }
}

/// The messages as hyper's server reads them from one connection.
fn by_hyper(stream: &[u8]) -> Vec<Read> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&read);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let (head, body) = request.into_parts();
            let body =
                body.collect().await.expect("hyper refuses a body that the guard passed").to_bytes().to_vec();
            let headers = head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
            let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let headers = headers.collect();
            seen.lock().unwrap().push(Read { method: head.method.to_string(), target, headers, body });
            Ok::<_, Infallible>(hyper::Response::new(Empty::<Bytes>::new()))
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut caller, server) = tokio::io::duplex(1 << 20);
        caller.write_all(stream).await.unwrap();
        caller.shutdown().await.unwrap();
        let served = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(server), service)
            .await;
        served.expect("hyper refuses what the guard passed");
    });
    std::mem::take(&mut *read.lock().unwrap())
}

fn sorted(mut read: Read) -> Read {
    // hyper keeps the values of one name together.
    read.headers.sort();
    read
}

fn says_close(message: &Read) -> bool {
    let close = (String::from("connection"), b"close".to_vec());
    message.headers.contains(&close)
}

proptest! {
    #[test]
    fn what_is_passed_reads_the_same_behind_the_guard(stream in streams()) {
        let passed = run(&stream, &[7], Limits::default()).messages;
        let expected: Vec<_> = passed.iter().map(|message| sorted(by_httparse(message))).collect();
        let read: Vec<_> = by_hyper(&passed.concat()).into_iter().map(sorted).collect();
        prop_assert!(!expected.iter().any(says_close), "no generated request closes");
        // HTTP/1.0 closes after its answer unless it asks to be kept.
        prop_assert!(read.len() <= expected.len());
        for (read, expected) in read.iter().zip(&expected) {
            prop_assert_eq!(read, expected);
        }
        if !passed.iter().any(|message| message.windows(8).any(|window| window == b"HTTP/1.0")) {
            prop_assert_eq!(read.len(), expected.len());
        }
    }

    #[test]
    fn every_head_that_is_passed_reads_the_same(
        method in "[A-Z]{1,8}|M-SEARCH",
        target in "/[!-~]{0,12}",
        headers in prop::collection::vec(("[A-Za-z0-9_-]{1,10}", "[\t -~]{0,12}"), 0..6),
    ) {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
        let stream = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let passed = run(stream.as_bytes(), &[usize::MAX], Limits::default()).messages;
        if let [message] = passed.as_slice() {
            let expected = by_httparse(message);
            prop_assert_eq!(&expected.method, &method);
            prop_assert_eq!(&expected.target, &target);
            let given = headers.iter().map(|(name, value)| {
                (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).as_bytes().to_vec())
            });
            let given: Vec<_> = [("host".to_owned(), b"a".to_vec())].into_iter().chain(given).collect();
            prop_assert_eq!(&expected.headers, &given);
            prop_assert_eq!(by_hyper(message).into_iter().map(sorted).collect::<Vec<_>>(), vec![sorted(expected)]);
        }
    }
}
