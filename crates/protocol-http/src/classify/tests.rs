//! Requests and the calls that they are, in full.

use std::fmt::Write as _;

use gate::model::{Address, CallId, Digest, RefusalKind, Scheme, TargetName, TlsIdentity};
use http::{HeaderMap, HeaderValue, Method};
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;

use super::*;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
        headers.append(*name, HeaderValue::from_static(value));
        headers
    })
}

fn classified(method: &str, url: &str, lines: &[(&'static str, &'static str)], body: Option<&[u8]>) -> Call {
    let request = Request {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        url: &Normal::parse(url).unwrap(),
        base: "/v2",
        headers: &headers(lines),
        body,
    };
    call(CallId::new(), &TargetName::parse("crm").unwrap(), &request)
}

fn read() -> Call {
    let lines = [("host", "crm.example"), ("user-agent", "x/1"), ("accept", "a/b"), ("accept", "c/d")];
    classified("GET", "/customers/a%40b?expand=card&expand=&q=x+y", &lines, Some(b""))
}

#[test]
fn policies_read_what_is_decoded() {
    let call = read();
    assert_json_snapshot!(json!([call.accesses, call.context]), @r#"
    [
      [
        {
          "action": "http.get",
          "verb": "read",
          "resource": {
            "kind": "target",
            "id": "crm"
          }
        }
      ],
      {
        "method": {
          "string": "GET"
        },
        "path": {
          "string": "/customers/a@b"
        },
        "query": {
          "tags": {
            "expand": {
              "set": [
                {
                  "string": ""
                },
                {
                  "string": "card"
                }
              ]
            },
            "q": {
              "set": [
                {
                  "string": "x y"
                }
              ]
            }
          }
        }
      }
    ]
    "#);
}

#[test]
fn records_hold_what_is_decoded() {
    let call = read();
    assert_json_snapshot!(json!([call.sentence, call.heads]), @r#"
    [
      "GET /customers/a@b?expand=card&expand&q=x y",
      {
        "method": "GET",
        "path": "/customers/a@b",
        "query": {
          "expand": [
            "card",
            ""
          ],
          "q": [
            "x y"
          ]
        },
        "headers": {
          "accept": [
            "a/b",
            "c/d"
          ],
          "host": "crm.example",
          "user-agent": "x/1"
        }
      }
    ]
    "#);
}

#[test]
fn signatures_cover_what_is_spelled() {
    let sent = read().sent.unwrap();
    assert_json_snapshot!(json!([sent.arguments, sent.head, hex(&sent.body_sha256)]), @r#"
    [
      null,
      {
        "method": "GET",
        "target": "/v2/customers/a%40b?expand=card&expand=&q=x%20y",
        "headers": {
          "accept": [
            "a/b",
            "c/d"
          ],
          "host": "crm.example"
        }
      },
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    ]
    "#);
}

#[test]
fn a_write_is_classified() {
    let lines =
        [("content-type", "application/json"), ("idempotency-key", "k"), ("traceparent", "00-1-2-00")];
    let call = classified("POST", "/payments", &lines, Some(b"{}"));
    assert_eq!(call.verb(), Verb::Write);
    assert_json_snapshot!(json!([call.accesses, call.sentence, call.sent.unwrap().head]), @r#"
    [
      [
        {
          "action": "http.post",
          "verb": "write",
          "resource": {
            "kind": "target",
            "id": "crm"
          }
        }
      ],
      "POST /payments",
      {
        "method": "POST",
        "target": "/v2/payments",
        "headers": {
          "content-type": "application/json"
        }
      }
    ]
    "#);
}

#[test]
fn a_body_that_streams_cannot_be_signed_for() {
    assert_eq!(classified("PUT", "/a", &[], None).sent, None);
}

#[test]
fn every_method_has_an_action() {
    let mut all = String::new();
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "M-SEARCH", "get"]
    {
        let call = classified(method, "/", &[], None);
        let access = &call.accesses.as_slice()[0];
        writeln!(all, "{method}: {} ({}) on {}", access.action, access.verb, access.resource).unwrap();
    }
    assert_snapshot!(all, @r#"
    GET: http.get (read) on Target::"crm"
    HEAD: http.head (read) on Target::"crm"
    OPTIONS: http.options (read) on Target::"crm"
    POST: http.post (write) on Target::"crm"
    PUT: http.put (write) on Target::"crm"
    PATCH: http.patch (write) on Target::"crm"
    DELETE: http.delete (delete) on Target::"crm"
    PROPFIND: http.other (execute) on Target::"crm"
    M-SEARCH: http.other (execute) on Target::"crm"
    get: http.other (execute) on Target::"crm"
    "#);
}

#[test]
fn every_action_declares_the_context_that_calls_have() {
    let declared = actions();
    assert_eq!(declared.len(), 8);
    for (action, verb, shape) in &declared {
        let method = action.as_str().trim_start_matches("http.").to_ascii_uppercase();
        let call = classified(&method, "/a?b=c", &[], None);
        assert_eq!((&call.accesses.as_slice()[0].action, call.verb()), (action, *verb));
        assert_eq!(call.context.keys().collect::<Vec<_>>(), shape.keys().collect::<Vec<_>>());
    }
}

#[test]
fn sentences_show_what_is_data_and_what_is_syntax() {
    let mut all = String::new();
    for url in [
        "/",
        "/customers/alice%40example.com/",
        "/a?card=4111+1111+1111+1111&iban=DE89%203704",
        "/a?b=1%26admin%3Dtrue",
        "/a%3Fb=c",
        "/a?next=%2Fb%3Fc&flag",
        "/a?q=x%0Ay%E2%80%AEz",
        "/caf%C3%A9?name=%E5%B1%B1",
    ] {
        writeln!(all, "{}", sentence(&Method::GET, &Normal::parse(url).unwrap())).unwrap();
    }
    assert_snapshot!(all, @r#"
    GET /
    GET /customers/alice@example.com/
    GET /a?card=4111 1111 1111 1111&iban=DE89 3704
    GET /a?b=1%26admin=true
    GET /a%3Fb%3Dc
    GET /a?next=/b%3Fc&flag
    GET /a?q=x%0Ay%E2%80%AEz
    GET /café?name=山
    "#);
}

#[test]
fn a_long_sentence_is_cut_between_characters() {
    for length in 0..4 {
        let url = format!("/{}{}", "a".repeat(length), "%C3%A9".repeat(400));
        let sentence = sentence(&Method::GET, &Normal::parse(&url).unwrap());
        assert!(
            sentence.len() <= MAX_SENTENCE && sentence.len() > MAX_SENTENCE - 4 && sentence.ends_with('…')
        );
    }
}

#[test]
fn a_signature_covers_what_is_sent_and_nothing_that_differs_between_tries() {
    let digest = |method: &str, url: &str, lines: &[(&'static str, &'static str)], body: &[u8]| {
        let address = Address::new(Scheme::Tls, "crm.example", 443).unwrap();
        Digest::of(&[classified(method, url, lines, Some(body))], &address, &TlsIdentity::None)
            .unwrap()
            .unwrap()
    };
    let signed = digest("POST", "/a?b=c", &[("content-type", "a/b")], b"x");
    let volatile = [
        ("content-type", "a/b"),
        ("user-agent", "y"),
        ("X-Stainless-Retry-Count", "1"),
        ("prefer", "wait=1"),
    ];
    assert_eq!(digest("POST", "/%61?b=c", &volatile, b"x"), signed);
    for (what, other) in [
        ("method", digest("PUT", "/a?b=c", &[("content-type", "a/b")], b"x")),
        ("path", digest("POST", "/A?b=c", &[("content-type", "a/b")], b"x")),
        ("spelling", digest("POST", "/a?b=%2Cc", &[("content-type", "a/b")], b"x")),
        ("header", digest("POST", "/a?b=c", &[("content-type", "a/c")], b"x")),
        ("another header", digest("POST", "/a?b=c", &[("content-type", "a/b"), ("x", "y")], b"x")),
        ("body", digest("POST", "/a?b=c", &[("content-type", "a/b")], b"y")),
    ] {
        assert_ne!(other, signed, "{what}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_its_kind() {
    assert_eq!(Refusal::from(BadRequest::HeadTooLong).kind, RefusalKind::TooLarge);
    assert_eq!(Refusal::from(BadRequest::TwoLengths).kind, RefusalKind::NotUnderstood);
    assert_eq!(Refusal::from(BadUrl::TooLong).kind, RefusalKind::TooLarge);
    assert_eq!(Refusal::from(BadUrl::DotSegment).kind, RefusalKind::NotUnderstood);
    assert_eq!(Refusal::from(PreconditionUnderMask("if-match")).kind, RefusalKind::Denied);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
