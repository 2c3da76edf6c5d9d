//! A path that skips a step, forges a proof, sends twice or writes after the end does not compile. Beside each such path
//! stands one that differs in a line and does: it is a module of this very test.
#![expect(dead_code, reason = "the paths that compile are not run")]

#[path = "kept/admitted.rs"]
mod admitted;
#[path = "kept/cleared.rs"]
mod cleared;
#[path = "kept/raw.rs"]
mod raw;
#[path = "kept/rendered.rs"]
mod rendered;
#[path = "kept/session.rs"]
mod session;
#[path = "kept/to_caller.rs"]
mod to_caller;
#[path = "kept/whole.rs"]
mod whole;

#[test]
fn a_path_that_skips_a_step_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/skips/*.rs");
}
