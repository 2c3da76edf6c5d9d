//! What is sent: the request that a template and arguments make.

use operation::{Binding, HttpParts, HttpTemplate, Operation, OperationError};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::operation_with;

fn template(operation: &Operation) -> &HttpTemplate {
    match operation.binding() {
        Binding::Http(http) => http,
        _ => panic!("bound to HTTP"),
    }
}

fn bind(operation: &Operation, args: &Value) -> Result<HttpParts, OperationError> {
    template(operation).bind(&operation.parameters().check(args.clone())?)
}

/// `GET /customers/{id}/orders` with a text for an id.
fn by_path() -> Operation {
    let parameters = json!({ "properties": { "id": { "type": "string" } }, "required": ["id"] });
    operation_with(&json!({ "path": "/customers/{id}/orders", "parameters": parameters })).unwrap()
}

fn by_query() -> Operation {
    let parameters = json!({ "properties": { "q": { "type": "string" } }, "required": ["q"] });
    operation_with(&json!({ "query": { "q": "{q}", "fixed": "a b&c" }, "parameters": parameters })).unwrap()
}

fn by_header() -> Operation {
    let parameters = json!({ "properties": { "h": { "type": "string" } } });
    operation_with(&json!({ "headers": { "X-Region": "{h}" }, "parameters": parameters })).unwrap()
}

fn by_body() -> Operation {
    let parameters = json!({
        "properties": {
            "amount": { "type": "integer" }, "note": { "type": ["string", "null"] }, "rate": { "type": "number" },
            "tags": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["amount"],
    });
    let body = json!({
        "amount": "{amount}", "deep": [{ "note": "{note}" }, "{tags}", "{rate}"], "{amount}": "{{amount}",
        "currency": "EUR", "n": 1, "nothing": null,
    });
    operation_with(&json!({ "method": "POST", "parameters": parameters, "body": body })).unwrap()
}

#[test]
fn a_path_value_is_one_segment() {
    let path = |id: &str| bind(&by_path(), &json!({ "id": id })).unwrap().path;
    assert_eq!(path("42"), "/customers/42/orders");
    assert_eq!(path("a b?c#d&e=f;g"), "/customers/a%20b%3Fc%23d%26e%3Df%3Bg/orders");
    assert_eq!(path("zoë 😀"), "/customers/zo%C3%AB%20%F0%9F%98%80/orders");
    assert_eq!(path("100%"), "/customers/100%25/orders");
    assert_eq!(path("..."), "/customers/.../orders");
}

#[test]
fn a_value_that_servers_could_read_as_another_path_is_refused() {
    let hostile = [
        "",
        ".",
        "..",
        "/",
        "a/b",
        "../admin",
        "..\\admin",
        "%2f",
        "%2e%2e",
        "..%2fadmin",
        "%252e",
        "a%00",
        "a\0b",
        "a\r\nb",
        "a\u{85}b",
        "\u{7f}",
    ];
    for id in hostile {
        let error = bind(&by_path(), &json!({ "id": id })).unwrap_err();
        assert!(matches!(error, OperationError::Unbindable { place: "path", .. }), "{id:?}: {error}");
        assert!(error.is_callers_fault());
    }
}

#[test]
fn text_around_a_value_makes_no_dot_segment() {
    let parameters = json!({ "properties": { "a": { "type": "string" }, "b": { "type": "integer" } }, "required": ["a", "b"] });
    let operation = operation_with(&json!({ "path": "/.{a}/v{b}:run", "parameters": parameters })).unwrap();
    assert_eq!(bind(&operation, &json!({ "a": "x", "b": 2 })).unwrap().path, "/.x/v2:run");
    bind(&operation, &json!({ "a": ".", "b": 2 })).unwrap_err();
}

#[test]
fn a_query_is_encoded_and_sorted_by_name() {
    let query = |q: &str| bind(&by_query(), &json!({ "q": q })).unwrap().query.unwrap();
    assert_eq!(query("x"), "fixed=a%20b%26c&q=x");
    assert_eq!(query("a&b=c#d+e%20/?\r\n"), "fixed=a%20b%26c&q=a%26b%3Dc%23d%2Be%2520%2F%3F%0D%0A");
    assert_eq!(query(""), "fixed=a%20b%26c&q=");
}

#[test]
fn absent_and_null_are_left_out_of_a_query_and_a_list_repeats_its_name() {
    let parameters = json!({ "properties": {
        "a": { "type": ["string", "null"] }, "n": { "type": "number" }, "b": { "type": "boolean" },
        "l": { "type": "array", "items": { "type": "string" } },
    } });
    let query = json!({ "a": "{a}", "l[]": "{l}", "n": "{n}", "b": "{b}" });
    let operation = operation_with(&json!({ "parameters": parameters, "query": query })).unwrap();
    let query = |args: Value| bind(&operation, &args).unwrap().query;
    assert_eq!(query(json!({})), None);
    assert_eq!(query(json!({ "a": null, "l": [] })), None);
    assert_eq!(query(json!({ "l": ["x", "y&z"] })).unwrap(), "l%5B%5D=x&l%5B%5D=y%26z");
    assert_eq!(query(json!({ "b": false, "n": 12.5 })).unwrap(), "b=false&n=12.5");
    assert_eq!(query(json!({ "n": 900_000_000_000_000.0 })).unwrap(), "n=900000000000000");
}

#[test]
fn a_header_holds_one_line_of_visible_text() {
    let headers = |args: Value| bind(&by_header(), &args).map(|parts| parts.headers);
    assert_eq!(headers(json!({ "h": "eu west" })).unwrap(), [("x-region".to_owned(), "eu west".to_owned())]);
    assert_eq!(headers(json!({})).unwrap(), []);
    for value in ["a\r\nx-b: c", "a\n", "a\0", "a\tb", "é", " a", "a ", "\u{7f}", &"a".repeat(5000)] {
        let error = headers(json!({ "h": value })).unwrap_err();
        assert!(matches!(error, OperationError::Unbindable { place: "header", .. }), "{value:?}");
    }
}

#[test]
fn a_body_holds_typed_values_and_leaves_out_what_is_absent() {
    let body = |args: Value| {
        let body = bind(&by_body(), &args).unwrap().body.unwrap();
        assert_eq!(body.content_type, "application/json");
        String::from_utf8(body.bytes).unwrap()
    };
    let sent: Value =
        serde_json::from_str(&body(json!({ "amount": 4120, "note": "a\"},{\"b", "tags": ["{amount}"] })))
            .unwrap();
    let expected = json!({
        "amount": 4120, "deep": [{ "note": "a\"},{\"b" }, ["{amount}"]], "{amount}": "{amount}", "currency": "EUR", "n": 1,
        "nothing": null,
    });
    assert_eq!(sent, expected, "a value that looks like a placeholder is a value");
    let sent: Value = serde_json::from_str(&body(json!({ "amount": 1, "note": null, "rate": 0.1 }))).unwrap();
    assert_eq!(sent["deep"], json!([{ "note": null }, 0.1]));
}

#[test]
fn a_body_may_be_one_argument_and_say_its_type() {
    let parameters = json!({ "properties": { "patch": { "type": "object", "properties": { "name": { "type": "string" } } } } });
    let headers = json!({ "Content-Type": "application/merge-patch+json" });
    let raw = json!({ "method": "PATCH", "parameters": parameters, "headers": headers, "body": "{patch}" });
    let operation = operation_with(&raw).unwrap();
    let body = bind(&operation, &json!({ "patch": { "name": "x" } })).unwrap().body.unwrap();
    assert_eq!(
        (body.content_type.as_str(), body.bytes.as_slice()),
        ("application/merge-patch+json", br#"{"name":"x"}"#.as_slice())
    );
    assert_eq!(bind(&operation, &json!({})).unwrap().body, None);
}

#[test]
fn path_and_query_together_are_bounded() {
    let error = bind(&by_query(), &json!({ "q": "é".repeat(2000) })).unwrap_err();
    assert!(matches!(error, OperationError::TooLong { .. }), "{error}");
}

proptest! {
    #[test]
    fn what_a_path_value_decodes_to_is_the_value_in_the_same_number_of_segments(id in any::<String>()) {
        if let Ok(parts) = bind(&by_path(), &json!({ "id": id })) {
            prop_assert!(parts.path.bytes().all(|b| b.is_ascii_graphic()));
            let segments: Vec<&str> = parts.path.split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert_eq!(percent_decode_str(segments[2]).decode_utf8().unwrap(), id);
            // Decoded once or twice, it is still four segments, none of them a dot.
            let mut path = parts.path.clone();
            for _ in 0..2 {
                path = percent_decode_str(&path).decode_utf8().unwrap().into_owned();
                prop_assert_eq!(path.split(['/', '\\']).count(), 4);
                prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }
    }

    #[test]
    fn hostile_path_values_stay_in_their_segment(id in "[./\\\\%2efF5cC0?#;:a]{0,8}") {
        if let Ok(parts) = bind(&by_path(), &json!({ "id": id })) {
            let mut path = parts.path;
            for _ in 0..3 {
                path = percent_decode_str(&path).decode_utf8_lossy().into_owned();
                prop_assert_eq!(path.split(['/', '\\']).count(), 4);
                prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }
    }

    #[test]
    fn what_a_query_value_decodes_to_is_the_value(q in any::<String>()) {
        prop_assume!(q.len() < 500);
        let query = bind(&by_query(), &json!({ "q": q })).unwrap().query.unwrap();
        let (fixed, value) = query.split_once("&q=").unwrap();
        prop_assert_eq!(fixed, "fixed=a%20b%26c");
        prop_assert!(!value.contains(['&', '=', '#', '+']));
        prop_assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), q);
    }

    #[test]
    fn a_header_is_the_value_or_refused(h in any::<String>()) {
        if let Ok(parts) = bind(&by_header(), &json!({ "h": h })) {
            prop_assert!(h.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(&parts.headers[0].1, &h);
        }
    }

    #[test]
    fn a_body_is_the_arguments_and_nothing_else(note in any::<String>(), amount in -9_007_199_254_740_991_i64..=9_007_199_254_740_991) {
        let body = bind(&by_body(), &json!({ "amount": amount, "note": note })).unwrap().body.unwrap();
        let sent: Value = serde_json::from_slice(&body.bytes).unwrap();
        prop_assert_eq!(&sent["amount"], &json!(amount));
        prop_assert_eq!(&sent["deep"][0]["note"], &json!(note));
        prop_assert_eq!(sent.as_object().unwrap().len(), 6);
    }

    #[test]
    fn decimals_are_exact_to_the_fourth_digit(scaled in -9_000_000_000_000_i64..9_000_000_000_000) {
        let parameters = json!({ "properties": { "a": { "type": "number" } } });
        let operation = operation_with(&json!({ "parameters": parameters, "query": { "a": "{a}" } })).unwrap();
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53")]
        let value = scaled as f64 / 10_000.0;
        let arguments = operation.parameters().check(json!({ "a": value })).unwrap();
        let model::Value::Decimal(text) = &arguments.values["a"] else { panic!("a decimal") };
        let (whole, fraction) = text.split_once('.').unwrap();
        prop_assert!((1..=4).contains(&fraction.len()));
        prop_assert_eq!(format!("{whole}{fraction:0<4}").parse::<i64>().unwrap(), scaled);
    }
}
