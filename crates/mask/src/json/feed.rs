//! The bytes of one push on their way from the target to the caller: most pass where they lie.

use crate::{Counts, Plan};

/// The bytes of one push on their way through.
pub(super) struct Feed<'a> {
    pub(super) plan: &'a Plan,
    pub(super) data: &'a [u8],
    /// Up to where `data` has been released or dropped.
    pub(super) passed: usize,
    pub(super) counts: &'a mut Counts,
    pub(super) out: &'a mut Vec<u8>,
    /// The first place of `data` at which a needle could begin, looked for as far as was needed.
    pub(super) candidate: usize,
}

impl Feed<'_> {
    /// Releases everything before `to` that has not been dropped.
    pub(super) fn release(&mut self, to: usize) {
        self.out.extend_from_slice(self.data.get(self.passed..to).unwrap_or_default());
        self.passed = to;
    }

    /// Drops everything before `to` that has not been released.
    pub(super) fn skip(&mut self, to: usize) {
        self.passed = to;
    }

    /// Whether a needle could begin between `from` and `to`.
    pub(super) fn suspects(&mut self, from: usize, to: usize) -> bool {
        if self.candidate < from {
            self.candidate = self.plan.needles.candidate(self.data, from);
        }
        self.candidate < to
    }
}
