//! `cargo xtask quickstart`: builds the gateway and becomes `countersign quickstart`.

use std::os::unix::process::CommandExt;

use crate::failure::Failure;
use crate::place::Place;

/// Builds, and gives this process over to the gateway, so that signals and the exit code are its own.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    println!("building countersign; the first time takes some minutes");
    let mut cargo = place.cargo();
    cargo
        .args(["run", "--quiet", "--locked", "--package", "countersign", "--", "quickstart"])
        .args(arguments);
    let error = cargo.exec();
    Err(Failure::new(format!("cannot start cargo: {error}"), "install Rust with rustup, and run this again"))
}
