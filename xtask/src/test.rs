//! `cargo xtask test`: all that a change must pass, in the order of what fails fastest.

use crate::checks;
use crate::failure::Failure;
use crate::fuzz;
use crate::place::{Place, finish};
use crate::steps::Steps;
use crate::tools;

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 10;

/// Crash points, so that the tests which kill the gateway at each of them are checked and run.
const CRASH_POINTS: &str = "--features=countersign/failpoints";

/// Runs every step, and stops at the first that fails.
///
/// # Errors
/// The first step's that fails, with what to do about it.
pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::new(
            format!("`test` takes no argument, but `{argument}` was given"),
            "run `cargo xtask test`",
        ));
    }
    let targets = fuzz::targets(place)?;
    let mut steps = Steps::start();
    steps.step("tools", || {
        tools::rust_components(place)?;
        tools::python_packages(place)?;
        tools::identity_provider(place)?;
        if targets.is_empty() { Ok(()) } else { tools::cpp_compiler(place) }
    })?;
    steps
        .step("cargo fmt --check", || cargo(place, &["fmt", "--all", "--check"], "run `cargo fmt --all`"))?;
    steps.step("repository checks", || checks::run(place))?;
    steps.step("cargo clippy", || {
        let clippy =
            ["clippy", "--workspace", "--all-targets", "--locked", CRASH_POINTS, "--", "-D", "warnings"];
        cargo(place, &clippy, "mend what clippy names; an exception is an #[expect] with a reason")
    })?;
    steps.step("cargo deny", || {
        let next = "choose another dependency, or say in deny.toml why this one may stay";
        cargo(place, &["deny", "check", "bans", "licenses", "sources"], next)
    })?;
    steps.step("cargo test", || {
        let next = "run the failing test alone: `cargo test -p CRATE NAME`, for tests of crash points with \
                    `--features countersign/failpoints`";
        cargo(place, &["test", "--workspace", "--locked", CRASH_POINTS], next)
    })?;
    steps.step("quickstart --once", || {
        let story = ["run", "--quiet", "--locked", "--package", "countersign", "--", "quickstart", "--once"];
        cargo(place, &story, "it says above which step of the story was not seen")
    })?;
    for target in &targets {
        steps.step(&format!("fuzz {}", target.name), || fuzz::run_target(place, target, FUZZ_SECONDS))?;
    }
    steps.finish();
    Ok(())
}

fn cargo(place: &Place, arguments: &[&str], next: &str) -> Result<(), Failure> {
    finish(place.cargo().args(arguments)).map_err(|failure| failure.next(next))
}
