//! JSON that every reader reads the same way.
//!
//! RFC 8259 leaves open what a doubled member means, how large an integer may be and how deep a text may nest; two readers
//! that answer differently see two requests. Here each of these is refused: doubled members, members with NUL in their
//! names, integers beyond ±(2^53−1), numbers that no double holds, lone surrogates, text that is not UTF-8, a byte order
//! mark, anything after the value, and what is larger or deeper than the caller allows.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

const EXACT: u64 = (1 << 53) - 1;

/// How much JSON is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// The longest text, in bytes.
    pub bytes: usize,
    /// The deepest nesting of arrays and objects; a scalar has none. More than 100 counts as 100.
    pub depth: usize,
}

impl JsonLimits {
    /// What a request's arguments may be: 1 MiB, 32 levels.
    pub const REQUEST: Self = Self { bytes: 1 << 20, depth: 32 };
}

/// Why JSON was refused. No value of it is in the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line}, column {column}")]
pub struct StrictJsonError {
    reason: String,
    line: usize,
    column: usize,
}

/// Parses exactly one JSON value.
///
/// # Errors
/// [`StrictJsonError`] for what is no JSON, and for JSON that two readers could read in two ways.
pub fn parse_strict_json(text: &[u8], limits: JsonLimits) -> Result<Value, StrictJsonError> {
    if text.len() > limits.bytes {
        let reason = format!("JSON is longer than {} bytes", limits.bytes);
        return Err(StrictJsonError { reason, line: 0, column: 0 });
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: limits.depth.min(100) }.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| StrictJsonError {
        reason: reason_of(&error),
        line: error.line(),
        column: error.column(),
    })
}

/// serde_json appends the place to every message; ours keeps it in fields.
fn reason_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

/// Reads one value, with `depth` levels still allowed below it.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn below<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("JSON is nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        exact(value.unsigned_abs())?;
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        exact(value)?;
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() > EXACT as f64 {
            return Err(inexact());
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(inexact)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.contains('\0') {
                return Err(de::Error::custom("a member's name holds NUL"));
            }
            let value = members.next_value_seed(below)?;
            if out.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(out))
    }
}

fn exact<E: de::Error>(magnitude: u64) -> Result<(), E> {
    if magnitude > EXACT { Err(inexact()) } else { Ok(()) }
}

fn inexact<E: de::Error>() -> E {
    E::custom("a number is beyond ±(2^53-1), which not every reader holds exactly: send it as a string")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: JsonLimits = JsonLimits { bytes: 256, depth: 3 };

    fn refused(text: &str) -> String {
        parse_strict_json(text.as_bytes(), SMALL).unwrap_err().to_string()
    }

    #[test]
    fn what_every_reader_reads_alike_is_read() {
        let text = r#"{"a":[1,-2,0.5,true,null],"b":{"c":"\u00e9\ud83d\ude00"},"max":9007199254740991}"#;
        let strict = parse_strict_json(text.as_bytes(), SMALL).unwrap();
        assert_eq!(strict, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_doubled_member_is_refused_at_any_depth_and_however_it_is_escaped() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"a":2}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(refused(text).starts_with("a member is there twice at line 1"), "{text}");
        }
    }

    #[test]
    fn numbers_that_not_every_reader_holds_are_refused() {
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "1e30",
            "1e999",
            "18446744073709551616",
            "9007199254740993.0",
        ] {
            parse_strict_json(text.as_bytes(), SMALL).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_json_text_is_refused() {
        let bad: [&[u8]; 11] = [
            b"",
            b"{} {}",
            b"\xef\xbb\xbf{}",
            b"\"\xff\"",
            br#""\ud800""#,
            br#""\udc00\ud800""#,
            b"NaN",
            b"01",
            b"[1,]",
            b"{\"a\\u0000\":1}",
            b"'a'",
        ];
        for text in bad {
            assert!(parse_strict_json(text, SMALL).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(parse_strict_json(b"[[[1]]]", SMALL).is_ok());
        assert!(refused("[[[[1]]]]").starts_with("JSON is nested too deeply"));
        assert!(refused(&format!("\"{}\"", "x".repeat(255))).starts_with("JSON is longer than 256 bytes"));
        let bottomless = "[".repeat(200_000);
        let limits = JsonLimits { bytes: 1 << 20, depth: usize::MAX };
        assert!(parse_strict_json(bottomless.as_bytes(), limits).is_err());
    }

    #[test]
    fn a_refusal_holds_no_value() {
        assert!(!refused(r#"{"card":"4111111111111111","card":1}"#).contains("4111"));
        assert!(!refused(r#"{"n":98765432109876543}"#).contains("98765"));
    }
}
