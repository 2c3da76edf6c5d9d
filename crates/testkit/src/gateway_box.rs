//! The real gateway, as a process on a folder of its own that outlives it: killed, told to stop, started again.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::http::{Outgoing, exchange_raw};
use crate::process::{Process, Signal};
use crate::wait::eventually;

/// What a gateway is made from.
#[derive(Debug)]
#[must_use = "it starts with `start`"]
pub struct Builder {
    program: PathBuf,
    top: String,
    tables: String,
    policies: Vec<(String, String)>,
    secrets: Vec<(String, String)>,
    environment: Vec<(String, String)>,
}

/// A gateway and its folder.
#[derive(Debug)]
pub struct GatewayBox {
    program: PathBuf,
    folder: TempDir,
    environment: Vec<(String, String)>,
    process: Option<Process>,
    address: Option<SocketAddr>,
}

const OURS: &str = "a test may write to its own folder and start the program";

impl Builder {
    /// Adds a key at the top of `countersign.toml`, before any table: `workers = 1`.
    pub fn key(mut self, line: &str) -> Self {
        let _ = writeln!(self.top, "{line}");
        self
    }

    /// Adds tables to `countersign.toml`: issuers, targets, `[journal]`.
    pub fn table(mut self, text: &str) -> Self {
        let _ = writeln!(self.tables, "{text}");
        self
    }

    /// Adds a file of policies, or replaces it.
    pub fn policy(mut self, file: &str, text: &str) -> Self {
        self.policies.retain(|(name, _)| name != file);
        self.policies.push((file.to_owned(), text.to_owned()));
        self
    }

    /// Seals a secret before the first start.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets an environment variable of the gateway, at every start.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the folder without starting anything, for configurations that must not start.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn write(self) -> GatewayBox {
        let folder = TempDir::new().expect(OURS);
        let mut top = self.top;
        for (key, value) in [("listen", "127.0.0.1:0"), ("data", "data"), ("policies", "policies")] {
            if !top.lines().any(|line| line.trim_start().starts_with(&format!("{key} "))) {
                let _ = writeln!(top, "{key} = \"{value}\"");
            }
        }
        std::fs::write(folder.path().join("countersign.toml"), format!("{top}\n{}", self.tables))
            .expect(OURS);
        std::fs::create_dir(folder.path().join("policies")).expect(OURS);
        for (name, text) in &self.policies {
            std::fs::write(folder.path().join("policies").join(name), text).expect(OURS);
        }
        let gateway = GatewayBox {
            program: self.program,
            folder,
            environment: self.environment,
            process: None,
            address: None,
        };
        for (name, value) in &self.secrets {
            gateway.set_secret(name, value);
        }
        gateway
    }

    /// Writes the folder and starts the gateway.
    ///
    /// # Panics
    /// When it does not come to serve callers.
    #[must_use]
    pub fn start(self) -> GatewayBox {
        let mut gateway = self.write();
        gateway.start();
        gateway
    }
}

impl GatewayBox {
    /// Begins to put one together; `program` is `env!("CARGO_BIN_EXE_countersign")`.
    pub fn builder(program: &str) -> Builder {
        Builder {
            program: PathBuf::from(program),
            top: String::new(),
            tables: String::new(),
            policies: Vec::new(),
            secrets: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Starts it on its folder, and waits until it serves callers.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same, with these environment variables for this start alone.
    ///
    /// # Panics
    /// When it ends instead.
    #[expect(clippy::panic, reason = "for tests: a gateway that does not start fails the test")]
    pub fn start_with(&mut self, environment: &[(&str, &str)]) {
        self.spawn_with(environment);
        let address = eventually("the gateway serves callers", || {
            let process = self.process.as_mut()?;
            let ended = process.ended();
            let log = process.log();
            if let Some(status) = ended {
                panic!("the gateway ended with {status}:\n{log}");
            }
            served(&log)
        });
        self.address = Some(address);
    }

    /// Starts it and does not wait for anything, for gateways that must end by themselves.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn spawn_with(&mut self, environment: &[(&str, &str)]) {
        // A shell that ignores XFSZ becomes the gateway, which inherits that: see `Process::limit_files`.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(&self.program);
        command.args(["gateway", "--config"]).arg(self.config()).stdin(Stdio::null()).stdout(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        command.envs(environment.iter().copied());
        self.address = None;
        self.process = Some(Process::spawn(&mut command, &self.folder.path().join("log")).expect(OURS));
    }

    /// The folder: `countersign.toml`, `policies`, `data`, `data.key`, `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file, to be changed before [`GatewayBox::reload`] or another start.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("countersign.toml")
    }

    /// Where callers connect.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests: asked of a gateway that was started")]
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the gateway was started")
    }

    /// The process.
    #[expect(clippy::expect_used, reason = "for tests: asked of a gateway that was started")]
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the gateway was started")
    }

    /// What the process of now, or the last one, has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// Waits until the log holds `text`.
    pub fn wait_for_log(&self, text: &str) {
        eventually(&format!("the log says `{text}`"), || self.log().contains(text).then_some(()));
    }

    /// The one-time code of the first administrator, as the gateway printed it.
    #[must_use]
    pub fn setup_code(&self) -> String {
        eventually("the one-time code is printed", || {
            let log = self.log();
            let (_, after) = log.split_once("setup --code ")?;
            after.split_once('\n').map(|(code, _)| code.trim().to_owned())
        })
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) -> ExitStatus {
        self.process().kill()
    }

    /// Tells it to stop (SIGTERM), and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process().signal(Signal::TERM);
        self.process().wait()
    }

    /// Lets it read its configuration again (SIGHUP); `false` when it refused the new one.
    pub fn reload(&mut self) -> bool {
        let before = self.log().len();
        self.process().signal(Signal::HUP);
        eventually("the configuration is read again or refused", || {
            let log = self.log();
            let since = log.get(before..)?;
            if since.contains("the configuration was read again") {
                return Some(true);
            }
            since.contains("the configuration is refused").then_some(false)
        })
    }

    /// A request to it.
    pub fn request(&self, method: &str, path: &str) -> Outgoing {
        Outgoing::new(self.address(), method, path)
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Outgoing {
        self.request("GET", path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Outgoing {
        self.request("POST", path)
    }

    /// Sends it bytes as they are, and reads until it closes or says nothing for a second.
    #[must_use]
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        exchange_raw(self.address(), bytes, Duration::from_secs(1))
    }

    /// A command of the same program, with `COUNTERSIGN_CONFIG` and, while it runs, `COUNTERSIGN_URL` set.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("COUNTERSIGN_CONFIG", self.config()).stdin(Stdio::null());
        if let Some(address) = self.address {
            command.env("COUNTERSIGN_URL", format!("http://{address}"));
        }
        command
    }

    /// Runs such a command to its end, as whoever holds `token`.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn run(&self, token: &str, arguments: &[&str]) -> Output {
        self.command(arguments).env("COUNTERSIGN_TOKEN", token).output().expect(OURS)
    }

    /// Seals a secret by the command line, whether the gateway runs or not.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn set_secret(&self, name: &str, value: &str) {
        let mut command = self.command(&["secret", "set", name]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(OURS);
        writeln!(child.stdin.take().expect("its input is piped"), "{value}").expect(OURS);
        let output = child.wait_with_output().expect(OURS);
        assert!(output.status.success(), "`secret set`: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for GatewayBox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let _ = writeln!(std::io::stderr(), "the gateway's log:\n{log}");
        }
    }
}

/// The address in the line that says that it serves.
fn served(log: &str) -> Option<SocketAddr> {
    let (_, after) = log.split_once("the gateway serves callers address=")?;
    after.split_once('\n')?.0.trim().parse().ok()
}
