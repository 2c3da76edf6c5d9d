//! Named operations: the typed functions that a target's owner declares, each with the HTTP request behind it.
//!
//! [`Operations::parse`] reads what the configuration declares and refuses, at load, whatever could not be checked, shown to
//! policies or bound without doubt: a parameter without a [`model::Shape`], a placeholder without a parameter, a parameter
//! without a place, two operations with one tool name. [`Parameters::check`] turns a caller's JSON into [`Arguments`], typed
//! as policies see them; [`HttpTemplate::bind`] puts those into a request, each value encoded for its place. Nothing is ever
//! pasted as text, and nothing here does input or output.

mod arguments;
mod body;
mod error;
mod headers;
mod http;
mod operation;
mod parameters;
mod schema;
mod template;

pub use arguments::Arguments;
pub use error::OperationError;
pub use http::{HttpBody, HttpParts, HttpTemplate};
pub use operation::{Binding, Operation, Operations, RawOperation};
pub use parameters::Parameters;
