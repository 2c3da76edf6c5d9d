//! Request smuggling, over raw sockets: what two readers could read in two ways is refused with a problem document, and
//! none of it reaches the target. The caller is a worker who may send anything: only the form is wrong.

use crate::world::World;

/// What is sent in place of `HEAD`: the headers that make a request good.
fn request(world: &World, text: &str) -> Vec<u8> {
    let token = world.token("worker", &["workers"]);
    let good = format!("Host: gateway\r\nAuthorization: Bearer {token}\r\n");
    text.replace("GOOD", &good).replace("TOKEN", &token).into_bytes()
}

/// The statuses of the answers in what was received.
fn statuses(received: &str) -> Vec<&str> {
    let lines = received.split("HTTP/1.1 ").skip(1).map(|rest| rest.get(..3).unwrap_or_default());
    lines.filter(|status| status.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

/// Each is refused as a whole, and told so.
fn all_refused(cases: &[(&str, &str)]) {
    let world = World::new();
    for (why, text) in cases {
        let answer = world.gateway.raw(&request(&world, text));
        let answer = String::from_utf8_lossy(&answer);
        assert!(matches!(statuses(&answer)[..], ["400" | "413", ..]), "{why}: {answer:?}");
        assert!(answer.contains("application/problem+json"), "{why}: {answer:?}");
        assert_eq!(statuses(&answer).len(), 1, "{why}: nothing after it may be answered: {answer:?}");
        assert!(world.origin.seen().is_empty(), "{why}: {:?}", world.origin.seen());
    }
    let counted = world.refusals("not_understood") + world.refusals("too_large");
    assert_eq!(counted, cases.len() as u64, "every refusal is counted");
    assert_eq!(world.get("/after").status, 200, "others are served as before");
    world.close();
}

#[test]
fn a_body_with_two_lengths_is_refused() {
    let smuggled = "GET /t/api/smuggled HTTP/1.1\r\nGOOD\r\n";
    let with =
        |headers: &str, body: &str| format!("POST /t/api/x HTTP/1.1\r\nGOOD{headers}\r\n{body}{smuggled}");
    let cases = [
        ("CL.TE", with("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("TE.CL", with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\n")),
        ("TE.TE", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")),
        ("TE twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("TE: x", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        ("TE: list", with("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n")),
        ("TE: gzip", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        ("TE: quoted", with("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
        ("TE: space before the colon", with("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
        ("TE: vertical tab", with("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n")),
        ("TE: underscore", with("Transfer_Encoding: chunked\r\n", "0\r\n\r\n")),
        ("TE: folded", with("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        ("TE: after a bare LF", with("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("TE: after a bare CR", with("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("CL twice, different", with("Content-Length: 0\r\nContent-Length: 4\r\n", "")),
        ("CL twice, same", with("Content-Length: 0\r\nContent-Length: 0\r\n", "")),
        ("CL: list", with("Content-Length: 0, 0\r\n", "")),
        ("CL: plus", with("Content-Length: +0\r\n", "")),
        ("CL: minus", with("Content-Length: -1\r\n", "")),
        ("CL: hexadecimal", with("Content-Length: 0x0\r\n", "")),
        ("CL: space inside", with("Content-Length: 0 0\r\n", "")),
        ("CL: empty", with("Content-Length:\r\n", "")),
        ("CL: wraps", with("Content-Length: 18446744073709551616\r\n", "")),
        ("CL: underscore", with("Content_Length: 4\r\n", "")),
    ];
    let cases: Vec<_> = cases.iter().map(|(why, text)| (*why, text.as_str())).collect();
    all_refused(&cases);
}

#[test]
fn a_head_that_is_not_plain_is_refused() {
    all_refused(&[
        ("bare LF", "GET /t/api/x HTTP/1.1\nHost: a\n\n"),
        ("LF at the end of the head", "GET /t/api/x HTTP/1.1\r\nGOOD\n"),
        ("folded", "GET /t/api/x HTTP/1.1\r\nGOODX: a\r\n b\r\n\r\n"),
        ("folded by a tab", "GET /t/api/x HTTP/1.1\r\nGOODX: a\r\n\tb\r\n\r\n"),
        ("a first header that is indented", "GET /t/api/x HTTP/1.1\r\n X: a\r\nGOOD\r\n"),
        ("NUL in a name", "GET /t/api/x HTTP/1.1\r\nGOODX\0Y: a\r\n\r\n"),
        ("NUL in a value", "GET /t/api/x HTTP/1.1\r\nGOODX: a\0b\r\n\r\n"),
        ("space in a name", "GET /t/api/x HTTP/1.1\r\nGOODX Y: a\r\n\r\n"),
        ("space before a colon", "GET /t/api/x HTTP/1.1\r\nGOODX : a\r\n\r\n"),
        ("no name", "GET /t/api/x HTTP/1.1\r\nGOOD: a\r\n\r\n"),
        ("no colon", "GET /t/api/x HTTP/1.1\r\nGOODX\r\n\r\n"),
        ("beyond ASCII", "GET /t/api/x HTTP/1.1\r\nGOODX: é\r\n\r\n"),
        ("an empty line first", "\r\nGET /t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("two spaces", "GET  /t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("a tab", "GET\t/t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("a space in the target", "GET /t/api/x y HTTP/1.1\r\nGOOD\r\n"),
        ("no version", "GET /t/api/x\r\nGOOD\r\n"),
        ("HTTP/0.9", "GET /t/api/x\r\n\r\n"),
        ("HTTP/1.2", "GET /t/api/x HTTP/1.2\r\nGOOD\r\n"),
        ("HTTP/2.0", "GET /t/api/x HTTP/2.0\r\nGOOD\r\n"),
        ("http/1.1", "GET /t/api/x http/1.1\r\nGOOD\r\n"),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("HTTP/1.0 with chunks", "POST /t/api/x HTTP/1.0\r\nGOODTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("lower-case method", "get /t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("CONNECT", "CONNECT /t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("CONNECT to an authority", "CONNECT evil.example:443 HTTP/1.1\r\nGOOD\r\n"),
        ("TRACE", "TRACE /t/api/x HTTP/1.1\r\nGOOD\r\n"),
        ("no Host", "GET /t/api/x HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n"),
        ("Host twice", "GET /t/api/x HTTP/1.1\r\nGOODHost: other\r\n\r\n"),
        ("Host with a user", "GET /t/api/x HTTP/1.1\r\nHost: a@b\r\nAuthorization: Bearer TOKEN\r\n\r\n"),
        ("Host with a path", "GET /t/api/x HTTP/1.1\r\nHost: a/b\r\nAuthorization: Bearer TOKEN\r\n\r\n"),
        ("two tokens", "GET /t/api/x HTTP/1.1\r\nGOODAuthorization: Bearer TOKEN\r\n\r\n"),
    ]);
}

#[test]
fn a_header_that_asks_for_another_request_or_protocol_is_refused() {
    all_refused(&[
        (
            "Connection names the credential",
            "GET /t/api/x HTTP/1.1\r\nGOODConnection: close, x-api-key\r\n\r\n",
        ),
        ("Connection names the token", "GET /t/api/x HTTP/1.1\r\nGOODConnection: authorization\r\n\r\n"),
        ("Connection says both", "GET /t/api/x HTTP/1.1\r\nGOODConnection: close, keep-alive\r\n\r\n"),
        (
            "h2c",
            "GET /t/api/x HTTP/1.1\r\nGOODConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
        ),
        ("websocket", "GET /t/api/x HTTP/1.1\r\nGOODConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        ("Upgrade alone", "GET /t/api/x HTTP/1.1\r\nGOODUpgrade: h2c\r\n\r\n"),
        ("method override", "POST /t/api/x HTTP/1.1\r\nGOODX-HTTP-Method-Override: DELETE\r\n\r\n"),
        ("method override, short", "POST /t/api/x HTTP/1.1\r\nGOODX-Method-Override: DELETE\r\n\r\n"),
        (
            "method override, underscore",
            "POST /t/api/x HTTP/1.1\r\nGOODX_HTTP_Method_Override: DELETE\r\n\r\n",
        ),
        ("method override, query", "POST /t/api/x?_method=DELETE HTTP/1.1\r\nGOODConnection: close\r\n\r\n"),
        (
            "method override, encoded query",
            "POST /t/api/x?%5Fmethod=DELETE HTTP/1.1\r\nGOODConnection: close\r\n\r\n",
        ),
        ("Expect", "POST /t/api/x HTTP/1.1\r\nGOODExpect: 200-ok\r\nContent-Length: 1\r\n\r\na"),
        (
            "Trailer",
            "POST /t/api/x HTTP/1.1\r\nGOODTrailer: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
    ]);
}

#[test]
fn a_target_that_two_readers_split_in_two_ways_is_refused() {
    let targets = [
        "http://other.example/t/api/x",
        "https://gateway/t/api/x",
        "//t/api/x",
        "*",
        "t/api/x",
        "gateway:80",
        "/t/api/../../v1/calls",
        "/t/api/./x",
        "/t/api/%2e%2e/secret",
        "/t/api/%2E./secret",
        "/t/api/x/..",
        "/t/api/%252e%252e/secret",
        "/t/api/%25%32%65/secret",
        "/t/api/a;b=c/x",
        "/t/api/x;",
        "/t/api/a%3Bb",
        "/t/api/a\\b",
        "/t/api/a%5Cb",
        "/t/api/a%2Fb",
        "/t/api//x",
        "/t//api/x",
        "/t/api/%c0%ae%c0%ae/x",
        "/t/api/%e0%80%ae/x",
        "/t/api/%ff",
        "/t/api/a%00b",
        "/t/api/a%0d%0aX-Y:z",
        "/t/api/%zz",
        "/t/api/%2",
        "/t/api/x#fragment",
        "/t/api/x?a=1;b=2",
        "/t/api/x?=1",
        "/t/api/x?a=%2541",
        "/t/api/<script>",
        "/t/api/\"",
        "/%2e/t/api/x",
    ];
    let texts: Vec<_> = targets
        .iter()
        .map(|target| format!("GET {target} HTTP/1.1\r\nGOODConnection: close\r\n\r\n"))
        .collect();
    let cases: Vec<_> = targets.iter().zip(&texts).map(|(target, text)| (*target, text.as_str())).collect();
    all_refused(&cases);
}

#[test]
fn a_head_beyond_its_limits_is_refused_before_it_is_whole() {
    let long = "a".repeat(9 << 10);
    let many = "X: a\r\n".repeat(101);
    let big = format!("X: {}\r\n", "a".repeat(8 << 10)).repeat(4);
    let cases = [
        ("a long target", format!("GET /t/api/{long} HTTP/1.1\r\nGOOD\r\n")),
        ("a long target without an end", format!("GET /t/api/{long}")),
        ("a long query", format!("GET /t/api/x?{long} HTTP/1.1\r\nGOOD\r\n")),
        ("many headers", format!("GET /t/api/x HTTP/1.1\r\nGOOD{many}\r\n")),
        ("large headers", format!("GET /t/api/x HTTP/1.1\r\nGOOD{big}\r\n")),
    ];
    let cases: Vec<_> = cases.iter().map(|(why, text)| (*why, text.as_str())).collect();
    all_refused(&cases);
}

#[test]
fn a_chunk_that_does_not_end_where_it_says_ends_the_request() {
    let world = World::new();
    let bodies = [
        ("an extension", "1;a=b\r\na\r\n0\r\n\r\n"),
        ("an extension with a bare LF", "1;\n\r\na\r\n0\r\n\r\n"),
        ("a size that wraps", "10000000000000001\r\na\r\n0\r\n\r\n"),
        ("a size with a prefix", "0x1\r\na\r\n0\r\n\r\n"),
        ("a size with a sign", "+1\r\na\r\n0\r\n\r\n"),
        ("a size with a space", "1 \r\na\r\n0\r\n\r\n"),
        ("a bare LF after a size", "1\na\r\n0\r\n\r\n"),
        ("a chunk that is too long", "1\r\nab\r\n0\r\n\r\n"),
        ("a trailer", "0\r\nX-Api-Key: mine\r\n\r\n"),
        ("no end", "1\r\na\r\n0\r\nGET /t/api/smuggled HTTP/1.1\r\n\r\n"),
    ];
    for (why, body) in bodies {
        let text = format!("POST /t/api/chunks HTTP/1.1\r\nGOODTransfer-Encoding: chunked\r\n\r\n{body}");
        let answer = world.gateway.raw(&request(&world, &text));
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains("HTTP/1.1 2"), "{why}: {answer:?}");
        assert!(statuses(&answer).len() <= 1, "{why}: {answer:?}");
    }
    let seen = world.origin.seen();
    assert!(seen.len() <= bodies.len(), "one request each at most: {seen:?}");
    assert!(seen.iter().all(|seen| seen.path() == "/chunks"), "{seen:?}");
    assert!(seen.iter().all(|seen| seen.all("x-api-key").len() == 1), "{seen:?}");
    world.close();
}

#[test]
fn requests_in_one_packet_are_each_identified_decided_and_answered_in_order() {
    let world = World::answering(|seen| crate::origin::answer(200, "text/plain", seen.path()));
    let text = "GET /t/api/one HTTP/1.1\r\nGOOD\r\n\
        POST /t/api/two HTTP/1.1\r\nGOODContent-Length: 33\r\n\r\nGET /t/api/hidden HTTP/1.1\r\nGOO\r\n\
        GET /t/api/three HTTP/1.1\r\nHost: gateway\r\n\r\n\
        GET /t/api/four HTTP/1.1\r\nGOODConnection: close\r\n\r\n";
    let answer = world.gateway.raw(&request(&world, text));
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(statuses(&answer), ["200", "200", "401", "200"], "{answer}");
    let paths: Vec<_> = world.origin.seen().iter().map(|seen| seen.path().to_owned()).collect();
    assert_eq!(paths, ["/one", "/two", "/four"]);
    assert_eq!(world.origin.seen()[1].body, b"GET /t/api/hidden HTTP/1.1\r\nGOO\r\n");
    world.close();
}

#[test]
fn nothing_behind_a_refused_request_is_read() {
    let world = World::new();
    let text = "GET /t/api/one HTTP/1.1\r\nGOOD\r\nGET /t/api/two HTTP/1.1\r\nGOODX : y\r\n\r\nGET /t/api/three HTTP/1.1\r\nGOOD\r\n";
    let answer = world.gateway.raw(&request(&world, text));
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
    assert_eq!(world.origin.only().path(), "/one");
    world.close();
}

#[test]
fn a_path_is_sent_in_the_one_form_that_was_decided_on() {
    let world = World::new();
    for (given, sent) in [
        ("/t/api", "/"),
        ("/t/api/", "/"),
        ("/t/%61pi/%7euser", "/~user"),
        ("/t/api/%e2%82%ac?q=a+b&r=%2b", "/%E2%82%AC?q=a%20b&r=%2B"),
        ("/t/api/A/b/", "/A/b/"),
        ("/t/api/x?", "/x"),
        ("/t/api/x?a[]=1", "/x?a%5B%5D=1"),
    ] {
        let text = format!("GET {given} HTTP/1.1\r\nGOODConnection: close\r\n\r\n");
        let answer = world.gateway.raw(&request(&world, &text));
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{given}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(world.origin.seen().last().unwrap().target, sent, "{given}");
    }
    world.close();
}
