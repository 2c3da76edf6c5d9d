//! Values that policies may read: the arguments of a call, typed and without ambiguity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Attributes by name.
pub type Record = BTreeMap<String, Value>;

/// One typed value. A value that does not fit its [`crate::Shape`] is refused before a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// An integer.
    Long(i64),
    /// A decimal number with up to four digits after the point, as text.
    Decimal(String),
    /// Text.
    String(String),
    /// Values without order or repetition.
    Set(Vec<Value>),
    /// Attributes whose names the shape knows.
    Record(Record),
    /// Attributes whose names nobody knows beforehand (query parameters, claims); an entity with tags in policies.
    Tags(Record),
}

impl Value {
    /// Text as a value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }
}
