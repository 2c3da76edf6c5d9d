//! What these commands need beside cargo. Each function looks first, uses what is there, and installs only what is not.

mod apt;
mod node;
mod python;

use crate::failure::Failure;
use crate::place::{Place, finish};

pub(crate) use node::identity_provider;
pub(crate) use python::python_packages;

/// rustfmt and clippy.
///
/// # Errors
/// When one is missing and rustup cannot add it.
pub(crate) fn rust_components(place: &Place) -> Result<(), Failure> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if place.succeeds("cargo", &[command, "--version"]) {
            println!("    {component}: there");
            continue;
        }
        println!("    {component}: missing, so `rustup component add {component}`");
        finish(place.command("rustup").args(["component", "add", component]))
            .map_err(|failure| failure.next(format!("install {component} of your Rust toolchain")))?;
    }
    Ok(())
}

/// A C++ compiler, which builds libFuzzer.
///
/// # Errors
/// When there is none and none can be installed.
pub(crate) fn cpp_compiler(place: &Place) -> Result<(), Failure> {
    if place.succeeds("c++", &["--version"]) {
        println!("    c++: there");
        return Ok(());
    }
    apt::install(place, &["g++"], "a C++ compiler, `c++`, which builds libFuzzer")
}

/// nginx and wrk, which benchmarks measure against and with.
///
/// # Errors
/// When one is missing and cannot be installed.
pub(crate) fn web_servers(place: &Place) -> Result<(), Failure> {
    for (program, flag, what) in
        [("nginx", "-v", "the proxy to compare with"), ("wrk", "-v", "the load generator")]
    {
        // wrk prints its version and fails; that it starts is enough.
        if place.command(program).arg(flag).output().is_ok() {
            println!("    {program}: there");
        } else {
            apt::install(place, &[program], &format!("{program}, {what}"))?;
        }
    }
    Ok(())
}
