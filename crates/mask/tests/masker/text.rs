use mask::{Content, Masker, Withheld};
use proptest::prelude::*;

use crate::{SECRET, assert_any_chunking, detect, mask_whole, plan, plant};

fn lines() -> impl Strategy<Value = String> {
    let line = (plant::phrase(), prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n", "\n \n"]));
    prop::collection::vec(line.prop_map(|(line, end)| line + end), 0..6).prop_map(|lines| lines.concat())
}

/// Line by line, as the oracle masks it.
fn oracle(text: &str) -> String {
    text.split_inclusive(['\n', '\r'])
        .map(|line| {
            let content = line.trim_end_matches(['\n', '\r']);
            detect::mask(content, Some(SECRET)) + &line[content.len()..]
        })
        .collect()
}

proptest! {
    #[test]
    fn text_is_masked_as_the_oracle_masks_its_lines(input in lines()) {
        prop_assert_eq!(mask_whole(&plan(), Content::Text, input.as_bytes()).unwrap(), oracle(&input));
    }

    #[test]
    fn text_is_masked_the_same_in_any_chunks(input in lines(), sizes in plant::chunks()) {
        assert_any_chunking(&plan(), Content::Text, input.as_bytes(), &sizes);
    }

    #[test]
    fn any_bytes_are_masked_the_same_in_any_chunks(
        input in prop::collection::vec(any::<u8>(), 0..200),
        sizes in plant::chunks(),
        content in prop::sample::select(vec![Content::Json, Content::Text, Content::EventStream, Content::Opaque]),
    ) {
        assert_any_chunking(&plan(), content, &input, &sizes);
    }

    #[test]
    fn a_complete_line_is_released_at_once(input in lines()) {
        let mut masker = Masker::new(plan(), Content::Text);
        let mut out = Vec::new();
        for line in input.split_inclusive('\n') {
            masker.push(line.as_bytes(), &mut out).unwrap();
            prop_assert_eq!(masker.held() == 0, true, "held after {:?}", line);
        }
    }

    #[test]
    fn a_whole_string_is_masked_as_the_oracle_masks_it(input in plant::phrase()) {
        prop_assert_eq!(plan().mask_text(&input).0, detect::mask(&input, Some(SECRET)));
    }
}

#[test]
fn what_no_match_can_involve_is_released_within_the_line() {
    let mut masker = Masker::new(plan(), Content::Text);
    let mut out = Vec::new();
    masker.push(b"the answer is 42, ", &mut out).unwrap();
    assert_eq!(out, b"the answer is 42, ");
    masker.push(b"said alice", &mut out).unwrap();
    assert_eq!(out, b"the answer is 42, said ");
    masker.push(b"@example.com ", &mut out).unwrap();
    assert_eq!(out, b"the answer is 42, said [email] ");
}

#[test]
fn a_number_is_found_whatever_separates_its_prefix() {
    for input in [
        "001 -4155552671",
        "+1 - 4155552671",
        "+ (1) 415 5552671",
        "00\u{a0}1 415 555 2671",
        "1 (415) 555-2671",
    ] {
        let expected = detect::mask(input, None);
        assert_eq!(mask_whole(&plan(), Content::Text, input.as_bytes()).unwrap(), expected);
        assert!(expected.contains("[phone]"), "{input}");
    }
}

#[test]
fn text_in_another_charset_is_withheld() {
    let utf16: Vec<u8> = "alice@example.com".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(mask_whole(&plan(), Content::Text, &utf16), Err(Withheld::Nul { offset: 0 }));
    assert_eq!(mask_whole(&plan(), Content::Text, b"caf\xe9 "), Err(Withheld::InvalidUtf8 { offset: 3 }));
    assert_eq!(mask_whole(&plan(), Content::Text, b"caf\xc3"), Err(Withheld::InvalidUtf8 { offset: 3 }));
}
