//! What callers may send, and what policies see of it.

use model::{Field, Shape, Value as Typed};
use operation::{Arguments, Operation, OperationError};
use serde_json::{Value, json};

use crate::operation_with;

/// An operation with these properties, all of them in its body.
fn operation(properties: &Value, required: &Value) -> Operation {
    let body: Value = properties
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), json!(format!("{{{name}}}"))))
        .collect();
    let parameters = json!({ "properties": properties, "required": required });
    operation_with(&json!({ "method": "POST", "parameters": parameters, "body": body })).unwrap()
}

fn check(schema: &Value, value: &Value) -> Result<Arguments, OperationError> {
    operation(&json!({ "a": schema }), &json!([])).parameters().check(json!({ "a": value }))
}

#[test]
fn a_schema_becomes_the_shape_that_policies_are_validated_against() {
    let operation = operation(
        &json!({
            "id": { "type": "integer" }, "rate": { "type": "number" }, "name": { "type": ["string", "null"] },
            "on": { "type": "boolean" }, "tags": { "type": "array", "items": { "type": "string" } },
            "to": { "type": "object", "properties": { "iban": { "type": "string" } }, "required": ["iban"] },
        }),
        &json!(["id", "name", "to"]),
    );
    let expected = [
        ("id", Field::required(Shape::Long)),
        ("name", Field::optional(Shape::String)),
        ("on", Field::optional(Shape::Bool)),
        ("rate", Field::optional(Shape::Decimal)),
        ("tags", Field::optional(Shape::Set(Box::new(Shape::String)))),
        ("to", Field::required(Shape::Record([("iban".to_owned(), Field::required(Shape::String))].into()))),
    ];
    assert_eq!(operation.parameters().shape(), expected.map(|(name, field)| (name.to_owned(), field)).into());
}

#[test]
fn values_are_typed_as_policies_read_them() {
    let cases = [
        (json!({ "type": "integer" }), json!(42), Typed::Long(42)),
        (
            json!({ "type": "integer" }),
            json!(-9_007_199_254_740_991_i64),
            Typed::Long(-9_007_199_254_740_991),
        ),
        (json!({ "type": "number" }), json!(12.5), Typed::Decimal("12.5".to_owned())),
        (json!({ "type": "number" }), json!(12), Typed::Decimal("12.0".to_owned())),
        (json!({ "type": "number" }), json!(-0.0001), Typed::Decimal("-0.0001".to_owned())),
        (json!({ "type": "number" }), json!(-0.0), Typed::Decimal("0.0".to_owned())),
        (json!({ "type": "string" }), json!("x"), Typed::text("x")),
        (json!({ "type": "boolean" }), json!(false), Typed::Bool(false)),
        (
            json!({ "type": "array", "items": { "type": "integer" } }),
            json!([2, 1, 2]),
            Typed::Set(vec![Typed::Long(1), Typed::Long(2)]),
        ),
    ];
    for (schema, value, typed) in cases {
        let arguments = check(&schema, &value).unwrap();
        assert_eq!(arguments.values["a"], typed, "{schema} {value}");
    }
    let list = check(&json!({ "type": "array", "items": { "type": "integer" } }), &json!([2, 1, 2])).unwrap();
    assert_eq!(list.json["a"], json!([2, 1, 2]), "what is sent keeps order and repetition");
}

#[test]
fn a_wrong_type_is_refused_and_never_absent() {
    let scalars = [json!(1), json!(1.5), json!("1"), json!(true), json!(null), json!([]), json!({})];
    let fits = |schema: &str, value: &Value| match schema {
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        _ => value.is_boolean(),
    };
    for schema in ["integer", "number", "string", "boolean"] {
        for value in &scalars {
            let result = check(&json!({ "type": schema }), value);
            assert_eq!(result.is_ok(), fits(schema, value), "{schema} {value}");
            assert!(result.err().is_none_or(|error| error.is_callers_fault()));
        }
    }
    let list = json!({ "type": "array", "items": { "type": "string" } });
    for value in [json!("a"), json!(["a", 1]), json!([null]), json!([["a"]])] {
        check(&list, &value).unwrap_err();
    }
}

#[test]
fn null_is_allowed_only_where_the_schema_says_so_and_is_absent_to_policies() {
    let arguments = check(&json!({ "type": ["string", "null"] }), &Value::Null).unwrap();
    assert_eq!(arguments.json["a"], Value::Null);
    assert!(arguments.values.is_empty());
    check(&json!({ "type": "string" }), &Value::Null).unwrap_err();
}

#[test]
fn numbers_that_two_readers_hold_differently_are_refused() {
    for value in
        [json!(9_007_199_254_740_992_i64), json!(u64::MAX), json!(1e300), json!(i64::MIN), json!(1e16)]
    {
        check(&json!({ "type": "integer" }), &value).unwrap_err();
    }
    for value in [
        json!(0.00001),
        json!(1.00001),
        json!(1e15),
        json!(922_337_203_685_478_i64),
        json!(1e-7),
        json!(1e300),
    ] {
        check(&json!({ "type": "number" }), &value).unwrap_err();
    }
}

#[test]
fn an_integer_written_as_a_decimal_is_one_value_to_policy_and_target() {
    let arguments = check(&json!({ "type": "integer" }), &json!(4120.0)).unwrap();
    assert_eq!(
        (arguments.json["a"].to_string(), &arguments.values["a"]),
        ("4120".to_owned(), &Typed::Long(4120))
    );
}

#[test]
fn arguments_that_are_not_declared_are_refused_at_any_depth() {
    let operation = operation(
        &json!({ "to": { "type": "object", "properties": { "iban": { "type": "string" } } } }),
        &json!([]),
    );
    for args in [
        json!({ "x": 1 }),
        json!({ "TO": {} }),
        json!({ "to": { "bic": "x" } }),
        json!([]),
        json!(null),
        json!("x"),
    ] {
        let error = operation.parameters().check(args.clone()).unwrap_err();
        assert!(matches!(error, OperationError::Argument { .. }), "{args}");
    }
    assert!(operation.parameters().check(json!({ "to": {} })).is_ok());
}

#[test]
fn what_is_required_must_be_there_and_constraints_hold() {
    let operation = operation(
        &json!({ "id": { "type": "string", "pattern": "^[a-z]+$", "maxLength": 3 }, "mail": { "type": "string", "format": "email" } }),
        &json!(["id"]),
    );
    let parameters = operation.parameters();
    assert!(parameters.check(json!({ "id": "abc" })).is_ok());
    for args in [json!({}), json!({ "id": "abcd" }), json!({ "id": "A" }), json!({ "id": "a", "mail": "x" })]
    {
        parameters.check(args).unwrap_err();
    }
}

#[test]
fn a_refusal_names_the_place_and_no_value() {
    let schema = json!({ "type": "object", "properties": { "card": { "type": "string", "pattern": "^x$", "enum": ["x"] } } });
    let error = check(&schema, &json!({ "card": "4111111111111111" })).unwrap_err();
    assert!(error.to_string().starts_with("argument `a/card`: "), "{error}");
    for schema in [json!({ "type": "integer" }), json!({ "type": "number" }), json!({ "type": "boolean" })] {
        assert!(!check(&schema, &json!("4111111111111111")).unwrap_err().to_string().contains("4111"));
        assert!(!check(&schema, &json!(41_111_111_111_111_119.5)).unwrap_err().to_string().contains("4111"));
    }
    let name = "x".repeat(10_000);
    let operation = operation(&json!({}), &json!([]));
    assert!(operation.parameters().check(json!({ name: 1 })).unwrap_err().to_string().len() < 500);
}

#[test]
fn a_pattern_takes_linear_time() {
    let schema = json!({ "type": "string", "pattern": "^(a+)+$" });
    check(&schema, &json!(format!("{}!", "a".repeat(100_000)))).unwrap_err();
}
