//! `cargo xtask help`.

use crate::failure::Failure;

const HELP: &str = "\
What is done to this repository. Missing tools are installed into .tools/, or by apt-get where there is one.

  cargo xtask quickstart [ARGS]        build the gateway and start it in front of a demo API
                                       (--once tells the story unattended; --help says the rest)
  cargo xtask test                     all that a change must pass, in the order of what fails fastest
  cargo xtask fuzz [--seconds N]       each fuzz target for N seconds (10)
  cargo xtask bench NAME               a benchmark of bench/
  cargo xtask help                     this";

/// Prints what there is.
///
/// # Errors
/// None; it has the shape of the other commands.
pub(crate) fn run() -> Result<(), Failure> {
    println!("{HELP}");
    Ok(())
}
