//! Constant memory, whatever comes.

use mask::{Content, MAX_HELD, Masker};

use crate::{SECRET, plan};

/// Pushes `chunk` until `total` bytes have passed, and asserts that what is held back stays bounded.
fn flood(content: Content, begin: &[u8], chunk: &[u8], total: usize) -> Masker {
    let mut masker = Masker::new(plan(), content);
    let mut out = Vec::new();
    masker.push(begin, &mut out).unwrap();
    let limit = MAX_HELD + SECRET.len() * 12;
    for _ in 0..total / chunk.len() {
        out.clear();
        masker.push(chunk, &mut out).unwrap();
        assert!(masker.held() <= limit, "{} bytes are held back", masker.held());
    }
    masker
}

const TOTAL: usize = 50_000_000;

#[test]
fn a_string_of_fifty_megabytes_is_not_held_back() {
    for chunk in ["x".repeat(8191), "alice@".repeat(1300), "4111 1111 ".repeat(800), "\\u0040é".repeat(1000)]
    {
        let mut masker = flood(Content::Json, b"{\"a\":\"", chunk.as_bytes(), TOTAL / 10);
        assert!(masker.held() < 16 * 1024, "{} bytes are held back", masker.held());
        masker.push(b"\"}", &mut Vec::new()).unwrap();
        assert_eq!(masker.held(), 0);
        masker.finish(&mut Vec::new()).unwrap();
    }
    flood(Content::Json, b"\"", "abcdefgh".repeat(8192).as_bytes(), TOTAL);
}

#[test]
fn a_long_key_or_number_or_line_is_not_held_back() {
    flood(Content::Json, b"{\"", "k".repeat(4096).as_bytes(), TOTAL / 10);
    flood(Content::Json, b"1", "0".repeat(4096).as_bytes(), TOTAL / 10);
    flood(Content::Json, b"[", " ".repeat(4096).as_bytes(), TOTAL / 10);
    flood(Content::Text, b"", "no-line-break".repeat(300).as_bytes(), TOTAL / 10);
    flood(Content::Text, b"", "a@b.co@".repeat(600).as_bytes(), TOTAL / 10);
    flood(Content::Text, b"", "1".repeat(4096).as_bytes(), TOTAL / 10);
    flood(Content::EventStream, b"data: ", "no line break ".repeat(300).as_bytes(), TOTAL / 10);
    flood(Content::EventStream, b"data: {\"a\":\"", "\\n line ".repeat(500).as_bytes(), TOTAL / 10);
    flood(Content::Opaque, b"", &[0xff; 4096], TOTAL / 10);
}

#[test]
fn a_number_too_long_to_be_looked_at_is_masked() {
    let mut masker = Masker::new(plan(), Content::Json);
    let mut out = Vec::new();
    masker.push(b"[", &mut out).unwrap();
    masker.push("7".repeat(1000).as_bytes(), &mut out).unwrap();
    masker.push(b"]", &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    assert_eq!(out, b"[null]");
}
