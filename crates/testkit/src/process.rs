//! A child process whose output goes to a file, that can be signalled, and that never outlives its test.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Resource, Rlimit};

pub use rustix::process::Signal;

use crate::wait::eventually;

/// A running child.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    /// Where in the log this process begins; earlier ones wrote before it.
    begins: u64,
}

const OURS: &str = "a test may signal and await its own child";

impl Process {
    /// Starts `command` with its standard error appended to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(command: &mut Command, log: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let begins = file.metadata()?.len();
        let child = command.stderr(Stdio::from(file)).spawn()?;
        Ok(Self { child, log: log.to_owned(), begins })
    }

    /// The child itself, for its standard input and output.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What it has written to standard error so far.
    #[must_use]
    pub fn log(&self) -> String {
        let text = || {
            let mut file = File::open(&self.log)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(self.begins))?;
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file, &mut bytes)?;
            Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        text().unwrap_or_default()
    }

    /// Sends it a signal.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).expect(OURS);
    }

    /// Limits how large a file it may write, in bytes; `None` lifts the limit. Start it with `XFSZ` ignored: then a write
    /// beyond the limit fails as one to a full disk would.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).expect(OURS);
    }

    /// Whether it has ended, and how.
    #[expect(clippy::expect_used, reason = "for tests: see OURS")]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect(OURS)
    }

    /// Waits for it to end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the process ends", || self.ended())
    }

    /// Kills it as `kill -9` does: no destructor, no flush.
    pub fn kill(&mut self) -> ExitStatus {
        if self.ended().is_none() {
            self.signal(Signal::KILL);
        }
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
