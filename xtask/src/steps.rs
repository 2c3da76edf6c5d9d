//! Steps with a name, a duration, and what to do when one fails.

use std::time::Instant;

use crate::failure::Failure;

/// Steps that are run one after the other.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    done: usize,
}

impl Steps {
    /// None yet.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), done: 0 }
    }

    /// Runs one step, and says how long it took.
    ///
    /// # Errors
    /// The step's own.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n==> {name}");
        let started = Instant::now();
        let outcome = work();
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("    {name}: {verdict} after {:.1} s", started.elapsed().as_secs_f64());
        self.done += 1;
        outcome
    }

    /// Says that all went well.
    pub(crate) fn finish(self) {
        println!("\nall {} steps ok after {:.0} s", self.done, self.started.elapsed().as_secs_f64());
    }
}
