//! Arguments: JSON that fits its schema, beside the same values as policies read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{Record, Value as Typed};
use serde_json::{Map, Number, Value};

use crate::OperationError;
use crate::schema::{Kind, Object, Scalar};

/// Integers beyond this are not the same to every reader of JSON.
const EXACT: i64 = (1 << 53) - 1;

/// Text longer than this is not shown in a sentence.
const MAX_SHOWN: usize = 64;

/// A sentence is no longer than this, in characters.
const MAX_SENTENCE: usize = 512;

/// The arguments of one call, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// As the caller gave them, in the schema's order: what a signature covers.
    pub json: Map<String, Value>,
    /// As policies read them. Null is absent here.
    pub values: Record,
}

/// Types `args`, which the schema has let through.
pub(crate) fn read(object: &Object, args: Value) -> Result<Arguments, OperationError> {
    let (json, values) = record(object, args, "")?;
    Ok(Arguments { json, values })
}

/// A refusal of the value at this JSON pointer.
pub(crate) fn refused(pointer: &str, reason: String) -> OperationError {
    let at = pointer.trim_start_matches('/');
    let at = if at.is_empty() { "arguments" } else { at };
    let shorten = |text: &str| text.chars().take(200).flat_map(char::escape_debug).collect();
    OperationError::Argument { at: shorten(at), reason: shorten(&reason) }
}

fn record(object: &Object, args: Value, at: &str) -> Result<(Map<String, Value>, Record), OperationError> {
    let Value::Object(mut given) = args else { return Err(refused(at, "an object is expected".to_owned())) };
    let mut json = Map::new();
    let mut values = Record::new();
    for (name, member) in &object.members {
        let at = format!("{at}/{name}");
        let value = match given.remove(name) {
            None if member.required => return Err(refused(&at, "it is required".to_owned())),
            None => continue,
            Some(Value::Null) if member.nullable => {
                json.insert(name.clone(), Value::Null);
                continue;
            }
            Some(value) => value,
        };
        let (value, typed) = match &member.kind {
            Kind::Scalar(kind) => scalar(*kind, value, &at)?,
            Kind::Set(kind) => set(*kind, value, &at)?,
            Kind::Record(object) => {
                let (json, values) = record(object, value, &at)?;
                (Value::Object(json), Typed::Record(values))
            }
        };
        json.insert(name.clone(), value);
        values.insert(name.clone(), typed);
    }
    match given.keys().next() {
        Some(unknown) => Err(refused(at, format!("`{unknown}` is not declared"))),
        None => Ok((json, values)),
    }
}

fn set(kind: Scalar, value: Value, at: &str) -> Result<(Value, Typed), OperationError> {
    let Value::Array(items) = value else { return Err(refused(at, "an array is expected".to_owned())) };
    let mut json = Vec::with_capacity(items.len());
    let mut distinct = BTreeMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let (item, typed) = scalar(kind, item, &format!("{at}/{index}"))?;
        distinct.insert(item.to_string(), typed);
        json.push(item);
    }
    Ok((Value::Array(json), Typed::Set(distinct.into_values().collect())))
}

fn scalar(kind: Scalar, value: Value, at: &str) -> Result<(Value, Typed), OperationError> {
    let typed = match (kind, &value) {
        (Scalar::Bool, Value::Bool(value)) => Typed::Bool(*value),
        (Scalar::Text, Value::String(text)) => Typed::String(text.clone()),
        (Scalar::Long, Value::Number(number)) => {
            let long =
                long(number).ok_or_else(|| refused(at, "it is no integer within ±(2^53-1)".to_owned()))?;
            return Ok((long.into(), Typed::Long(long)));
        }
        (Scalar::Decimal, Value::Number(number)) => {
            let expected =
                "it is no number with at most four digits after the point, within ±922337203685477.58";
            let (number, text) = decimal(number).ok_or_else(|| refused(at, expected.to_owned()))?;
            return Ok((Value::Number(number), Typed::Decimal(text)));
        }
        (Scalar::Bool, _) => return Err(refused(at, "true or false is expected".to_owned())),
        (Scalar::Text, _) => return Err(refused(at, "text is expected".to_owned())),
        (Scalar::Long | Scalar::Decimal, _) => return Err(refused(at, "a number is expected".to_owned())),
    };
    Ok((value, typed))
}

/// An integer, also when it is written as `4.0`, which JSON Schema takes for one.
fn long(number: &Number) -> Option<i64> {
    let long = number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| !number.is_u64() && float.fract() == 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked: no fraction, and within what a double holds exactly"
        )]
        (float.abs() <= EXACT as f64).then_some(float as i64)
    });
    long.filter(|long| long.unsigned_abs() <= EXACT.unsigned_abs())
}

/// A decimal as policies write it, with one to four digits after the point, and the number that is sent for it.
fn decimal(number: &Number) -> Option<(Number, String)> {
    let number = if number.as_f64() == Some(0.0) { Number::from(0) } else { number.clone() };
    // The shortest text that reads back as the same double, without an exponent.
    let text = if number.is_f64() { format!("{}", number.as_f64()?) } else { number.to_string() };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let scaled: i128 = format!("{whole}{fraction:0<4}").parse().ok()?;
    let fits = fraction.len() <= 4 && i64::try_from(scaled).is_ok();
    fits.then(|| (number, format!("{whole}.{fraction}")))
}

/// The call in one line: `payments.refund(amount: 4120, card: "…")`.
pub(crate) fn sentence(name: &str, json: &Map<String, Value>) -> String {
    let mut line = format!("{name}(");
    for (index, (name, value)) in json.iter().enumerate() {
        let mut part = if index == 0 { format!("{name}: ") } else { format!(", {name}: ") };
        let mut shown = String::new();
        show(value, &mut shown);
        part.push_str(if shown.chars().count() <= MAX_SHOWN { &shown } else { "…" });
        if line.chars().count() + part.chars().count() + ", …)".chars().count() > MAX_SENTENCE {
            line.push_str(", …");
            break;
        }
        line.push_str(&part);
    }
    line.push(')');
    line
}

/// Rust's debug form for text: it escapes what would not be seen or would turn the line around.
fn show(value: &Value, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = match value {
        Value::String(text) => write!(out, "{text:?}"),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate().take(MAX_SHOWN) {
                out.push_str(if index > 0 { ", " } else { "" });
                show(item, out);
            }
            write!(out, "]")
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(name);
                out.push_str(": ");
                show(member, out);
            }
            write!(out, "}}")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => write!(out, "{value}"),
    };
}
