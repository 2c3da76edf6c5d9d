//! `quickstart`: placeholder while it is written.

use crate::cli::Quickstart;

/// Runs it.
pub(crate) async fn run(_: &Quickstart) -> anyhow::Result<u8> {
    anyhow::bail!("not yet")
}
