//! JSON in the one form that a signature covers: RFC 8785 (JSON Canonicalization Scheme).
//!
//! It refuses what two readers could read differently: integers beyond ±(2^53−1) and numbers that are not finite.

use serde_json::{Number, Value};

const EXACT: u64 = (1 << 53) - 1;

/// Deeper values are refused, so that a hostile one cannot exhaust the stack.
const MAX_DEPTH: usize = 128;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// An integer that not every reader of JSON holds exactly.
    #[error("the integer {0} is beyond ±(2^53-1), which not every reader holds exactly: send it as a string")]
    Inexact(String),
    /// Nested too deeply.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The canonical bytes of `value`: members sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them
/// (RFC 8785, section 3.2).
///
/// # Errors
/// [`CanonicalError`] when the value has no form that every reader reads the same way.
pub fn canonical_json(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(256);
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    if depth > MAX_DEPTH {
        return Err(CanonicalError::TooDeep);
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(member, depth + 1, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let inexact = || CanonicalError::Inexact(number.to_string());
    if let Some(integer) = number.as_i64() {
        if integer.unsigned_abs() > EXACT {
            return Err(inexact());
        }
        out.extend_from_slice(integer.to_string().as_bytes());
        return Ok(());
    }
    let float = number.as_f64().filter(|f| f.is_finite() && !number.is_u64()).ok_or_else(inexact)?;
    if float.fract() == 0.0 && float.abs() > EXACT as f64 {
        return Err(inexact());
    }
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(float).as_bytes());
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(json: &str) -> String {
        String::from_utf8(canonical_json(&serde_json::from_str(json).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8785_comes_out_as_the_rfc_prints_it() {
        let given = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let given = given.replace("1E30,", "");
        assert_eq!(
            canonical(&given),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn members_are_sorted_by_utf16_units_and_not_by_bytes() {
        assert_eq!(
            canonical("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"a\":3}"),
            "{\"a\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn integers_that_not_every_reader_holds_are_refused() {
        for bad in ["9007199254740992", "-9007199254740992", "18446744073709551615", "1e30"] {
            let value: Value = serde_json::from_str(bad).unwrap();
            assert!(canonical_json(&value).is_err(), "{bad}");
        }
        assert_eq!(canonical("9007199254740991"), "9007199254740991");
    }
}
