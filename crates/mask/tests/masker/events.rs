use mask::{Content, Masker, Replace, Withheld};
use proptest::prelude::*;

use crate::{SECRET, assert_any_chunking, detect, document, field, mask_whole, plan, plan_with, plant};

fn masked(input: &str) -> String {
    for sizes in [&[1][..], &[2, 5], &[13]] {
        assert_any_chunking(&plan(), Content::EventStream, input.as_bytes(), sizes);
    }
    mask_whole(&plan(), Content::EventStream, input.as_bytes()).unwrap()
}

#[test]
fn data_is_masked_as_json_or_as_text_and_every_other_line_as_text() {
    assert_eq!(
        masked(concat!(
            ": hello alice@example.com\r\n",
            "event: note\r",
            "id: 4111111111111111\n",
            "data: {\"to\":\"bob\\u0040example.com\",\"card\":4111111111111111}\n\n",
            "data:call +14155552671 or bob\\u0040example.com\n\n",
            "data: [DONE]\n\n",
            "retry: 1000",
        )),
        concat!(
            ": hello [email]\r\n",
            "event: note\r",
            "id: [card]\n",
            "data: {\"to\":\"[email]\",\"card\":null}\n\n",
            "data:call [phone] or [email]\n\n",
            "data: [DONE]\n\n",
            "retry: 1000",
        )
    );
}

#[test]
fn a_document_over_several_data_lines_is_followed() {
    let plan = plan_with(vec![field("/a/b", "name", Replace::Redact)]);
    let input = "data: {\"a\": {\ndata: \"b\": \"Ada\",\ndata: \"n\": 4.111111111111111e15}\ndata: }\n\ndata: {\"a\":{\"b\":1}}\n\n";
    let output = "data: {\"a\": {\ndata: \"b\": \"[name]\",\ndata: \"n\": null}\ndata: }\n\ndata: {\"a\":{\"b\":null}}\n\n";
    assert_eq!(mask_whole(&plan, Content::EventStream, input.as_bytes()).unwrap(), output);
    assert_any_chunking(&plan, Content::EventStream, input.as_bytes(), &[1]);
}

#[test]
fn data_that_may_hide_fields_is_withheld() {
    let plan = plan_with(vec![field("/a", "name", Replace::Redact)]);
    for input in
        ["data: {\"a\":\"Ada\",}\n", "data: {'a':'Ada'}\n", "data: {\"b\":1,\ndata: a:2}\n", "data: [{]\n"]
    {
        let result = mask_whole(&plan, Content::EventStream, input.as_bytes());
        assert_eq!(result, Err(Withheld::UnreadableEvent), "{input}");
    }
    for input in ["data: [DONE]\n\n", "data: hello {\n\n", ": {\"a\":\n\n"] {
        assert_eq!(mask_whole(&plan, Content::EventStream, input.as_bytes()).unwrap(), input);
    }
}

#[test]
fn the_end_of_an_event_ends_its_document() {
    assert_eq!(masked("data: {\"a\":\n\ndata: \"a@b.co\"\n\n"), "data: {\"a\":\n\ndata: \"[email]\"\n\n");
}

#[test]
fn a_line_too_long_to_be_looked_at_whole_is_masked_as_it_comes_or_withheld() {
    let long = "x".repeat(70_000);
    let json = format!("data: {{\"a\":\"{long}\\n bob\\u0040example.com\",\"b\":4111111111111111}}\n\n");
    let expected = format!("data: {{\"a\":\"{long}\\n [email]\",\"b\":null}}\n\n");
    assert_eq!(mask_whole(&plan(), Content::EventStream, json.as_bytes()).unwrap(), expected);
    assert_any_chunking(&plan(), Content::EventStream, json.as_bytes(), &[997]);
    let text = format!("data: {long} bob@example.com é\n: {long}é{long} a@b.co\n");
    let expected = format!("data: {long} [email] é\n: {long}é{long} [email]\n");
    assert_eq!(mask_whole(&plan(), Content::EventStream, text.as_bytes()).unwrap(), expected);
    assert_any_chunking(&plan(), Content::EventStream, text.as_bytes(), &[997]);
    for input in [
        format!("data: {long} \\u0040\n"),
        format!("data: \\u0040 {long}\n"),
        format!("data: {{\"a\":\"{long}\" x\n"),
    ] {
        assert!(mask_whole(&plan(), Content::EventStream, input.as_bytes()).is_err());
        assert_any_chunking(&plan(), Content::EventStream, input.as_bytes(), &[997]);
    }
}

fn value() -> impl Strategy<Value = String> {
    plant::document().prop_map(|d| d.replace(['\n', '\r'], " ").trim().to_owned())
}

proptest! {
    #[test]
    fn json_data_is_masked_as_the_oracle_masks_it(value in value()) {
        let output = masked(&format!("event: x\ndata: {value}\n\n"));
        let output = output.strip_prefix("event: x\ndata: ").and_then(|o| o.strip_suffix("\n\n")).unwrap();
        document::assert_masked(&value, output, Some(SECRET));
    }

    #[test]
    fn a_document_cut_into_lines_is_masked_as_the_oracle_masks_it(value in plant::document()) {
        let document = value.replace('\r', "");
        let input: String = document.split('\n').map(|line| format!("data:{line}\n")).collect::<String>() + "\n";
        // A leading space belongs to the field, not to the data.
        let joined = |events: &str| -> String {
            let lines: Vec<_> = events.lines().filter_map(|l| l.strip_prefix("data:")).collect();
            lines.join("\n")
        };
        document::assert_masked(&joined(&input), &joined(&masked(&input)), Some(SECRET));
    }

    #[test]
    fn text_data_is_masked_as_the_oracle_masks_it(text in plant::phrase()) {
        let line = format!(": {text}");
        let output = masked(&format!("{line}\n"));
        prop_assert_eq!(output.trim_end_matches('\n'), detect::mask(&line, Some(SECRET)));
    }

    #[test]
    fn a_line_is_released_when_it_ends(value in value(), text in plant::phrase()) {
        let mut masker = Masker::new(plan(), Content::EventStream);
        let mut out = Vec::new();
        for line in [format!("data: {value}\n"), "\n".to_owned(), format!("data: {{\"a\":{value},\n"), format!("x: {text}\r")] {
            masker.push(line.as_bytes(), &mut out).unwrap();
            prop_assert_eq!(masker.held(), 0);
            prop_assert_eq!(out.ends_with(b"\n") || out.ends_with(b"\r"), true);
        }
    }
}
