//! What is refused when the configuration is read, and by which key.

use model::{OperationName, Verb};
use operation::{OperationError, Operations, RawOperation};
use serde_json::{Value, json};

use crate::{operation_with, operations};

/// Each change is refused, by the key named beside it.
fn refused(cases: Vec<(&str, Value)>) {
    for (expected, change) in cases {
        match operation_with(&change) {
            Err(error @ OperationError::Declared { .. }) => {
                assert!(!error.is_callers_fault());
                let OperationError::Declared { key, .. } = error else { unreachable!() };
                assert_eq!(key, expected, "{change}");
            }
            other => panic!("{change}: {other:?}"),
        }
    }
}

/// A schema of one property `a`, which has its place in the query.
fn property(schema: &Value) -> Value {
    json!({ "parameters": { "properties": { "a": schema } }, "query": { "a": "{a}" } })
}

#[test]
fn the_configuration_is_read_from_toml() {
    let text = r#"
        description = "Pays a customer back."
        method = "POST"
        path = "/payments/{payment}/refunds"
        body = { amount = "{amount}", reason = "{reason}" }
        [parameters]
        required = ["payment", "amount"]
        properties.payment = { type = "string", pattern = "^pay_[a-z0-9]{8}$" }
        properties.amount = { type = "integer", minimum = 1 }
        properties.reason = { type = "string", maxLength = 200 }
    "#;
    let raw: RawOperation = toml::from_str(text).unwrap();
    let target = model::TargetName::parse("payments").unwrap();
    let operations = Operations::parse(&target, [("refunds.create".to_owned(), raw)].into()).unwrap();
    let operation = operations.get(&OperationName::parse("refunds.create").unwrap()).unwrap();
    assert_eq!(operation.verb(), Verb::Write);
    assert_eq!(operation.access().action.as_str(), "payments:refunds.create");
    assert!(
        toml::from_str::<RawOperation>("description = 'x'\nmethod = 'GET'\npath = '/'\npaht = '/'").is_err()
    );
}

#[test]
fn a_method_has_its_verb_and_others_must_be_declared() {
    let cases = [
        ("GET", Verb::Read),
        ("HEAD", Verb::Read),
        ("OPTIONS", Verb::Read),
        ("POST", Verb::Write),
        ("PUT", Verb::Write),
        ("PATCH", Verb::Write),
        ("DELETE", Verb::Delete),
    ];
    for (method, verb) in cases {
        assert_eq!(operation_with(&json!({ "method": method })).unwrap().verb(), verb);
    }
    let search = operation_with(&json!({ "method": "POST", "verb": "read" })).unwrap();
    assert_eq!(search.verb(), Verb::Read);
    refused(vec![("verb", json!({ "method": "PURGE" }))]);
    let purge = operation_with(&json!({ "method": "PURGE", "verb": "execute" })).unwrap();
    assert_eq!(purge.verb(), Verb::Execute);
    let methods = ["get", "CONNECT", "TRACE", "", "GET /", "G\r\nX", "A-VERY-LONG-METHOD-NAME"];
    refused(methods.map(|method| ("method", json!({ "method": method }))).to_vec());
}

#[test]
fn tools_of_one_name_are_refused() {
    let raw = json!({ "description": "x", "method": "GET", "path": "/" });
    let error = operations(&[("a.b_c", raw.clone()), ("a_b.c", raw.clone())]).unwrap_err();
    assert!(matches!(&error, OperationError::SameTool { tool, .. } if tool == "a_b_c"), "{error}");
    assert!(matches!(operations(&[("Customers", raw)]).unwrap_err(), OperationError::Name { .. }));
}

#[test]
fn every_placeholder_is_declared_and_every_parameter_has_a_place() {
    let declared = json!({ "properties": { "a": { "type": "string" } }, "required": ["a"] });
    refused(vec![
        ("path", json!({ "path": "/{a}" })),
        ("query.q", json!({ "query": { "q": "{a}" } })),
        ("headers.x-a", json!({ "headers": { "x-a": "{a}" } })),
        ("body", json!({ "method": "POST", "body": { "a": "{a}" } })),
        ("parameters.properties.a", json!({ "parameters": declared })),
    ]);
}

#[test]
fn a_path_is_plain_segments() {
    let paths = [
        "",
        "customers",
        "//",
        "/a//b",
        "/.",
        "/..",
        "/a/../b",
        "/a?b=c",
        "/a#b",
        "/a b",
        "/a%2fb",
        "/é",
        "/a;b",
        "/a\\b",
        "/{",
    ];
    refused(paths.map(|path| ("path", json!({ "path": path }))).to_vec());
    for path in ["/", "/a/", "/a.b/c-d_e~f", "/v1:batch", "/a@b"] {
        assert!(operation_with(&json!({ "path": path })).is_ok(), "{path}");
    }
}

#[test]
fn what_may_be_absent_has_no_place_within_a_text() {
    let optional = json!({ "properties": { "a": { "type": "string" } } });
    let nullable = json!({ "properties": { "a": { "type": ["string", "null"] } }, "required": ["a"] });
    for parameters in [optional, nullable] {
        refused(vec![
            ("path", json!({ "parameters": parameters, "path": "/{a}" })),
            ("query.q", json!({ "parameters": parameters, "query": { "q": "a:{a}" } })),
            ("headers.x-a", json!({ "parameters": parameters, "headers": { "x-a": "a {a}" } })),
        ]);
    }
    let list = json!({ "properties": { "a": { "type": "array", "items": { "type": "string" } } }, "required": ["a"] });
    let object = json!({ "properties": { "a": { "type": "object", "properties": {} } }, "required": ["a"] });
    refused(vec![
        ("path", json!({ "parameters": list, "path": "/{a}" })),
        ("headers.x-a", json!({ "parameters": list, "headers": { "x-a": "{a}" } })),
        ("path", json!({ "parameters": object, "path": "/{a}" })),
        ("query.a", json!({ "parameters": object, "query": { "a": "{a}" } })),
    ]);
}

#[test]
fn headers_that_are_the_gateways_own_are_refused() {
    let names = [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "authorization",
        "COOKIE",
        "x-forwarded-for",
        "X_Forwarded_For",
        "forwarded",
        "connection",
        "accept-encoding",
        "x-http-method-override",
        "range",
        "x y",
        "",
        "x:y",
        "x\r\ny",
    ];
    for name in names {
        refused(vec![(&format!("headers.{name}"), json!({ "headers": { name: "a" } }))]);
    }
    refused(vec![("headers.x-b", json!({ "headers": { "X-B": "a", "x-b": "a" } }))]);
    refused(vec![("headers.x-a", json!({ "headers": { "x-a": "a\r\nx-b: c" } }))]);
    refused(vec![("headers.content-type", json!({ "headers": { "content-type": "application/json" } }))]);
    let text = json!({ "method": "POST", "body": {}, "headers": { "Content-Type": "text/html" } });
    refused(vec![("headers.Content-Type", text)]);
}

#[test]
fn a_body_binds_values_and_pastes_no_text() {
    let parameters = json!({ "properties": { "a": { "type": "string" } }, "required": ["a"] });
    refused(vec![
        ("body", json!({ "parameters": parameters, "method": "POST", "body": { "x": "hello {a}" } })),
        ("body", json!({ "parameters": parameters, "method": "POST", "body": ["{a}", "{"] })),
        ("body", json!({ "parameters": parameters, "method": "GET", "body": "{a}" })),
    ]);
}

#[test]
fn what_has_no_shape_is_refused_at_load() {
    let at = "parameters.properties.a";
    let shapeless = [
        json!({}),
        json!(true),
        json!({ "enum": ["x"] }),
        json!({ "type": "null" }),
        json!({ "type": ["string", "integer"] }),
        json!({ "type": ["null"] }),
        json!({ "type": ["null", "null"] }),
        json!({ "type": "text" }),
        json!({ "oneOf": [{ "type": "string" }] }),
        json!({ "type": "string", "anyOf": [] }),
        json!({ "type": "string", "if": {} }),
        json!({ "type": "string", "not": {} }),
        json!({ "$ref": "#/$defs/a" }),
        json!({ "type": "string", "$ref": "https://evil.example/schema.json" }),
        json!({ "type": "object", "additionalProperties": true }),
        json!({ "type": "object", "patternProperties": {} }),
        json!({ "type": "object", "properties": [] }),
        json!({ "type": "object", "required": ["b"] }),
        json!({ "type": "string", "contentMediaType": "application/json" }),
        json!({ "type": "string", "format": "regex" }),
        json!({ "type": "string", "minimum": 1 }),
    ];
    refused(shapeless.iter().map(|schema| (at, property(schema))).collect());
    let lists = [
        json!({}),
        json!({ "type": "array", "items": { "type": "string" } }),
        json!({ "type": "object" }),
        json!({ "type": ["string", "null"] }),
    ];
    let list = |items: &Value| property(&json!({ "type": "array", "items": items }));
    refused(lists.iter().map(|items| ("parameters.properties.a.items", list(items))).collect());
    refused(vec![("parameters.properties.a.items", property(&json!({ "type": "array" })))]);
}

#[test]
fn a_schema_that_cannot_be_checked_safely_is_refused_at_load() {
    let at = "parameters.properties.a.pattern";
    let patterns = ["(?=a)b", r"(a)\1", "(", "^((a|b{1,500})c){1,500}$"];
    refused(
        patterns
            .iter()
            .map(|pattern| (at, property(&json!({ "type": "string", "pattern": pattern }))))
            .collect(),
    );
    let unknown = property(&json!({ "type": "string", "format": "no-such-format" }));
    assert!(matches!(operation_with(&unknown), Err(OperationError::Declared { .. })));
    let mut deep = json!({ "type": "object" });
    for _ in 0..9 {
        deep = json!({ "type": "object", "properties": { "a": deep } });
    }
    assert!(matches!(operation_with(&property(&deep)), Err(OperationError::Declared { .. })));
    let many: serde_json::Map<String, Value> =
        (0..65).map(|index| (format!("a{index}"), json!({ "type": "string" }))).collect();
    refused(vec![("parameters", json!({ "parameters": { "properties": many } }))]);
    let long = json!({ "parameters": { "description": "x".repeat(65 << 10) } });
    refused(vec![("parameters", long)]);
    refused(vec![
        ("parameters", json!({ "parameters": [] })),
        ("parameters", json!({ "parameters": { "type": "array" } })),
        ("parameters", json!({ "parameters": { "$schema": "http://json-schema.org/draft-04/schema#" } })),
        ("parameters", json!({ "parameters": { "$defs": {} } })),
    ]);
}

#[test]
fn names_that_two_readers_could_confuse_are_refused() {
    for name in ["", "1a", "a b", "__entity", "__extn", "é", "a\0", "a.b", "$a", &"a".repeat(65)] {
        let parameters = json!({ "properties": { name: { "type": "string" } } });
        refused(vec![(&format!("parameters.properties.{name}"), json!({ "parameters": parameters }))]);
    }
    let parameters = json!({ "properties": { "id": { "type": "string" }, "ID": { "type": "string" } } });
    let error = operation_with(&json!({ "parameters": parameters, "query": { "a": "{id}", "b": "{ID}" } }))
        .unwrap_err();
    assert!(error.to_string().contains("only by case"), "{error}");
}

#[test]
fn a_description_says_something() {
    refused(vec![("description", json!({ "description": " " })), ("title", json!({ "title": "" }))]);
}
