//! Which header goes where, by table.

use std::fmt::Write as _;

use gate::model::{Address, Scheme, Verb};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::url::Normal;

fn map(lines: &[(&str, &str)]) -> HeaderMap {
    lines.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
        headers
    })
}

fn sent_for(lines: &[(&str, &str)], removed: &[&'static str]) -> String {
    let removed: Vec<_> = removed.iter().map(|name| HeaderName::from_static(name)).collect();
    listed(&to_target(&map(lines), &HeaderValue::from_static("crm.example"), &removed))
}

fn listed(headers: &HeaderMap) -> String {
    headers.iter().fold(String::new(), |mut all, (name, value)| {
        writeln!(all, "{name}: {}", value.to_str().unwrap()).unwrap();
        all
    })
}

const ONLY_OURS: &str = "host: crm.example\naccept-encoding: identity\n";

#[test]
fn what_the_caller_means_for_the_target_is_sent() {
    let lines = [
        ("Host", "gateway.example"),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "k1"),
        ("traceparent", "00-1-2-01"),
        ("If-None-Match", "\"1\""),
        ("X-Custom", "a"),
        ("x-custom", "b"),
        ("api_key", "v"),
        ("Accept-Encoding", "gzip"),
    ];
    assert_snapshot!(sent_for(&lines, &[]), @r#"
    host: crm.example
    accept: application/json
    content-type: application/json
    idempotency-key: k1
    traceparent: 00-1-2-01
    if-none-match: "1"
    x-custom: a
    x-custom: b
    api_key: v
    accept-encoding: identity
    "#);
}

#[test]
fn nothing_is_sent_that_speaks_for_the_caller_or_its_connection() {
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-user",
        "X_Forwarded_For",
        "x-real-ip",
        "X_Real_IP",
        "remote_user",
        "x-auth-request-email",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "content-length",
        "content_length",
        "upgrade",
        "http2-settings",
        "expect",
        "host",
        "prefer",
        "referer",
        "a-im",
    ] {
        assert_eq!(sent_for(&[(name, "x")], &[]), ONLY_OURS, "{name}");
    }
}

#[test]
fn no_header_of_the_caller_stands_in_the_credentials_place() {
    for name in ["x-api-key", "X-API-Key", "x_api_key", "X-Api_Key"] {
        assert_eq!(sent_for(&[(name, "x")], &["x-api-key"]), ONLY_OURS, "{name}");
        assert_eq!(sent_for(&[(name, "x")], &["x_api_key"]), ONLY_OURS, "{name}, injected with `_`");
    }
}

#[test]
fn what_connection_names_is_not_sent() {
    let lines = [("connection", "close, X-Secret"), ("x-secret", "a"), ("x_secret", "b")];
    assert_eq!(sent_for(&lines, &[]), ONLY_OURS);
}

#[test]
fn a_masked_answer_is_never_partial_or_conditional() {
    let conditions =
        ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
    let lines: Vec<_> = conditions.iter().map(|name| (*name, "x")).collect();
    let mut sent = map(&lines);
    for_masked_answer(&mut sent, Verb::Read).unwrap();
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn a_change_never_loses_the_condition_that_protects_it() {
    for name in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"] {
        for verb in [Verb::Write, Verb::Delete, Verb::Execute] {
            assert_eq!(for_masked_answer(&mut map(&[(name, "x")]), verb), Err(PreconditionUnderMask(name)));
        }
    }
    assert_eq!(for_masked_answer(&mut map(&[("range", "bytes=0-1")]), Verb::Write), Ok(()));
}

#[test]
fn signed_headers_are_those_that_mean_something() {
    let mut headers =
        map(&[("accept", "a"), ("x", "1"), ("x", "2"), ("user-agent", "u"), ("prefer", "wait=1")]);
    for name in
        ["idempotency-key", "tracestate", "baggage", "x-stainless-os", "X_Stainless_Lang", "x-request-id"]
    {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("v"));
    }
    assert_eq!(signed_headers(&headers), json!({ "accept": "a", "x": ["1", "2"] }));
    assert!(is_volatile_header(&HeaderName::from_static("x-stainless-retry-count")));
    let raw = |byte| {
        HeaderMap::from_iter([(HeaderName::from_static("x"), HeaderValue::from_bytes(&[byte]).unwrap())])
    };
    assert_ne!(signed_headers(&raw(0xe9)), signed_headers(&raw(0xe8)), "bytes beyond ASCII are covered too");
}

fn mount() -> Mount<'static> {
    let address = Address::new(Scheme::Tls, "crm.example", 443).unwrap();
    Mount::new("/t/crm", "/v2", &address, &Normal::parse("/a/b?c").unwrap())
}

fn shown(lines: &[(&str, &str)], masked: bool) -> String {
    let shown = to_caller(&map(lines), &mount(), masked);
    let (kept, ours) = shown.split_at(shown.len() - 3);
    assert_eq!(ours.len(), 3);
    kept.iter().fold(String::new(), |mut all, shown| {
        let (kind, name, value) = match shown {
            Shown::Structure(name, value) => ("structure", name, value),
            Shown::Text(name, value) => ("text", name, value),
        };
        writeln!(all, "{kind} {name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
        all
    })
}

#[test]
fn an_answers_headers_are_structure_or_text() {
    let lines = [
        ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("date", "4111 1111 1111 1111"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Type", "application/json; name=alice@example.com"),
        ("Content-Length", "12"),
        ("Content-Length", "4111111111111111"),
        ("Retry-After", "30"),
        ("Retry-After", "4111111111111111"),
        ("Allow", "GET, POST"),
        ("Allow", "ALICE"),
        ("ETag", "\"1\""),
        ("Accept-Ranges", "bytes"),
        ("X-Total-Count", "7"),
    ];
    assert_snapshot!(shown(&lines, false), @r#"
    structure date: Sun, 06 Nov 1994 08:49:37 GMT
    text date: 4111 1111 1111 1111
    structure content-type: application/json; charset=utf-8
    text content-type: application/json; name=alice@example.com
    structure content-length: 12
    text content-length: 4111111111111111
    structure retry-after: 30
    text retry-after: 4111111111111111
    structure allow: GET, POST
    text allow: ALICE
    text etag: "1"
    structure accept-ranges: bytes
    text x-total-count: 7
    "#);
}

#[test]
fn a_masked_answer_says_nothing_of_the_bytes_before_the_mask() {
    for name in [
        "ETag",
        "Last-Modified",
        "Content-Length",
        "Accept-Ranges",
        "Content-Range",
        "Digest",
        "Content-MD5",
        "Repr-Digest",
        "Content-Digest",
        "Signature",
        "Signature-Input",
        "X-Amz-Checksum-Sha256",
        "x-goog-hash",
        "X-Content_SHA256",
    ] {
        assert_eq!(shown(&[(name, "1")], true), "", "{name}");
    }
}

#[test]
fn no_target_speaks_for_the_gateway_or_leads_around_it() {
    for (name, value) in [
        ("Set-Cookie", "a=b"),
        ("Set_Cookie", "a=b"),
        ("Strict-Transport-Security", "max-age=0"),
        ("Clear-Site-Data", "*"),
        ("Service-Worker-Allowed", "/"),
        ("Alt-Svc", "h3=\":443\""),
        ("Refresh", "0;url=http://b.example"),
        ("X-Accel-Redirect", "/internal"),
        ("X-Sendfile", "/etc/passwd"),
        ("WWW-Authenticate", "Basic"),
        ("Proxy-Authenticate", "Basic"),
        ("Cache-Control", "public, max-age=99"),
        ("Vary", "*"),
        ("Content-Encoding", "identity"),
        ("Transfer-Encoding", "chunked"),
        ("Keep-Alive", "timeout=5"),
        ("Trailer", "X"),
        ("Upgrade", "h2c"),
    ] {
        assert_eq!(shown(&[(name, value)], false), "", "{name}");
    }
    assert_eq!(shown(&[("connection", "x-a"), ("x-a", "1"), ("x_a", "2")], false), "");
}

#[test]
fn no_cache_answers_in_the_gateways_place_and_no_script_runs_at_its_origin() {
    let ours: Vec<_> = to_caller(&HeaderMap::new(), &mount(), false)
        .into_iter()
        .map(|shown| match shown {
            Shown::Structure(name, value) => format!("{name}: {}", value.to_str().unwrap()),
            Shown::Text(name, _) => panic!("`{name}` is the gateway's own"),
        })
        .collect();
    assert_eq!(
        ours,
        ["cache-control: no-store", "x-content-type-options: nosniff", "content-security-policy: sandbox"]
    );
}

#[test]
fn references_to_the_target_lead_through_the_gateway() {
    for (given, expected) in [
        ("https://crm.example/v2/c?d#e", Some("/t/crm/c?d#e")),
        ("https://crm.example:443/v2/c", Some("/t/crm/c")),
        ("HTTPS://CRM.EXAMPLE/v2", Some("/t/crm/")),
        ("http://crm.example/v2/c", Some("/t/crm/c")),
        ("//crm.example/v2/c", Some("/t/crm/c")),
        ("/v2/c", Some("/t/crm/c")),
        ("c", Some("/t/crm/a/c")),
        ("?x=y", Some("/t/crm/a/b?x=y")),
        // What a mask must find in it is not respelt.
        ("?x=a+b%20%2B", Some("/t/crm/a/b?x=a+b%20%2B")),
        ("../c", Some("/t/crm/c")),
        ("../../../../v2/c", Some("/t/crm/c")),
        ("https://user:secret@crm.example/v2/c", Some("/t/crm/c")),
        ("/v2/%61lice", Some("/t/crm/alice")),
        ("\\\\crm.example\\v2\\c", Some("/t/crm/c")),
        // To elsewhere, in full.
        ("/v2x/c", Some("https://crm.example/v2x/c")),
        ("/other", Some("https://crm.example/other")),
        ("https://crm.example:8443/v2/c", Some("https://crm.example:8443/v2/c")),
        ("https://b.example/v2/c", Some("https://b.example/v2/c")),
        ("//b.example", Some("https://b.example/")),
        ("/\\b.example", Some("https://b.example/")),
        ("https://crm.example@b.example/", Some("https://b.example/")),
        ("https://user:secret@b.example/", Some("https://b.example/")),
        ("https://crm.example.b.example/", Some("https://crm.example.b.example/")),
        // To nowhere that the gateway would go.
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("/v2//c", None),
        ("/v2/c;d", None),
        ("/v2/%2e%2e%2fv1", None),
        ("https://[", None),
        ("///b.example", None),
    ] {
        let expected = expected.map(|to| format!("text location: {to}\n")).unwrap_or_default();
        assert_eq!(shown(&[("Location", given)], true), expected, "{given}");
    }
    assert_eq!(shown(&[("Location", "/v2/a"), ("Location", "/v2/b")], true), "", "two of them");
    assert_eq!(shown(&[("Content-Location", "/v2/a")], true), "text content-location: /t/crm/a\n");
}

#[test]
fn a_target_with_a_host_name_of_its_own_cannot_name_another_host_by_its_path() {
    let address = Address::new(Scheme::Plain, "::1", 8080).unwrap();
    let mount = Mount::new("", "", &address, &Normal::parse("/a").unwrap());
    assert_eq!(mount.rewrite("/.//b.example").as_deref(), None);
    assert_eq!(mount.rewrite("http://[::1]:8080/b").as_deref(), Some("/b"));
    assert_eq!(mount.rewrite("http://[::1]:8081/b").as_deref(), Some("http://[::1]:8081/b"));
}

#[test]
fn links_lead_through_the_gateway() {
    for (given, expected) in [
        ("</v2/a?page=2>; rel=\"next\"", Some("</t/crm/a?page=2>; rel=\"next\"")),
        (
            "<https://crm.example/v2/a>;rel=next,<https://b.example/>; title=\"a, <b>\"",
            Some("</t/crm/a>;rel=next, <https://b.example/>; title=\"a, <b>\""),
        ),
        ("</v2/a>; title=\"\\\",</v2/b>\"", Some("</t/crm/a>; title=\"\\\",</v2/b>\"")),
        ("</v2/a> </v2/b>", None),
        ("</v2/a>; title=\"open, </v2/b>", None),
        ("<javascript:1>", None),
        ("/v2/a", None),
        ("", None),
    ] {
        let expected = expected.map(|links| format!("text link: {links}\n")).unwrap_or_default();
        assert_eq!(shown(&[("Link", given)], true), expected, "{given}");
    }
}

#[test]
fn a_value_that_no_mask_can_search_is_left_out() {
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("x"), HeaderValue::from_bytes(b"\xff").unwrap())]);
    assert_eq!(to_caller(&headers, &mount(), true).len(), 3);
}

#[test]
fn every_reading_of_a_header_is_searched() {
    let readings =
        |value| other_readings(&HeaderName::from_static("location"), &HeaderValue::from_static(value));
    assert_eq!(readings("/a"), ["location"]);
    assert_eq!(readings("/alice%40example.com?a=4111+1111"), ["location", "/alice@example.com?a=4111 1111"]);
}

#[test]
fn no_value_splits_an_answer() {
    for reference in
        ["/v2/a%0d%0aSet-Cookie:%20b", "/v2/a?b=%0d%0aSet-Cookie:%20b", "/v2/a\tb", "https://b/%0d%0a"]
    {
        for shown in to_caller(&map(&[("Location", reference)]), &mount(), true) {
            let (Shown::Structure(_, value) | Shown::Text(_, value)) = shown;
            assert!(value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)), "{value:?}");
        }
    }
}

#[test]
fn answers_that_nobody_asked_for_are_withheld() {
    let none: &[(&str, &str)] = &[];
    let cases = [
        (200, none, none, None),
        (206, none, none, Some(Withheld::Unasked)),
        (206, none, &[("range", "bytes=0-1")], None),
        (304, none, none, Some(Withheld::Unasked)),
        (304, none, &[("if-none-match", "\"1\"")], None),
        (226, none, none, Some(Withheld::Unasked)),
        (101, none, none, Some(Withheld::Switched)),
        (200, &[("content-encoding", "identity")], none, None),
        (200, &[("content-encoding", "gzip")], none, Some(Withheld::Encoded)),
        (200, &[("content-encoding", "identity, br")], none, Some(Withheld::Encoded)),
        (200, &[("content-encoding", "identity"), ("content-encoding", "br")], none, Some(Withheld::Encoded)),
        (500, &[("content-encoding", "gzip")], none, Some(Withheld::Encoded)),
        (200, &[("transfer-encoding", "chunked")], none, None),
        (200, &[("transfer-encoding", "gzip, chunked")], none, Some(Withheld::Encoded)),
        (200, &[("content-type", "a/b"), ("content-type", "a/b")], none, Some(Withheld::TwoTypes)),
    ];
    for (status, answer, sent, expected) in cases {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(withheld(status, &map(answer), &map(sent)), expected, "{status} {answer:?} {sent:?}");
    }
}

#[test]
fn only_types_that_can_be_searched_are_read() {
    for (given, expected) in [
        ("application/json", Content::Json),
        ("Application/JSON; Charset=UTF-8", Content::Json),
        ("application/json;charset=\"utf-8\"", Content::Json),
        ("application/json; version=1", Content::Json),
        ("text/json", Content::Json),
        ("application/problem+json", Content::Json),
        ("application/vnd.api+json; charset=us-ascii", Content::Json),
        ("text/plain", Content::Text),
        ("text/plain; charset=utf-8;", Content::Text),
        ("text/event-stream", Content::EventStream),
        ("application/json; charset=utf-16", Content::Other),
        ("application/json; charset=utf-7", Content::Other),
        ("application/json; charset=utf-8; charset=utf-16", Content::Other),
        ("application/json; charset =utf-16", Content::Other),
        ("application/json; x", Content::Other),
        ("application/json, text/html", Content::Other),
        ("text/plain; charset=iso-8859-1", Content::Other),
        ("application/jsonp", Content::Other),
        ("application/x-ndjson", Content::Other),
        ("application/+json", Content::Other),
        ("+json", Content::Other),
        ("a b/c+json", Content::Other),
        ("text/html", Content::Other),
        ("text/csv", Content::Other),
        ("application/xml", Content::Other),
        ("", Content::Other),
    ] {
        assert_eq!(content_of(&map(&[("content-type", given)])), expected, "{given}");
    }
    assert_eq!(content_of(&HeaderMap::new()), Content::Other);
    let two = [("content-type", "text/plain"), ("content-type", "text/plain")];
    assert_eq!(content_of(&map(&two)), Content::Other);
}
