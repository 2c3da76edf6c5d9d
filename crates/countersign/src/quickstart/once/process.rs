//! Processes of this same program: the quickstart itself, and commands of an auditor.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::super::announce::Announcement;
use super::super::place::Place;
use super::client::Answers;
use super::told::expect;

/// How long a process may take to start, to end, or to run through.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is logged: much, so that there is much to search.
const LOG: &str = "trace";

/// A running `countersign quickstart`. It is killed when this is dropped.
pub(super) struct Running {
    child: Child,
    /// Kept open, so that it can be written to until the end.
    _stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it and waits until it says where it is. Its log goes to `log`.
    pub(super) async fn start(
        place: &Place,
        log: &Path,
        answers: &Answers,
    ) -> anyhow::Result<(Self, Announcement)> {
        let log_file = File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut child = command()?
            .args(["quickstart", "--json", "--data"])
            .arg(place.folder())
            .env("COUNTERSIGN_LOG", LOG)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .context("the quickstart cannot be started")?;
        let mut stdout = BufReader::new(child.stdout.take().context("it has no standard output")?);
        let mut line = String::new();
        let read = timeout(DEADLINE, stdout.read_line(&mut line)).await;
        let told = read.ok().and_then(Result::ok).and_then(|_| serde_json::from_str(&line).ok());
        let Some(told) = told else { bail!("it did not start: see `{}`", log.display()) };
        answers.keep(line.as_bytes());
        Ok((Self { child, _stdout: stdout }, told))
    }

    /// Tells it to end, as an init system would, and waits until it has.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended by itself")?;
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id.to_string()]).status();
        told.await.context("no signal could be sent")?;
        let status = timeout(DEADLINE, self.child.wait()).await.context("it does not end")??;
        expect(status.success(), "exit status 0", || status.to_string())
    }
}

/// What a command printed, and its exit status.
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) error: String,
}

impl Ran {
    /// What it printed, as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or(Value::Null)
    }

    /// Goes on if it ended with this exit status.
    pub(super) fn is(&self, code: i32) -> anyhow::Result<()> {
        expect(self.code == Some(code), &format!("exit status {code}"), || self.to_string())
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit status {:?}: {}{}", self.code, self.out, self.error)
    }
}

/// Runs a command of this program to its end. What it says is kept.
pub(super) async fn run(arguments: &[&std::ffi::OsStr], answers: &Answers) -> anyhow::Result<Ran> {
    let output = timeout(DEADLINE, command()?.args(arguments).stdin(Stdio::null()).output());
    let output =
        output.await.context("the command does not end")?.context("the command cannot be started")?;
    answers.keep(&output.stdout);
    answers.keep(&output.stderr);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { code: output.status.code(), out: text(&output.stdout), error: text(&output.stderr) })
}

fn command() -> anyhow::Result<Command> {
    let mut command =
        Command::new(std::env::current_exe().context("this program's own file cannot be found")?);
    // What the user's shell has set for another gateway has no say here.
    for name in ["URL", "TOKEN", "TOKEN_FILE", "CA_FILE", "CONFIG", "SETUP_CODE", "LOG"] {
        command.env_remove(format!("COUNTERSIGN_{name}"));
    }
    command.kill_on_drop(true);
    Ok(command)
}
