//! The second signature: stage 5 of the way of a call.
//!
//! ```text
//! pending ─┬─ approved ─┬─ used           (also: rejected, withdrawn, expired, void)
//! ```
//!
//! An approval is bound to one principal chain, one target and one digest, runs out, and is used once. Each change is
//! decided by a pure function ([`transition`], and who may sign by [`Approval`]'s own rules) and kept by one atomic
//! compare-and-set in the store, so that signing, rejecting, use and expiry have exactly one outcome, whichever processes
//! they come from. What was asked is sealed at rest, and so is where it stands: a row that was edited in the file is
//! refused, not believed.
//!
//! It refuses a signature of anybody in the caller's own chain, a second one of the same person, one of a group that was
//! not asked, and any use of what is not signed. It decides nothing about policy: after a signature, policy decides again.

mod approval;
mod approvals;
mod error;
mod sealed;
mod signing;
mod state;
mod wake;

pub use approval::{Approval, NewApproval, Rejection, Settled, Signature, Used};
pub use approvals::{Approvals, Filter, Settings};
pub use error::ApprovalError;
pub use state::{Event, NotNow, State, transition};
