//! Where things are: the checkout, its `.tools`, the build's folder; and commands that run there.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// The checkout.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its topmost folder.
    pub(crate) root: PathBuf,
}

impl Place {
    /// Finds the checkout that cargo runs this in.
    ///
    /// # Errors
    /// When cargo did not start this.
    pub(crate) fn find() -> Result<Self, Failure> {
        let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = here.as_deref().and_then(Path::parent).map(Path::to_owned);
        root.map(|root| Self { root })
            .ok_or_else(|| Failure::new("cannot tell where the checkout is", "run it as `cargo xtask`"))
    }

    /// Where tools are installed that belong to this checkout alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// Where cargo builds, however it was told so.
    ///
    /// # Errors
    /// When this program was not built by cargo.
    pub(crate) fn target(&self) -> Result<PathBuf, Failure> {
        let this = env::current_exe().ok();
        let target = this.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_owned);
        target.ok_or_else(|| Failure::new("cannot tell where cargo builds", "run it as `cargo xtask`"))
    }

    /// A command in the checkout that finds the machine's tools, then those of `.tools`.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root).env("PATH", self.path());
        command
    }

    /// Cargo, as it started this.
    pub(crate) fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Whether a command starts and succeeds; what it prints is dropped.
    pub(crate) fn succeeds(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn path(&self) -> OsString {
        let given = env::var_os("PATH").unwrap_or_default();
        let all = env::split_paths(&given).chain([self.tools().join("venv/bin")]);
        env::join_paths(all).unwrap_or(given)
    }
}

/// Runs a command to its end; what it prints is seen.
///
/// # Errors
/// When it cannot be started or does not succeed; the caller adds what to do.
pub(crate) fn finish(command: &mut Command) -> Result<(), Failure> {
    let text = text_of(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{text}` failed ({status})"), "read what it printed above")),
        Err(error) => Err(Failure::new(
            format!("`{text}` cannot be started: {error}"),
            "install it, and run this again",
        )),
    }
}

/// A command as a person would type it.
fn text_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
