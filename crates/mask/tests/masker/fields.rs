use std::sync::Arc;

use mask::{Content, Plan, Replace};
use proptest::prelude::*;

use crate::{assert_any_chunking, field, mask_chunked, mask_whole, plan_with, plant};

fn plan() -> Arc<Plan> {
    plan_with(vec![
        field("/customers/*/name", "name", Replace::Redact),
        field("/customers/*/iban", "iban", Replace::KeepLastFour),
        field("/customers/*/address", "address", Replace::Redact),
        field("/customers/1/note", "note", Replace::Redact),
        field("/a~1b/m~0n", "odd", Replace::Redact),
    ])
}

fn masked(input: &str) -> String {
    for sizes in [&[1][..], &[2, 3], &[7]] {
        assert_any_chunking(&plan(), Content::Json, input.as_bytes(), sizes);
    }
    mask_whole(&plan(), Content::Json, input.as_bytes()).unwrap()
}

#[test]
fn fields_are_masked_whole_whatever_their_type() {
    assert_eq!(
        masked(
            r#"{"customers":[{"name":"Ada","address":{"street":"x","n":[1,{"y":"]}"}]},"id":7},{"name":12.5,"address":["a"]}]}"#
        ),
        r#"{"customers":[{"name":"[name]","address":"[address]","id":7},{"name":null,"address":"[address]"}]}"#
    );
    assert_eq!(
        masked(r#"{"customers":{"x":{"name":true},"y":{"name":null}}}"#),
        r#"{"customers":{"x":{"name":null},"y":{"name":null}}}"#
    );
}

#[test]
fn keys_are_compared_decoded_and_without_regard_to_case_and_all_doubled_members_are_masked() {
    assert_eq!(
        masked(
            r#"{"c\u0075stomers":[{"n\u0061me":"Ada","NAME":"Bob","name":"Cyd","names":"Dee","name\u0000":"E"}]}"#
        ),
        r#"{"c\u0075stomers":[{"n\u0061me":"[name]","NAME":"[name]","name":"[name]","names":"Dee","name\u0000":"[name]"}]}"#
    );
    assert_eq!(masked(r#"{"a/b":{"m~n":"x","m":"y"}}"#), r#"{"a/b":{"m~n":"[odd]","m":"y"}}"#);
}

#[test]
fn an_index_points_at_one_element() {
    assert_eq!(
        masked(r#"{"customers":[{"note":"a"},{"note":"b"},{"note":"c"}]}"#),
        r#"{"customers":[{"note":"a"},{"note":"[note]"},{"note":"c"}]}"#
    );
}

#[test]
fn the_last_four_are_kept_of_long_numbers_only() {
    for (value, output) in [
        (r#""DE89 3704 0044 0532 0130 00""#, r#""[iban *3000]""#),
        (r#""\u0044E89370400440532013000""#, r#""[iban *3000]""#),
        (r#""4111-1111-1111-1234""#, r#""[iban *1234]""#),
        (r#""1234567""#, r#""[iban]""#),
        (r#""secret text 1234""#, r#""[iban]""#),
        (r#""é1234567890123""#, r#""[iban]""#),
        ("4111111111111111", "null"),
        ("[\"4111111111111111\"]", r#""[iban]""#),
    ] {
        assert_eq!(
            masked(&format!(r#"{{"customers":[{{"iban":{value}}}]}}"#)),
            format!(r#"{{"customers":[{{"iban":{output}}}]}}"#)
        );
    }
}

#[test]
fn the_whole_document_can_be_a_field() {
    let plan = plan_with(vec![field("", "all", Replace::Redact)]);
    for (input, output) in
        [(" {\"a\":[1]} ", " \"[all]\" "), ("\"x\"", "\"[all]\""), ("12", "null"), ("[]", "\"[all]\"")]
    {
        assert_eq!(mask_whole(&plan, Content::Json, input.as_bytes()).unwrap(), output);
        assert_any_chunking(&plan, Content::Json, input.as_bytes(), &[1]);
    }
}

#[test]
fn of_two_rules_for_one_place_the_stricter_holds() {
    let plan =
        plan_with(vec![field("/a", "card", Replace::KeepLastFour), field("/*", "secret", Replace::Redact)]);
    assert_eq!(
        mask_whole(&plan, Content::Json, br#"{"a":"4111111111111111"}"#).unwrap(),
        r#"{"a":"[secret]"}"#
    );
}

#[test]
fn masked_fields_are_counted_once_each_under_their_class() {
    let (_, _, counts) = mask_chunked(
        &plan(),
        Content::Json,
        br#"{"customers":[{"name":"Ada","address":{"mail":"a@b.co"}},{"name":1}],"x":"a@b.co"}"#,
        &[usize::MAX],
    );
    let counts: Vec<_> = counts.iter().map(|(class, n)| (class.as_str(), *n)).collect();
    assert_eq!(counts, [("address", 1), ("email", 1), ("name", 2)]);
}

#[test]
fn a_document_within_a_masked_field_must_still_be_json() {
    for input in [r#"{"customers":[{"address":{"a":tru}}]}"#, r#"{"customers":[{"address":["\ud800"]}]}"#] {
        assert!(mask_whole(&plan(), Content::Json, input.as_bytes()).is_err(), "{input}");
    }
}

proptest! {
    #[test]
    fn fields_are_masked_the_same_in_any_chunks(value in plant::document(), sizes in plant::chunks()) {
        let input = format!(r#"{{"customers":[{{"name":{value},"iban":{value},"rest":{value}}}]}}"#, value = value.trim());
        assert_any_chunking(&plan(), Content::Json, input.as_bytes(), &sizes);
        let output = mask_whole(&plan(), Content::Json, input.as_bytes()).unwrap();
        let masked = [r#"[{"name":"[name]","iban":"#, r#"[{"name":null,"iban":null"#];
        prop_assert!(masked.iter().any(|m| output.contains(m)), "{output}");
    }
}
