//! Text against the tests' slow oracle, line by line; events and opaque bytes under any chunking. The first byte of an input is
//! the size of the chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mask::{Content, Withheld};

#[path = "../common.rs"]
mod common;
#[path = "../../tests/masker/detect.rs"]
mod detect;

fuzz_target!(|data: &[u8]| {
    let Some((size, input)) = data.split_first() else { return };
    if input.len() > common::MAX_INPUT {
        return;
    }
    let (plan, size) = (common::plan(), usize::from(*size));
    let _ = common::masked(&plan, Content::EventStream, input, size);
    let _ = common::masked(&plan, Content::Opaque, input, size);
    let output = common::masked(&plan, Content::Text, input, size);
    let Ok(text) = std::str::from_utf8(input) else {
        assert!(matches!(output, Err(Withheld::InvalidUtf8 { .. } | Withheld::Nul { .. })));
        return;
    };
    // Other forms of the credential than the plain one are not the oracle's business.
    match output {
        Ok(output) if !output.windows(12).any(|w| w == b"[credential]") => {
            assert_eq!(String::from_utf8_lossy(&output), oracle(text));
        }
        Ok(_) => {}
        Err(error) => assert!(matches!(error, Withheld::Nul { .. }) && text.contains('\0')),
    }
});

fn oracle(text: &str) -> String {
    text.split_inclusive(['\n', '\r'])
        .map(|line| {
            let content = line.trim_end_matches(['\n', '\r']);
            detect::mask(content, Some(common::SECRET)) + &line[content.len()..]
        })
        .collect()
}
