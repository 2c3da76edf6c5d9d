//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// How long anything may take that a test waits for. Far longer than it takes, so that a slow machine fails no test.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks until `happened` gives something.
///
/// # Panics
/// When it does not within [`DEADLINE`]; `what` says what was awaited.
#[expect(clippy::panic, reason = "for tests: what does not happen fails the test")]
pub fn eventually<T>(what: &str, mut happened: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = happened() {
            return value;
        }
        if begun.elapsed() > DEADLINE {
            panic!("this did not happen within {} s: {what}", DEADLINE.as_secs());
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a test's thread gives way between two looks"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
