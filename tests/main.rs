//! End to end, through the real binary: one test binary for all, so that it links once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by a panic"
)]

mod approvals;
mod cli;
mod counterparts;
#[cfg(feature = "failpoints")]
mod crash;
mod credential;
mod free;
mod headers;
mod identity;
mod journal_full;
mod life;
mod masking;
mod origin;
mod own;
mod records;
mod scene;
mod slow;
mod smuggling;
mod streaming;
mod targets;
mod tls;
mod world;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

#[test]
fn no_file_of_tests_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let named = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
            let module = format!("mod {name};");
            assert!(named.lines().any(|line| line == module), "tests/main.rs does not say `{module}`");
        }
    }
}
