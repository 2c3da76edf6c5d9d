//! A path that skips a step, forges a proof, sends twice or writes after the end does not compile. Beside each such path
//! stands one that differs in a line and does.

#[test]
fn a_path_that_skips_a_step_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/kept/*.rs");
    cases.compile_fail("tests/skips/*.rs");
}
