//! JSON against an independent parser and the tests' slow oracle. The first byte of an input is the size of the chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mask::{Content, Withheld};
use serde::de::IgnoredAny;

#[path = "../common.rs"]
mod common;
#[path = "../../tests/masker/detect.rs"]
mod detect;
#[path = "../../tests/masker/document.rs"]
mod document;

fuzz_target!(|data: &[u8]| {
    let Some((size, input)) = data.split_first() else { return };
    if input.len() > common::MAX_INPUT {
        return;
    }
    let is_json = serde_json::from_slice::<IgnoredAny>(input);
    match common::masked(&common::plan(), Content::Json, input, usize::from(*size)) {
        Ok(output) => {
            assert!(!is_refused(&is_json), "the parser refuses what was masked");
            let input = std::str::from_utf8(input).expect("what is masked is UTF-8");
            let output = std::str::from_utf8(&output).expect("what comes out is UTF-8");
            let read = serde_json::from_str::<IgnoredAny>(output);
            assert!(!is_refused(&read), "what comes out is no JSON");
            // Other forms of the credential than the plain one are not the oracle's business.
            if !output.contains("[credential]") {
                document::assert_masked(input, output, Some(common::SECRET));
            }
        }
        Err(Withheld::InvalidJson { problem, .. }) if !problem.contains("surrogate") => {
            assert!(is_json.is_err(), "the parser accepts what was withheld: {problem}");
        }
        Err(_) => {}
    }
});

/// Whether the parser refuses a document for another reason than its depth.
fn is_refused(read: &serde_json::Result<IgnoredAny>) -> bool {
    read.as_ref().is_err_and(|e| !e.to_string().starts_with("recursion limit"))
}
