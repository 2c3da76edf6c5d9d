//! Operations, seen from outside: what is refused at load, what arguments become, and what is sent.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod arguments;
mod binding;
mod load;
mod tool;

use std::collections::BTreeMap;

use model::{OperationName, TargetName};
use operation::{Operation, OperationError, Operations, RawOperation};
use serde_json::{Value, json};

/// The operations of the target `crm`, by name.
fn operations(declared: &[(&str, Value)]) -> Result<Operations, OperationError> {
    let read = |(name, raw): &(&str, Value)| {
        ((*name).to_owned(), serde_json::from_value::<RawOperation>(raw.clone()).unwrap())
    };
    let raw: BTreeMap<String, RawOperation> = declared.iter().map(read).collect();
    Operations::parse(&TargetName::parse("crm").unwrap(), raw)
}

/// One operation, `customers.read`, that is a GET of `/customers` but for these keys; null takes a key away.
fn operation_with(changes: &Value) -> Result<Operation, OperationError> {
    let mut raw = json!({ "description": "Reads a customer.", "method": "GET", "path": "/customers" });
    raw.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    raw.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let operations = operations(&[("customers.read", raw)])?;
    Ok(operations.get(&OperationName::parse("customers.read").unwrap()).unwrap().clone())
}
