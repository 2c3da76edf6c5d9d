use mask::{Content, Withheld};
use proptest::prelude::*;

use crate::{SECRET, assert_any_chunking, document, mask_whole, plan, plant};

proptest! {
    #[test]
    fn a_document_is_masked_as_the_oracle_masks_it(input in plant::document()) {
        let output = mask_whole(&plan(), Content::Json, input.as_bytes()).unwrap();
        document::assert_masked(&input, &output, Some(SECRET));
    }

    #[test]
    fn a_document_is_masked_the_same_in_any_chunks(input in plant::document(), sizes in plant::chunks()) {
        assert_any_chunking(&plan(), Content::Json, input.as_bytes(), &sizes);
    }

    #[test]
    fn broken_documents_end_the_same_in_any_chunks(
        input in plant::document(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        sizes in plant::chunks(),
    ) {
        let mut input = input.into_bytes();
        let at = at.index(input.len());
        input[at] = byte;
        assert_any_chunking(&plan(), Content::Json, &input, &sizes);
    }
}

fn masked(input: &str) -> Result<String, Withheld> {
    mask_whole(&plan(), Content::Json, input.as_bytes())
}

#[test]
fn values_keys_and_numbers_are_masked_and_the_rest_is_untouched() {
    let input = r#" { "e\u006Dail" : "al\u0069ce\u0040example.com" ,"n":[4111111111111111,-4.111111111111111e15,42,1.50],
        "bob@example.com":"say \"hi\" to +14155552671\u0021","\ud83d\ude00":null , "x":"\/plain" } "#;
    let output = r#" { "e\u006Dail" : "[email]" ,"n":[null,null,42,1.50],
        "[email]":"say \"hi\" to [phone]\u0021","\ud83d\ude00":null , "x":"\/plain" } "#;
    assert_eq!(masked(input).unwrap(), output);
}

#[test]
fn doubled_members_are_masked_each() {
    assert_eq!(
        masked(r#"{"a":"a@b.co","a":"x","a":"c@d.co"}"#).unwrap(),
        r#"{"a":"[email]","a":"x","a":"[email]"}"#
    );
}

#[test]
fn a_scalar_alone_is_a_document() {
    for (input, output) in
        [("\"a@b.co\"", "\"[email]\""), ("4111111111111111", "null"), (" 7 ", " 7 "), ("true", "true")]
    {
        assert_eq!(masked(input).unwrap(), output);
    }
}

#[test]
fn what_is_not_one_json_value_is_withheld() {
    for input in [
        "",
        " ",
        "{",
        "[1",
        "\"a",
        "tru",
        "truex",
        "1 2",
        "{} {}",
        "{}\n{}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":}",
        "{1:2}",
        "[}",
        "{]",
        "]",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "NaN",
        "Infinity",
        "0x10",
        "- 1",
        "\u{feff}{}",
        "{}\0",
        "\0{}",
        "// c\n{}",
        "{}/* c */",
        "#\n{}",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "[\"a\":1]",
        "{\"a\",1}",
        ",",
        ":",
    ] {
        for sizes in [[1], [2], [usize::MAX]] {
            let (out, result, _) = crate::mask_chunked(&plan(), Content::Json, input.as_bytes(), &sizes);
            assert!(
                matches!(result, Err(Withheld::InvalidJson { .. } | Withheld::Truncated)),
                "{input:?}: {result:?} {}",
                String::from_utf8_lossy(&out)
            );
        }
    }
}

#[test]
fn other_charsets_are_withheld() {
    let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for input in [
        &utf16[..],
        b"\"\xff\"",
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\xaf\"",
        b"\"\xf5\x80\x80\x80\"",
        b"\"\xe2\x82",
    ] {
        let result = mask_whole(&plan(), Content::Json, input);
        assert!(
            matches!(result, Err(Withheld::InvalidUtf8 { .. } | Withheld::InvalidJson { .. })),
            "{input:?}: {result:?}"
        );
    }
}

#[test]
fn nesting_is_followed_to_its_limit() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(masked(&nested(mask::MAX_DEPTH)).is_ok());
    assert_eq!(masked(&nested(mask::MAX_DEPTH + 1)), Err(Withheld::TooDeep { limit: mask::MAX_DEPTH }));
}

#[test]
fn an_answer_that_was_withheld_stays_withheld() {
    let mut masker = mask::Masker::new(plan(), Content::Json);
    let mut out = Vec::new();
    let first = masker.push(b"{]", &mut out);
    assert!(first.is_err());
    assert_eq!(masker.push(b"{}", &mut out), first);
    assert_eq!(masker.finish(&mut out), first);
}
