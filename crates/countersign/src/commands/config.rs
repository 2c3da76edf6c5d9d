//! `config check`

use super::{print, print_json};
use crate::cli::ConfigFile;
use crate::config::Config;

/// Checks the configuration, everything that it names, and the policies.
pub(crate) fn check(file: &ConfigFile, json: bool) -> anyhow::Result<()> {
    let mut config = Config::load(&file.config)?;
    let (issuers, targets, policies) = (config.issuers.len(), config.targets.len(), config.policies.len());
    if let Some(tls) = &config.tls {
        gate::acceptor((&tls.cert.0, &tls.cert.1), (&tls.key.0, &tls.key.1))?;
    }
    config.snapshot().map_err(super::policy::listed)?;
    if json {
        print_json(&serde_json::json!({ "issuers": issuers, "targets": targets, "policies": policies }));
    } else {
        print(&format!(
            "{} is good: {issuers} issuers, {targets} targets, {policies} policy files",
            file.config.display()
        ));
    }
    Ok(())
}
