//! once
use crate::cli::Quickstart;
pub(super) async fn run(_: &Quickstart, _: bool) -> anyhow::Result<u8> {
    anyhow::bail!("being written")
}
