//! HTTP/1.1 as a protocol of the gateway: the listener's bytes, free requests through `/t/{target}/…`, and the answers on
//! their way back.
//!
//! The modules without input or output come first: [`codec`] checks the raw bytes, [`url`] normalises the request target,
//! [`headers`] says which headers go which way, and [`classify`] turns a request into a call that policy can decide on.
//! They refuse what two readers could read in two ways; what they let through is what is decided on and what is sent.

pub mod classify;
pub mod codec;
pub mod headers;
pub mod url;

mod driver;
mod refuse;

pub use driver::{Http, serve};
