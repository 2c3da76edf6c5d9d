//! What is done to this repository from a terminal: `cargo xtask quickstart`, `test`, `fuzz`, `bench`.
//!
//! It has no dependencies, so that it is built in seconds. It promises that the two commands of the README work on a fresh
//! Debian machine: what is missing is installed into `.tools/` where that can be, by `apt-get` where it must be, and each
//! time it says so. Elsewhere it names what is missing. It refuses to touch anything else of the machine, and stops at
//! the first failure with what to do about it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it speaks to a person at a terminal")]

use std::env;
use std::process::ExitCode;

mod bench;
mod checks;
mod failure;
mod fuzz;
mod help;
mod place;
mod quickstart;
mod steps;
mod test;
mod tools;

use failure::Failure;
use place::Place;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Result<(), Failure> {
    match command {
        "quickstart" => quickstart::run(&Place::find()?, rest),
        "test" => test::run(&Place::find()?, rest),
        "fuzz" => fuzz::run(&Place::find()?, rest),
        "bench" => bench::run(&Place::find()?, rest),
        "" | "help" | "-h" | "--help" => help::run(),
        _ => Err(Failure::new(format!("there is no command `{command}`"), "see `cargo xtask help`")),
    }
}
