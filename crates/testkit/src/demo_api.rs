//! The demo API as a process: a target with a long-term key that counts what was done to it in a file of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;

/// Its long-term key.
const KEY: &str = "demo-key-4f6f2a9b7c1e5d83";

/// A running demo API.
#[derive(Debug)]
pub struct DemoApi {
    address: SocketAddr,
    folder: TempDir,
    // Its standard input stays open as long as the child is kept: its end would end it.
    _process: Process,
}

impl DemoApi {
    /// Starts it with the program at `program`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[expect(clippy::expect_used, clippy::panic, reason = "for tests: without a target there is no test")]
    pub fn start(program: &str) -> Self {
        let folder = TempDir::new().expect("there is room for a folder");
        let mut command = Command::new(program);
        command.args(["demo-api", "--listen", "127.0.0.1:0", "--state"]).arg(folder.path().join("state"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            Process::spawn(&mut command, &folder.path().join("log")).expect("the demo API starts");
        let child = process.child();
        writeln!(child.stdin.as_mut().expect("its input is piped"), "{KEY}").expect("it reads its key");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let address = said.get("listening").and_then(Value::as_str).and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the demo API did not start: {}", process.log()));
        Self { address, folder, _process: process }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it demands as `X-Api-Key`.
    #[must_use]
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// What was done to it, one synced line an effect.
    #[must_use]
    pub fn effects(&self) -> Vec<Value> {
        lines(&self.state().join("effects.jsonl"))
    }

    /// Every request that it saw: method, path, whether the key was right, whether a foreign credential came with it.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        lines(&self.state().join("requests.jsonl"))
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
