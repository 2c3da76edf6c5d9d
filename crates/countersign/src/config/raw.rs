//! The file's keys, as serde reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use identity::RawIssuer;
use serde::Deserialize;

use super::Tls;
use super::place::{ConfigError, Document};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// Where callers connect: `127.0.0.1:7443`.
    pub(super) listen: String,
    /// The folder of state and journal, relative to this file.
    pub(super) data: PathBuf,
    /// The key-encryption key, relative to this file; `DATA.key` unless said.
    pub(super) key_file: Option<PathBuf>,
    /// The URL under which callers know the gateway.
    pub(super) public_url: Option<String>,
    /// The folder of `.cedar` files, relative to this file.
    pub(super) policies: PathBuf,
    /// How many workers; one a core unless said.
    pub(super) workers: Option<usize>,
    /// Certificate and key towards callers.
    pub(super) tls: Option<RawTls>,
    /// The journal.
    #[serde(default)]
    pub(super) journal: RawJournal,
    /// The second signature.
    #[serde(default)]
    pub(super) approvals: RawApprovals,
    /// Who may vouch for callers, by name.
    #[serde(default)]
    pub(super) issuers: BTreeMap<String, RawIssuer>,
    /// What can be called, by name.
    #[serde(default)]
    pub(super) targets: BTreeMap<String, toml::Table>,
}

/// `[tls]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    /// PEM chain.
    cert: PathBuf,
    /// PEM private key.
    key: PathBuf,
}

/// `[journal]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawJournal {
    /// `writes` (default) or `all`: whether reads wait for the disk too.
    pub(super) sync: Option<String>,
    /// The log's name in its checkpoints.
    pub(super) origin: Option<String>,
}

/// `[approvals]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApprovals {
    /// How long an approval can be signed and used: `15m`.
    pub(super) lifetime: Option<String>,
}

impl RawTls {
    pub(super) fn read(&self, folder: &Path, document: &Document) -> Result<Tls, ConfigError> {
        let read = |key: &str, file: &Path| {
            let file = folder.join(file);
            let unread =
                |error| document.wrong(&["tls", key], &format!("cannot read `{}`: {error}", file.display()));
            Ok((file.display().to_string(), std::fs::read(&file).map_err(unread)?))
        };
        Ok(Tls { cert: read("cert", &self.cert)?, key: read("key", &self.key)? })
    }
}
