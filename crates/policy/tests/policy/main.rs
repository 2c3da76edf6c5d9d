//! What policies do to calls, through the crate's interface alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

mod asks;
mod decisions;
mod differential;
mod fixture;
mod hostile;
mod loading;
