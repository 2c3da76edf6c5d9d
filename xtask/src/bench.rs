//! `cargo xtask bench NAME`: builds the gateway for release and runs `bench/NAME/run` with what it measures against.
//!
//! A benchmark finds the gateway's path in `COUNTERSIGN`, and nginx and wrk installed.

use std::fs;

use crate::failure::Failure;
use crate::place::{Place, finish};
use crate::tools;

/// Runs one benchmark.
///
/// # Errors
/// When there is none of that name, a tool is missing, or it fails.
pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    let names = names(place);
    let known = if names.is_empty() {
        "there are none yet".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    let [name] = arguments else {
        return Err(Failure::new("`bench` takes one name", known));
    };
    if !names.contains(name) {
        return Err(Failure::new(format!("there is no benchmark `{name}`"), known));
    }
    tools::web_servers(place)?;
    finish(place.cargo().args(["build", "--release", "--locked", "--package", "countersign"]))
        .map_err(|failure| failure.next("mend the build, and run this again"))?;
    let script = place.root.join("bench").join(name).join("run");
    finish(place.command(script).env("COUNTERSIGN", place.target()?.join("release/countersign")))
}

fn names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.root.join("bench")).into_iter().flatten().flatten();
    let benches = entries.filter(|entry| entry.path().join("run").is_file());
    let mut names: Vec<String> =
        benches.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
