//! The driver: HTTP/1.1 between callers, `gate` and targets. What is decided, it asks `gate`; what is checked, it asks the
//! modules without input or output. It holds no connector: towards targets it runs over streams that `gate` dialled.

mod body;
mod connection;
mod exchange;
mod free;
mod guarded;
mod named;
mod prefer;
mod respond;
mod sending;
mod service;
mod settings;

pub use connection::serve;
pub use named::Http;
