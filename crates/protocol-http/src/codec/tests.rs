//! One case for each form in which two readers could disagree, and the promise that cutting the stream changes nothing.

use proptest::prelude::*;

use super::*;

/// How a stream went: the messages that were passed, what was passed of one that did not end, and the refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Went {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) open: Vec<u8>,
    pub(super) refused: Option<BadRequest>,
}

/// Shows `stream` to a guard in pieces of these sizes, over and over, and checks what a step promises.
pub(super) fn run(stream: &[u8], sizes: &[usize], limits: Limits) -> Went {
    let mut guard = Guard::new(limits);
    let mut went = Went::default();
    let (mut start, mut end) = (0, 0);
    let mut sizes = sizes.iter().cycle();
    loop {
        match guard.next(&stream[start..end]) {
            Step::NeedMore if end == stream.len() => {
                assert_eq!(guard.is_between_messages(), start == end && went.open.is_empty());
                return went;
            }
            Step::NeedMore => end = stream.len().min(end + sizes.next().map_or(1, |size| (*size).max(1))),
            Step::Pass { bytes, boundary } => {
                assert!(bytes > 0 && bytes <= end - start, "passed {bytes} of {}", end - start);
                went.open.extend_from_slice(&stream[start..start + bytes]);
                start += bytes;
                if boundary {
                    went.messages.push(std::mem::take(&mut went.open));
                    assert!(guard.is_between_messages());
                }
            }
            Step::Refuse(why) => {
                assert_eq!(
                    guard.next(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
                    Step::Refuse(why),
                    "a refusal is final"
                );
                went.refused = Some(why);
                return went;
            }
        }
    }
}

fn went(stream: &str) -> Went {
    run(stream.as_bytes(), &[usize::MAX], Limits::default())
}

fn refusal(stream: &str) -> Option<BadRequest> {
    let whole = went(stream);
    assert_eq!(run(stream.as_bytes(), &[1], Limits::default()), whole, "a byte a time: {stream:?}");
    whole.refused
}

/// A request with these lines between its `Host` and its empty line, and a body behind it.
fn with(lines: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n{body}")
}

#[test]
fn plain_requests_pass_byte_for_byte_with_their_borders() {
    let get = "GET /a?b=c HTTP/1.1\r\nhost: a.example:8080\r\naccept:*/*\r\nx-empty:\r\n\r\n";
    let post = "POST /a HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length:  3 \r\n\r\nabc";
    let chunked = "PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: Chunked\r\n\r\n\
                   3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n";
    let old = "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n";
    let expect = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx";
    let empty =
        "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTE: trailers\r\nConnection: te, close\r\n\r\n";
    let all = [get, post, chunked, old, expect, empty];
    let went = went(&all.concat());
    assert_eq!(went.refused, None);
    assert_eq!(went.messages, all.map(|message| message.as_bytes().to_vec()));
}

#[test]
fn every_ambiguous_length_is_refused() {
    let cases = [
        (
            "CL.TE",
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\nG",
            BadRequest::TwoLengths,
        ),
        (
            "TE.CL",
            "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            "0\r\n\r\nG",
            BadRequest::TwoLengths,
        ),
        ("CL.0 beside TE", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "", BadRequest::TwoLengths),
        (
            "TE.TE",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "",
            BadRequest::Doubled("transfer-encoding"),
        ),
        (
            "TE.TE, one disguised",
            "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n",
            "",
            BadRequest::Doubled("transfer-encoding"),
        ),
        ("TE list", "Transfer-Encoding: gzip, chunked\r\n", "", BadRequest::TransferEncoding),
        ("TE list of one", "Transfer-Encoding: chunked,\r\n", "", BadRequest::TransferEncoding),
        ("TE identity", "Transfer-Encoding: identity\r\n", "", BadRequest::TransferEncoding),
        ("TE unknown", "Transfer-Encoding: xchunked\r\n", "", BadRequest::TransferEncoding),
        ("TE with a parameter", "Transfer-Encoding: chunked;q=1\r\n", "", BadRequest::TransferEncoding),
        ("TE quoted", "Transfer-Encoding: \"chunked\"\r\n", "", BadRequest::TransferEncoding),
        ("TE empty", "Transfer-Encoding:\r\n", "", BadRequest::TransferEncoding),
        ("TE with a vertical tab", "Transfer-Encoding: \u{b}chunked\r\n", "", BadRequest::Value),
        ("TE with a space before the colon", "Transfer-Encoding : chunked\r\n", "", BadRequest::Name),
        ("TE with `_`", "Transfer_Encoding: chunked\r\n", "", BadRequest::LookAlike("transfer-encoding")),
        (
            "CL doubled and different",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "ab",
            BadRequest::Doubled("content-length"),
        ),
        (
            "CL doubled and alike",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "a",
            BadRequest::Doubled("content-length"),
        ),
        ("CL list", "Content-Length: 1, 1\r\n", "a", BadRequest::ContentLength),
        ("CL plus", "Content-Length: +1\r\n", "a", BadRequest::ContentLength),
        ("CL minus", "Content-Length: -1\r\n", "a", BadRequest::ContentLength),
        ("CL space inside", "Content-Length: 1 2\r\n", "a", BadRequest::ContentLength),
        ("CL hexadecimal", "Content-Length: 0x1\r\n", "a", BadRequest::ContentLength),
        ("CL octal", "Content-Length: 010\r\n", "a", BadRequest::ContentLength),
        ("CL decimal point", "Content-Length: 1.0\r\n", "a", BadRequest::ContentLength),
        ("CL empty", "Content-Length:\r\n", "a", BadRequest::ContentLength),
        ("CL beyond 64 bits", "Content-Length: 18446744073709551617\r\n", "a", BadRequest::ContentLength),
        ("CL with `_`", "Content_Length: 1\r\n", "a", BadRequest::LookAlike("content-length")),
        ("trailers announced", "Transfer-Encoding: chunked\r\nTrailer: X\r\n", "", BadRequest::Trailer),
    ];
    for (form, lines, body, why) in cases {
        assert_eq!(refusal(&with(lines, body)), Some(why), "{form}");
    }
}

#[test]
fn lines_have_one_end_and_names_one_form() {
    let cases = [
        ("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", BadRequest::BareLf),
        ("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", BadRequest::BareLf),
        ("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\nGET", BadRequest::BareLf),
        (
            "bare CR in a value",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
            BadRequest::BareCr,
        ),
        ("CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", BadRequest::BareCr),
        ("blank line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BadRequest::BlankLine),
        ("folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", BadRequest::Folded),
        ("folded header by tab", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", BadRequest::Folded),
        ("folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", BadRequest::Folded),
        ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", BadRequest::Name),
        ("space in a name", "GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", BadRequest::Name),
        ("NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n", BadRequest::Value),
        ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", BadRequest::Value),
        ("NUL in the request line", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", BadRequest::RequestLine),
        ("DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n", BadRequest::Value),
        ("a value beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX: é\r\n\r\n", BadRequest::Value),
        ("a name beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nÉ: x\r\n\r\n", BadRequest::Name),
        ("a name with other signs", "GET / HTTP/1.1\r\nHost: a\r\nX.Real.IP: x\r\n\r\n", BadRequest::Name),
        ("empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", BadRequest::Name),
        ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", BadRequest::Name),
        ("TLS on the plain port", "\u{16}\u{3}\u{1}", BadRequest::RequestLine),
    ];
    for (form, stream, why) in cases {
        assert_eq!(refusal(stream), Some(why), "{form}");
    }
}

#[test]
fn request_lines_have_one_reading() {
    let cases = [
        ("two spaces", "GET  / HTTP/1.1", BadRequest::RequestLine),
        ("space at the end", "GET / HTTP/1.1 ", BadRequest::RequestLine),
        ("space at the beginning", " GET / HTTP/1.1", BadRequest::RequestLine),
        ("space in the target", "GET /a b HTTP/1.1", BadRequest::RequestLine),
        ("tab for a space", "GET\t/\tHTTP/1.1", BadRequest::RequestLine),
        ("HTTP/0.9", "GET /", BadRequest::RequestLine),
        ("lower-case method", "get / HTTP/1.1", BadRequest::Method),
        ("digit in a method", "G3T / HTTP/1.1", BadRequest::Method),
        ("endless method", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1", BadRequest::Method),
        ("CONNECT", "CONNECT a:443 HTTP/1.1", BadRequest::MethodNotServed),
        ("TRACE", "TRACE / HTTP/1.1", BadRequest::MethodNotServed),
        ("TRACK", "TRACK / HTTP/1.1", BadRequest::MethodNotServed),
        ("preface of HTTP/2", "PRI * HTTP/2.0", BadRequest::MethodNotServed),
        ("absolute form", "GET http://b.example/ HTTP/1.1", BadRequest::TargetForm),
        ("absolute form of the same host", "GET http://a.example/ HTTP/1.1", BadRequest::TargetForm),
        ("asterisk form", "OPTIONS * HTTP/1.1", BadRequest::TargetForm),
        ("authority form", "GET a.example:80 HTTP/1.1", BadRequest::TargetForm),
        ("relative path", "GET a HTTP/1.1", BadRequest::TargetForm),
        ("backslash", "GET /a\\b HTTP/1.1", BadRequest::TargetByte),
        ("backslash in the query", "GET /?a\\b HTTP/1.1", BadRequest::TargetByte),
        ("fragment", "GET /a#b HTTP/1.1", BadRequest::TargetByte),
        ("beyond ASCII", "GET /é HTTP/1.1", BadRequest::TargetByte),
        ("brackets in the path", "GET /a[0] HTTP/1.1", BadRequest::TargetByte),
        ("quote", "GET /\"a\" HTTP/1.1", BadRequest::TargetByte),
        ("HTTP/1.2", "GET / HTTP/1.2", BadRequest::Version),
        ("HTTP/2.0", "GET / HTTP/2.0", BadRequest::Version),
        ("lower-case version", "GET / http/1.1", BadRequest::Version),
        ("long version", "GET / HTTP/1.10", BadRequest::Version),
    ];
    for (form, line, why) in cases {
        assert_eq!(refusal(&format!("{line}\r\nHost: a.example\r\n\r\n")), Some(why), "{form}");
    }
}

#[test]
fn a_host_stands_once_and_is_a_host() {
    for (form, host) in [
        ("empty", ""),
        ("user", "user@a"),
        ("path", "a/b"),
        ("list", "a, b"),
        ("port without digits", "a:"),
        ("port with letters", "a:b"),
        ("port beyond 16 bits", "a:65536"),
        ("two ports", "a:1:2"),
        ("dot at the end", "a."),
        ("two dots", "a..b"),
        ("open bracket", "[::1"),
        ("no address in brackets", "[a]"),
        ("text behind the bracket", "[::1]a"),
        ("percent", "a%2eb"),
        ("space", "a b"),
    ] {
        assert_eq!(
            refusal(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
            Some(BadRequest::Host),
            "{form}"
        );
    }
    assert_eq!(refusal("GET / HTTP/1.1\r\n\r\n"), Some(BadRequest::NoHost));
    assert_eq!(refusal("GET / HTTP/1.0\r\n\r\n"), Some(BadRequest::NoHost));
    assert_eq!(refusal(&with("HOST: a.example\r\n", "")), Some(BadRequest::Doubled("host")));
}

#[test]
fn headers_that_ask_for_another_request_are_refused() {
    let cases = [
        ("upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n", BadRequest::Upgrade),
        ("upgrade alone", "Upgrade: h2c\r\n", BadRequest::Upgrade),
        ("h2c", "HTTP2-Settings: AAMAAABkAAQAAP__\r\n", BadRequest::Upgrade),
        (
            "connection names a security header",
            "Connection: close, Authorization\r\n",
            BadRequest::Connection,
        ),
        ("connection names the host", "Connection: Host\r\n", BadRequest::Connection),
        ("connection names nothing", "Connection: \r\n", BadRequest::Connection),
        ("connection says both", "Connection: keep-alive, close\r\n", BadRequest::Connection),
        (
            "connection twice",
            "Connection: close\r\nConnection: keep-alive\r\n",
            BadRequest::Doubled("connection"),
        ),
        ("other expectation", "Expect: 200-ok\r\n", BadRequest::Expect),
        ("expectation list", "Expect: 100-continue, x\r\n", BadRequest::Expect),
        (
            "method override",
            "X-HTTP-Method-Override: DELETE\r\n",
            BadRequest::Override("x-http-method-override"),
        ),
        ("method override, short", "X-Method-Override: PUT\r\n", BadRequest::Override("x-method-override")),
        ("method override, shortest", "X-HTTP-Method: PUT\r\n", BadRequest::Override("x-http-method")),
        (
            "method override with `_`",
            "X_HTTP_Method_Override: PUT\r\n",
            BadRequest::LookAlike("x-http-method-override"),
        ),
        ("path override", "X-Original-URL: /admin\r\n", BadRequest::Override("x-original-url")),
        ("path override of another kind", "X-Rewrite-Url: /admin\r\n", BadRequest::Override("x-rewrite-url")),
        ("two types", "Content-Type: a/b\r\ncontent-type: a/b\r\n", BadRequest::Doubled("content-type")),
        ("two credentials", "Authorization: a\r\nAuthorization: b\r\n", BadRequest::Doubled("authorization")),
        ("two cookies", "Cookie: a=1\r\nCookie: b=2\r\n", BadRequest::Doubled("cookie")),
        ("two keys", "Idempotency-Key: a\r\nIdempotency-Key: b\r\n", BadRequest::Doubled("idempotency-key")),
        ("a type with `_`", "Content_Type: a/b\r\n", BadRequest::LookAlike("content-type")),
    ];
    for (form, lines, why) in cases {
        assert_eq!(refusal(&with(lines, "")), Some(why), "{form}");
    }
    assert_eq!(
        refusal(&with("api_key: a\r\napi_key: b\r\n", "")),
        None,
        "a name with `_` that means nothing here"
    );
}

#[test]
fn http_1_0_has_no_features_of_1_1() {
    let old = |lines: &str| refusal(&format!("POST / HTTP/1.0\r\nHost: a\r\n{lines}\r\n0\r\n\r\n"));
    assert_eq!(old("Transfer-Encoding: chunked\r\n"), Some(BadRequest::NotInHttp10("transfer-encoding")));
    assert_eq!(old("Expect: 100-continue\r\nContent-Length: 5\r\n"), Some(BadRequest::NotInHttp10("expect")));
    assert_eq!(old("Content-Length: 5\r\n"), None);
}

#[test]
fn chunks_are_exact() {
    let cases = [
        ("extension", "1;a=b\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("extension with a bare LF", "1;\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("space before the size", " 1\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("space after the size", "1 \r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("sign", "+1\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("0x", "0x1\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("underscore", "0_1\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("no size", "\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("bare LF after the size", "1\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("bare CR after the size", "1\rx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("nine digits", "100000001\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("size wraps", "FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n", BadRequest::ChunkSize),
        ("nine zeros", "000000000\r\n\r\n", BadRequest::ChunkSize),
        ("longer than it says", "1\r\nxy\r\n0\r\n\r\n", BadRequest::ChunkEnd),
        ("bare LF after the data", "1\r\nx\n0\r\n\r\n", BadRequest::ChunkEnd),
        ("bare CR after the data", "1\r\nx\r0\r\n\r\n", BadRequest::ChunkEnd),
        ("no CRLF after the data", "1\r\nx0\r\n\r\n", BadRequest::ChunkEnd),
        ("trailer", "1\r\nx\r\n0\r\nX: y\r\n\r\n", BadRequest::Trailer),
        ("trailer that is a length", "0\r\nContent-Length: 5\r\n\r\n", BadRequest::Trailer),
        ("bare LF at the end", "0\r\n\nGET", BadRequest::Trailer),
    ];
    for (form, body, why) in cases {
        assert_eq!(refusal(&with("Transfer-Encoding: chunked\r\n", body)), Some(why), "{form}");
    }
}

#[test]
fn what_follows_a_message_is_the_next_one_and_never_passed_with_it() {
    let smuggled = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    let went = went(&format!("{}{smuggled}", with("Content-Length: 3\r\n", "abc")));
    assert_eq!(went.messages.len(), 2);
    assert_eq!(went.messages[1], smuggled.as_bytes());
    let bad_second = refusal(&format!("{}GET\r\n", with("Content-Length: 3\r\n", "abc")));
    assert_eq!(bad_second, Some(BadRequest::RequestLine));
}

#[test]
fn heads_are_bounded() {
    let limits = Limits { request_line: 40, head: 100, headers: 3 };
    let refusal = |stream: String| {
        let whole = run(stream.as_bytes(), &[usize::MAX], limits);
        assert_eq!(run(stream.as_bytes(), &[1], limits), whole);
        whole.refused
    };
    let line = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(length - 16));
    assert_eq!(refusal(line(40)), None);
    assert_eq!(refusal(line(41)), Some(BadRequest::RequestLineTooLong));
    let head = |length: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(length - 32));
    assert_eq!(refusal(head(100)), None);
    assert_eq!(refusal(head(101)), Some(BadRequest::HeadTooLong));
    assert_eq!(
        refusal("A".repeat(41)),
        Some(BadRequest::RequestLineTooLong),
        "an endless line is not waited for"
    );
    let headers = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert_eq!(refusal(headers(3)), None);
    assert_eq!(refusal(headers(4)), Some(BadRequest::TooManyHeaders));
}

#[test]
fn a_refusal_in_a_head_that_was_shown_in_part_is_still_at_the_head() {
    let mut guard = Guard::new(Limits::default());
    assert_eq!(guard.next(b"GET / HT"), Step::NeedMore);
    assert!(guard.is_at_head() && !guard.is_between_messages());
    assert_eq!(guard.next(b"GET / HTTP/1.1\n"), Step::Refuse(BadRequest::BareLf));
}

#[test]
fn governed_names_fit_into_their_bits_and_stand_once() {
    let mut names: Vec<_> = names::GOVERNED.iter().map(|(name, _)| *name).collect();
    assert!(names.len() <= 64);
    assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), names::GOVERNED.len());
}

/// Lines of requests, good and bad, put together at random: most streams are nearly right.
pub(super) fn streams() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b=c HTTP/1.1\r\n",
        "PUT /a HTTP/1.0\r\n",
        "Host: a.example\r\n",
        "Content-Length: 4\r\n",
        "Content-Length: 11\r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: Chunked\r\n",
        "Connection: keep-alive\r\n",
        "X: y\r\n",
        "X : y\r\n",
        "X:\ty\t\r\n",
        "\r\n",
        "\n",
        "\r",
        "4\r\nabcd\r\n",
        "0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "b\r\nhello world\r\n",
        "abcd",
        " ",
        "\0",
    ]);
    let request = prop::sample::select(vec![
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n",
    ]);
    let piece = prop_oneof![
        3 => request.prop_map(|text| text.as_bytes().to_vec()),
        4 => line.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cutting_the_stream_changes_nothing(
        stream in streams(),
        sizes in prop::collection::vec(1_usize..20, 1..6),
        head in 20_usize..200,
    ) {
        for limits in [Limits::default(), Limits { request_line: head / 2, head, headers: 3 }] {
            let whole = run(&stream, &[usize::MAX], limits);
            prop_assert_eq!(&run(&stream, &sizes, limits), &whole);
            prop_assert_eq!(&run(&stream, &[1], limits), &whole);
        }
    }
}
