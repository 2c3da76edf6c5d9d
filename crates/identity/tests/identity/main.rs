//! Identity, seen from outside: every JWT attack that was published against systems like this one, the life of key sets,
//! and fetching over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod fake;
mod hostile;
mod http;
mod key_sets;
mod principals;
