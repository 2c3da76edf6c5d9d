//! What a call's arguments look like, so that policies can be validated before any call arrives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The type of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// True or false.
    Bool,
    /// A 64-bit integer.
    Long,
    /// A decimal with four digits after the point.
    Decimal,
    /// Text.
    String,
    /// A set of one type.
    Set(Box<Shape>),
    /// A record with known attributes.
    Record(BTreeMap<String, Field>),
    /// Unknown names, all of one type.
    Tags(Box<Shape>),
}

/// One attribute of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its type.
    pub shape: Shape,
    /// Whether it is always there.
    pub required: bool,
}

impl Field {
    /// An attribute that is always there.
    #[must_use]
    pub fn required(shape: Shape) -> Self {
        Self { shape, required: true }
    }

    /// An attribute that may be absent.
    #[must_use]
    pub fn optional(shape: Shape) -> Self {
        Self { shape, required: false }
    }
}
