//! How many megabytes a second one core masks: `cargo bench -p countersign-mask`. Each row is the median of five passes over 100 MB
//! in chunks of 16 KiB; `memcpy` is the baseline of the same run. On Linux it counts the time that the process was on a processor, so
//! that a busy machine does not distort it; elsewhere the time on the wall.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it is a program that prints a table")]

use std::sync::Arc;
use std::time::Instant;

use mask::{Content, FieldRule, Masker, Needles, Plan, Pointer, Replace, detectors};

const TOTAL: usize = 100_000_000;
const CHUNK: usize = 16 * 1024;

fn main() {
    let needles = Needles::new(&[b"sk_live_51HxQ2eKZvYlo2C0Qm9Xr7Lr"]).unwrap();
    let field = FieldRule {
        pointer: Pointer::parse("/*/name").unwrap(),
        class: "name".into(),
        replace: Replace::Redact,
    };
    let plan = Arc::new(Plan::new(detectors().to_vec(), vec![field], Arc::new(needles)));
    let sparse = "The quick brown fox jumps over the lazy dog, then the dog sleeps until nightfall and dreams of foxes. ";
    let log = "2026-11-24T15:25:48Z INFO request 8f14e45f served in 12 ms, 3 rows, status 200, region eu-central-1\n";
    let row = "Alice Example,alice@example.com,4111 1111 1111 1111,+1 415-555-2671,123-45-6789,DE89370400440532013000\n";
    let record = r#"{"id":1042,"name":"Alice Example","email":"alice@example.com","city":"Springfield","card":4111111111111111,"active":true},"#;
    let plain = r#"{"id":1042,"title":"The quick brown fox","body":"jumps over the lazy dog and sleeps until nightfall","tags":["a","b"]},"#;
    let prose = repeat("", &[sparse; 19].concat(), "");
    row_of("memcpy", &prose, |input, out| out.extend_from_slice(input));
    let sparse_text = repeat("", &([sparse; 100].concat() + "mail alice@example.com\n"), "");
    for (name, content, input) in [
        ("text, sparse", Content::Text, sparse_text),
        ("text, log lines", Content::Text, repeat("", log, "")),
        ("text, dense records", Content::Text, repeat("", row, "")),
        ("json, nothing to mask", Content::Json, repeat("[", plain, "0]")),
        ("json, dense records", Content::Json, repeat("[", record, "0]")),
        (
            "events, json data",
            Content::EventStream,
            repeat("", &format!("data: {}\n\n", plain.trim_end_matches(',')), ""),
        ),
        ("opaque", Content::Opaque, prose),
    ] {
        row_of(name, &input, |input, out| {
            let mut masker = Masker::new(Arc::clone(&plan), content);
            for chunk in input.chunks(CHUNK) {
                out.clear();
                masker.push(chunk, out).unwrap();
            }
            masker.finish(out).unwrap();
        });
    }
}

fn repeat(begin: &str, unit: &str, end: &str) -> Vec<u8> {
    format!("{begin}{}{end}", unit.repeat(TOTAL / unit.len())).into_bytes()
}

fn row_of(name: &str, input: &[u8], pass: impl Fn(&[u8], &mut Vec<u8>)) {
    let mut out = Vec::with_capacity(input.len());
    let mut seconds: Vec<f64> = (0..5)
        .map(|_| {
            out.clear();
            let (begin, wall) = (on_processor(), Instant::now());
            pass(input, &mut out);
            match (begin, on_processor()) {
                (Some(begin), Some(end)) => end - begin,
                _ => wall.elapsed().as_secs_f64(),
            }
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(2).copied().unwrap_or(f64::NAN);
    println!("{name:24} {:7.0} MB/s", input.len() as f64 / 1e6 / median);
}

/// Seconds that this process has been on a processor.
fn on_processor() -> Option<f64> {
    let nanoseconds: f64 =
        std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
