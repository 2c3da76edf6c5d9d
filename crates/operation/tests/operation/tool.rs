//! How operations are listed and said.

use serde_json::{Value, json};

use crate::operation_with;

#[test]
fn an_operation_is_listed_as_a_tool() {
    let parameters = json!({
        "properties": { "id": { "type": "integer" }, "to": { "type": "object", "properties": {} } }, "required": ["id"],
    });
    let raw = json!({ "title": "A customer", "path": "/c/{id}", "parameters": parameters, "method": "DELETE", "body": "{to}" });
    let expected = json!({
        "name": "customers_read",
        "title": "A customer",
        "description": "Reads a customer.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "id": { "type": "integer" },
                "to": { "type": "object", "properties": {}, "additionalProperties": false },
            },
            "required": ["id"],
            "additionalProperties": false,
        },
        "annotations": { "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true },
    });
    assert_eq!(operation_with(&raw).unwrap().tool(), expected);
    let plain = operation_with(&json!({})).unwrap().tool();
    assert_eq!(
        plain["inputSchema"],
        json!({ "type": "object", "properties": {}, "additionalProperties": false })
    );
    assert_eq!(plain["annotations"]["readOnlyHint"], json!(true));
    assert_eq!(plain.get("title"), None);
}

fn sentence(schema: &Value, value: &Value) -> String {
    let parameters = json!({ "properties": { "a": schema, "b": { "type": "integer" } } });
    let operation =
        operation_with(&json!({ "parameters": parameters, "method": "POST", "body": ["{a}", "{b}"] }))
            .unwrap();
    operation.sentence(&operation.parameters().check(json!({ "b": 1, "a": value })).unwrap())
}

#[test]
fn a_call_is_said_in_one_line_in_the_schemas_order() {
    let text = json!({ "type": "string" });
    assert_eq!(sentence(&text, &json!("x \"y\"")), r#"customers.read(a: "x \"y\"", b: 1)"#);
    let list = json!({ "type": "array", "items": { "type": "string" } });
    assert_eq!(sentence(&list, &json!(["x", "y"])), r#"customers.read(a: ["x", "y"], b: 1)"#);
    let object = json!({ "type": "object", "properties": { "c": { "type": "boolean" } } });
    assert_eq!(sentence(&object, &json!({ "c": true })), "customers.read(a: {c: true}, b: 1)");
}

#[test]
fn a_line_cannot_be_turned_around_or_broken() {
    let said = sentence(&json!({ "type": "string" }), &json!("a\n\u{202e}b\u{200b}\u{7}"));
    assert!(!said.chars().any(|c| c.is_control() || ['\u{202e}', '\u{200b}'].contains(&c)), "{said:?}");
}

#[test]
fn a_long_value_is_not_shown_in_half() {
    let long = format!("4111111111111111 {}", "x".repeat(60));
    assert_eq!(sentence(&json!({ "type": "string" }), &json!(long)), "customers.read(a: …, b: 1)");
    let list = json!({ "type": "array", "items": { "type": "integer" } });
    assert_eq!(sentence(&list, &json!(vec![7; 1000])), "customers.read(a: …, b: 1)");
}

#[test]
fn a_sentence_is_bounded() {
    let properties: serde_json::Map<String, Value> =
        (0..64).map(|index| (format!("parameter_{index:02}"), json!({ "type": "string" }))).collect();
    let body: Vec<String> = properties.keys().map(|name| format!("{{{name}}}")).collect();
    let args: serde_json::Map<String, Value> =
        properties.keys().map(|name| (name.clone(), json!("x".repeat(60)))).collect();
    let raw = json!({ "method": "POST", "parameters": { "properties": properties }, "body": body });
    let operation = operation_with(&raw).unwrap();
    let said = operation.sentence(&operation.parameters().check(args.into()).unwrap());
    assert!(said.chars().count() <= 512 && said.ends_with(", …)"), "{said}");
}
