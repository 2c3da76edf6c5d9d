//! Where in the file something is wrong: file, line, key, and the nearest key that is known.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a configuration, and where.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    key: String,
    message: String,
    help: Option<String>,
}

impl ConfigError {
    /// An error about a file as a whole.
    pub(crate) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, key: String::new(), message: message.into(), help: None }
    }

    /// The same, with what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": `{}`", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// A configuration file's text.
pub(crate) struct Document {
    file: PathBuf,
    text: String,
}

impl Document {
    pub(crate) fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let message = format!("cannot be read: {error}");
            ConfigError::of_file(file, message)
                .help("name the file with --config, or run `countersign quickstart`")
        })?;
        Ok(Self { file: file.to_owned(), text })
    }

    /// Parses the whole document; an unknown key is answered with the nearest known one.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(&self.text).map_err(|error| {
            let line = error.span().map(|span| self.line_at(span.start));
            let help = nearest(error.message());
            ConfigError {
                file: self.file.clone(),
                line,
                key: String::new(),
                message: error.message().to_owned(),
                help,
            }
        })
    }

    /// An error about the key at this path. An unknown key that the message names is looked for below it.
    pub(crate) fn wrong(&self, path: &[&str], message: &str) -> ConfigError {
        let mut path: Vec<&str> = path.iter().copied().filter(|part| !part.is_empty()).collect();
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        path.extend(unknown);
        let help = nearest(message);
        ConfigError {
            file: self.file.clone(),
            line: self.line_of(&path),
            key: path.join("."),
            message: message.to_owned(),
            help,
        }
    }

    /// The line of a key, or of the nearest table above it that is there.
    fn line_of(&self, path: &[&str]) -> Option<usize> {
        let root = DeTable::parse(&self.text).ok()?;
        let mut table = root.get_ref();
        let mut at = None;
        for part in path {
            let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else { break };
            at = Some(key.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        at.map(|offset| self.line_at(offset))
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// The known key that an unknown one was most likely meant to be, from serde's message.
fn nearest(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, known) = rest.split_once('`')?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let close = |key: &&&str| strsim::damerau_levenshtein(unknown, key) <= 1 + unknown.len() / 3;
    let by_distance = |key: &&&str| strsim::damerau_levenshtein(unknown, key);
    let best = known.iter().filter(close).min_by_key(by_distance)?;
    Some(format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_answered_with_the_nearest_known_one() {
        let message = "unknown field `lisen`, expected one of `listen`, `data`, `policies`";
        assert_eq!(nearest(message).as_deref(), Some("did you mean `listen`?"));
        assert_eq!(nearest("unknown field `zzz`, expected `listen` or `data`"), None);
    }

    #[test]
    fn a_key_is_found_by_its_line() {
        let document = Document {
            file: "c.toml".into(),
            text: "listen = 'x'\n\n[targets.crm]\nurl = 'u'\n[targets.crm.credential]\nissuer = 'x'\n"
                .to_owned(),
        };
        assert_eq!(document.line_of(&["targets", "crm", "url"]), Some(4));
        assert_eq!(document.line_of(&["targets", "crm", "credential", "issuer"]), Some(6));
        assert_eq!(document.line_of(&["targets", "crm", "missing"]), Some(3));
        assert!(
            document
                .wrong(&["targets", "crm"], "bad")
                .to_string()
                .starts_with("c.toml:3: `targets.crm`: bad")
        );
    }
}
