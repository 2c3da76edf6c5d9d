//! How the story is told: a line a step, with its proof.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::Path;

use serde_json::json;

use crate::commands::{print, safe, whole};

/// The most that is printed of what was seen instead.
const MOST: usize = 1_000;

/// What a step's function gives: its proof in a few words.
pub(super) type Seen = anyhow::Result<String>;

/// Something else than what was expected.
#[derive(Debug)]
struct Unseen {
    expected: String,
    seen: String,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, saw {}", self.expected, self.seen)
    }
}

impl std::error::Error for Unseen {}

/// Goes on if it holds; otherwise says what was expected, and what was seen.
pub(super) fn expect(holds: bool, expected: &str, seen: impl FnOnce() -> String) -> anyhow::Result<()> {
    if holds { Ok(()) } else { Err(Unseen { expected: expected.to_owned(), seen: seen() }.into()) }
}

/// Tells it, for people or for programs.
pub(super) struct Told {
    json: bool,
    good: &'static str,
    bad: &'static str,
    steps: usize,
    now: &'static str,
}

impl Told {
    pub(super) fn new(json: bool) -> Self {
        let (good, bad) =
            if std::io::stdout().is_terminal() { ("\u{2713}", "\u{2717}") } else { ("ok", "not seen") };
        Self { json, good, bad, steps: 0, now: "the story begins" }
    }

    /// Tells a step that was seen, and ends the story at one that was not.
    pub(super) fn step(&mut self, step: &'static str, seen: Seen) -> anyhow::Result<()> {
        self.now = step;
        let proof = seen?;
        self.now = "the step after that";
        self.steps += 1;
        if self.json {
            print(&json!({ "step": step, "seen": true, "proof": proof }).to_string());
        } else {
            print(&format!("{} {step:<40} {}", self.good, safe(&proof)));
        }
        Ok(())
    }

    /// Tells which step was not seen, and why.
    pub(super) fn unseen(&self, error: &anyhow::Error) {
        let (expected, seen) = match error.downcast_ref::<Unseen>() {
            Some(unseen) => (unseen.expected.as_str(), unseen.seen.clone()),
            None => ("that it can be seen", whole(error)),
        };
        let seen: String = seen.chars().take(MOST).collect();
        let lines = || seen.lines().map(safe).collect::<Vec<_>>().join("\n               ");
        if self.json {
            print(
                &json!({ "step": self.now, "seen": false, "expected": expected, "instead": seen })
                    .to_string(),
            );
        } else {
            print(&format!(
                "{} {}\n     expected: {expected}\n     seen:     {}",
                self.bad,
                self.now,
                lines()
            ));
        }
    }

    /// The end: all was seen, or where it can be looked into.
    pub(super) fn end(&self, kept: Option<&Path>) {
        match kept {
            _ if self.json => {
                print(&json!({ "steps": self.steps, "seen": kept.is_none(), "kept": kept }).to_string())
            }
            None => print(&format!("\nAll {} steps were seen.", self.steps)),
            Some(kept) => {
                print(&format!("\nWhat it left is kept in {}; its logs are in `logs` there.", kept.display()))
            }
        }
    }
}
