//! `audit`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gate::journal::VerifyKey;
use gate::journal::verify::{self, Report};
use store::seal::Sealer;

use super::{print, print_json};
use crate::cli::{Audit, ConfigFile};
use crate::config::Config;
use crate::gateway::{journal_key, state};

/// Verifies, or prints what verification needs. Exit status 5 when something is wrong with the journal.
pub(crate) async fn run(command: &Audit, json: bool) -> anyhow::Result<u8> {
    match command {
        Audit::Verify { checkpoint, journal, key, config } => {
            let saved = checkpoint.as_deref().map(read).transpose()?;
            let (dir, sealer, key) = match (journal, key) {
                (Some(dir), Some(key)) => (dir.clone(), None, key.parse::<VerifyKey>()?),
                _ => opened(config).await?,
            };
            let report = tokio::task::spawn_blocking(move || {
                verify::verify(&dir, sealer.as_ref(), &key, saved.as_deref())
            });
            Ok(tell(&report.await.context("the verification was lost")?, json))
        }
        Audit::Key(config) => {
            let (_, _, key) = opened(config).await?;
            print(&key.to_string());
            Ok(0)
        }
        Audit::Checkpoint(config) => {
            let dir = Config::load(&config.config)?.data.join("journal");
            print(read(&dir.join("log").join("checkpoint"))?.trim_end());
            Ok(0)
        }
    }
}

/// The journal of a configuration, what opens its records, and the key of its log.
async fn opened(file: &ConfigFile) -> anyhow::Result<(PathBuf, Option<Sealer>, VerifyKey)> {
    let config = Config::load(&file.config)?;
    let dir = config.data.join("journal");
    anyhow::ensure!(dir.is_dir(), "there is no journal at `{}`", dir.display());
    let (store, sealer) = state(&config.data, &config.key_file).await?;
    let private = journal_key(&store, &sealer).await?;
    let key = VerifyKey::of(&config.origin, &private)?;
    Ok((dir, Some(sealer.derive("journal")), key))
}

fn tell(report: &Report, json: bool) -> u8 {
    let good = report.findings.is_empty();
    if json {
        print_json(&serde_json::to_value(report).unwrap_or_default());
    } else {
        for finding in &report.findings {
            print(&finding.to_string());
        }
        let (events, parts, covered) = (report.events, report.parts, report.covered);
        let word = if good { "nothing was changed" } else { "the journal is damaged" };
        print(&format!(
            "{word}: {events} events, {parts} record parts, {covered} entries under the checkpoint"
        ));
    }
    if good { 0 } else { 5 }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))
}
