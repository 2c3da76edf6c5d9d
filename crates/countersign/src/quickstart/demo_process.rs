//! The demo API as a process of its own. It is told its key by a pipe, and ends when that pipe does: also when this process
//! is killed.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use gate::model::Secret;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// How long it may take to start, and to end.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the demo API is started with.
pub(super) struct Demo {
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// The key that it wants from its callers.
    pub(super) key: Secret,
}

/// The running demo API.
pub(super) struct DemoProcess {
    child: Child,
    stdin: ChildStdin,
}

impl DemoProcess {
    /// Starts it and waits until it listens. It keeps its state in `state`.
    pub(super) async fn start(demo: &Demo, state: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program's own file cannot be found")?;
        let mut child = Command::new(program)
            .args(["demo-api", "--listen", &demo.address.to_string(), "--state"])
            .arg(state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C is for the gateway, which still has calls under way.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the demo API cannot be started")?;
        let mut stdin = child.stdin.take().context("the demo API has no standard input")?;
        let stdout = child.stdout.take().context("the demo API has no standard output")?;
        let line = [demo.key.expose(), b"\n"].concat();
        let written = stdin.write_all(Secret::new(line).expose()).await;
        let mut ready = String::new();
        let read = timeout(DEADLINE, BufReader::new(stdout).read_line(&mut ready)).await;
        let listens = written.is_ok() && matches!(read, Ok(Ok(_))) && ready.contains("listening");
        ensure!(listens, "the demo API does not start on `{}`: what it says stands above", demo.address);
        Ok(Self { child, stdin })
    }

    /// Ends it, by force if it does not end by itself.
    pub(super) async fn end(mut self) {
        drop(self.stdin);
        if timeout(DEADLINE, self.child.wait()).await.is_err() {
            tracing::warn!("the demo API does not end, and is killed");
            let _ = self.child.kill().await;
        }
    }
}
