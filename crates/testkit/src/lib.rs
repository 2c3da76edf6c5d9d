//! What tests of several crates share: a clock that stands still and an issuer of tokens without a socket. For tests only:
//! no crate depends on it otherwise, and it panics where a test's own mistake shows.

mod clock;
mod token_issuer;

pub use clock::ManualClock;
pub use token_issuer::{KeyKind, TestIssuer};
