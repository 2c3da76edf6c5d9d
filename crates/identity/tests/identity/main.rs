//! Identity, seen from outside: every JWT attack that was published against systems like this one, the life of key sets,
//! and fetching over HTTP.

mod fake;
mod hostile;
mod http;
mod key_sets;
mod principals;
