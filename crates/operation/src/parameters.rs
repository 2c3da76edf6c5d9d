//! What an operation may be called with: the schema that callers see, the shape that policies see, and the check between.

use std::collections::BTreeMap;

use jsonschema::{Draft, PatternOptions, Validator};
use model::Field;
use serde_json::{Value, json};

use crate::schema::{self, Object};
use crate::{Arguments, OperationError, arguments};

/// The largest schema, as compact JSON.
const MAX_SCHEMA: usize = 64 << 10;

/// The largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 256 << 10;

/// The parameters of one operation.
#[derive(Debug, Clone)]
pub struct Parameters {
    schema: Value,
    object: Object,
    validator: Validator,
}

impl Parameters {
    /// Reads a schema. On failure: the key of the declaration, and what is wrong.
    pub(crate) fn parse(raw: Option<&Value>) -> Result<Self, (String, String)> {
        let raw = raw.cloned().unwrap_or_else(|| json!({}));
        let wrong = |reason: String| ("parameters".to_owned(), reason);
        if raw.to_string().len() > MAX_SCHEMA {
            return Err(wrong(format!("the schema is longer than {MAX_SCHEMA} bytes")));
        }
        let object = schema::read(&raw)?;
        let schema = schema::closed(raw);
        // `offline`: nothing is ever fetched. `regex`: patterns take time linear in the text, so look-around is refused.
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
            .build(&schema)
            .map_err(|error| {
                let at = error.instance_path().as_str().replace('/', ".");
                (format!("parameters{at}"), error.to_string())
            })?;
        Ok(Self { schema, object, validator })
    }

    /// The type of `args` in the context of policies.
    #[must_use]
    pub fn shape(&self) -> BTreeMap<String, Field> {
        self.object.shape()
    }

    /// The JSON Schema as callers see it: what was declared, closed to members that were not.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Checks a caller's arguments against the schema and types them. An integer written as `4.0` is made `4`, so that what
    /// policies see and what is sent are one value; nothing else is changed, and no default is filled in. Read the JSON with
    /// [`model::parse_strict_json`]: a doubled member is gone by the time a `Value` exists.
    ///
    /// # Errors
    /// [`OperationError::Argument`] for the first value that the schema or its shape does not allow. A value of the wrong
    /// type is refused, never taken as absent.
    pub fn check(&self, args: Value) -> Result<Arguments, OperationError> {
        if let Err(error) = self.validator.validate(&args) {
            return Err(arguments::refused(error.instance_path().as_str(), error.masked().to_string()));
        }
        arguments::read(&self.object, args)
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }
}

/// Whether `name` may name a parameter: a letter or `_`, then letters, digits, `_` and `-`, at most 64 in all, not
/// beginning with `__`, which policies keep for themselves.
pub(crate) fn is_parameter_name(name: &str) -> bool {
    name.len() <= 64
        && !name.starts_with("__")
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
