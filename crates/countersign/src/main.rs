//! The binary: command line, configuration and wiring.

#[expect(dead_code, reason = "the command line that starts it is being written")]
mod demo;

fn main() {}
