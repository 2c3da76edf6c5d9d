//! `policy check`

use gate::SnapshotError;

use super::{print, print_json};
use crate::cli::ConfigFile;
use crate::config::Config;

/// Checks the policies against the configured targets.
pub(crate) fn check(file: &ConfigFile, json: bool) -> anyhow::Result<()> {
    let mut config = Config::load(&file.config)?;
    let files = config.policies.len();
    let snapshot = config.snapshot().map_err(listed)?;
    let revision = snapshot.engine().revision();
    if json {
        print_json(&serde_json::json!({ "files": files, "revision": revision }));
    } else {
        print(&format!("{files} policy files are good; revision {revision}"));
    }
    Ok(())
}

/// Every problem on a line of its own.
pub(crate) fn listed(error: SnapshotError) -> anyhow::Error {
    match error {
        SnapshotError::Policies(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("the policies cannot be used:\n{}", lines.join("\n"))
        }
        other => other.into(),
    }
}
