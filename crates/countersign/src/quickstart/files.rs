//! The files that a first start writes: the texts that ship, with addresses and paths put in.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use toml::Value;

use super::place::Place;
use super::ports::Ports;

/// The reader's own API, in place of the demo.
#[derive(Debug, Clone)]
pub(super) struct OwnApi {
    /// Where it is.
    pub(super) url: String,
    /// The trust anchors of its certificate, an absolute path.
    pub(super) ca_file: Option<String>,
}

const DEMO: &str = include_str!("shipped/demo/countersign.toml");
const DEMO_FUNCTIONS: &str = include_str!("shipped/demo/functions.cedar");
const DEMO_PAYMENTS: &str = include_str!("shipped/demo/payments.cedar");
const OWN: &str = include_str!("shipped/own/countersign.toml");
const OWN_FUNCTIONS: &str = include_str!("shipped/own/functions.cedar");
const INTERFACE: &str = include_str!("shipped/interface.cedar");

/// Writes what is not there yet. The configuration comes last: where it is, all of it is.
pub(super) fn write(place: &Place, key_file: &str, ports: Ports, own: Option<&OwnApi>) -> anyhow::Result<()> {
    let folder = place.policies();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    write_new(&folder.join("interface.cedar"), INTERFACE)?;
    if own.is_some() {
        write_new(&folder.join("functions.cedar"), OWN_FUNCTIONS)?;
    } else {
        write_new(&folder.join("functions.cedar"), DEMO_FUNCTIONS)?;
        write_new(&folder.join("payments.cedar"), DEMO_PAYMENTS)?;
    }
    write_new(&place.config(), &config(key_file, ports, own))
}

/// The configuration's text.
fn config(key_file: &str, ports: Ports, own: Option<&OwnApi>) -> String {
    let (text, url) = match own {
        Some(own) => (OWN, own.url.clone()),
        None => (DEMO, format!("http://{}", ports.demo)),
    };
    let ca_file = own.and_then(|own| own.ca_file.as_deref());
    let ca_line = ca_file.map(|file| format!("ca_file = {}\n", quoted(file))).unwrap_or_default();
    text.replace("@listen@", &quoted(&ports.gateway.to_string()))
        .replace("@key_file@", &quoted(key_file))
        .replace("@issuer@", &quoted(&format!("http://{}", ports.issuer)))
        .replace("@ca_file@\n", &format!("{ca_line}\n"))
        .replace("@url@", &quoted(&url))
}

/// As a string of TOML.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Writes a file whole or not at all, unless there is one.
fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let temporary = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut open =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        open.write_all(text.as_bytes())?;
        open.sync_all()?;
        fs::rename(&temporary, file)
    };
    write().with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn written(own: Option<&OwnApi>) -> (tempfile::TempDir, Config) {
        let base = tempfile::tempdir().unwrap();
        let place = Place::make(&base.path().join("quick \"start\"")).unwrap();
        let ports = Ports::choose("127.0.0.1:0".parse().unwrap()).unwrap();
        write(&place, "../it's.key", ports, own).unwrap();
        let config = Config::load(&place.config()).unwrap();
        assert_eq!(config.listen, ports.gateway);
        assert!(config.key_file.ends_with("it's.key"));
        (base, config)
    }

    #[test]
    fn the_demos_configuration_and_policies_can_be_served() {
        let (_base, mut config) = written(None);
        assert_eq!(config.targets[0].credential.header_name(), Some("x-api-key"));
        config.snapshot().map_err(crate::commands::policy::listed).unwrap();
    }

    #[test]
    fn a_readers_own_api_can_be_served_with_every_commented_line_of_its_configuration() {
        let own = OwnApi { url: "https://api.example.com/v2".to_owned(), ca_file: None };
        let (_base, mut config) = written(Some(&own));
        assert_eq!(config.targets[0].settings.dialer.address().port, 443);
        config.snapshot().map_err(crate::commands::policy::listed).unwrap();

        let text = std::fs::read_to_string(&config.file).unwrap();
        let given: String = text
            .lines()
            .filter(|line| *line != "issuer = \"none\"")
            .map(|line| line.strip_prefix("#     ").unwrap_or(line).to_owned() + "\n")
            .collect();
        std::fs::write(&config.file, given).unwrap();
        let mut config = Config::load(&config.file).unwrap();
        assert_eq!(config.targets[0].credential.needs_secret().unwrap().as_str(), "api-key");
        assert_eq!((config.targets[0].fields.len(), config.targets[0].operations.iter().count()), (1, 1));
        config.snapshot().map_err(crate::commands::policy::listed).unwrap();
    }

    #[test]
    fn what_is_there_is_not_written_again() {
        let (_base, config) = written(None);
        let place = Place::make(config.file.parent().unwrap()).unwrap();
        std::fs::write(&config.file, "mine").unwrap();
        write(&place, "../other.key", Ports::choose("127.0.0.1:0".parse().unwrap()).unwrap(), None).unwrap();
        assert_eq!(std::fs::read_to_string(&config.file).unwrap(), "mine");
    }
}
