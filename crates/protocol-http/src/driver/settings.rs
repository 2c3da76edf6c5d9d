//! A target's settings that only HTTP reads.

use std::path::{Path, PathBuf};

use gate::model::{Address, Scheme};
use gate::{Dialer, ProtocolSettings, SettingError};
use http::Uri;
use serde::Deserialize;

use crate::url::Normal;

/// The keys of `[targets.NAME]` that HTTP reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Where the target is: `https://api.example.com` or `http://127.0.0.1:9000/v2`.
    url: String,
    /// PEM file of the only trust anchors, in place of the machine's roots.
    ca_file: Option<PathBuf>,
    /// Headers of the caller that are neither sent nor signed for.
    #[serde(default)]
    unsigned_headers: Vec<String>,
}

/// What HTTP knows of a target.
#[derive(Debug, Clone)]
pub(crate) struct HttpTarget {
    /// The value of `Host`.
    pub(crate) authority: String,
    /// What stands before every path, without a slash at its end.
    pub(crate) base: String,
    /// Headers of the caller that are not sent, lower case.
    pub(crate) unsigned_headers: Vec<String>,
}

/// Parses the table.
pub(crate) fn parse(table: toml::Table, folder: &Path) -> Result<ProtocolSettings, SettingError> {
    let raw: Raw =
        table.try_into().map_err(|error: toml::de::Error| SettingError::new("", error.message()))?;
    let wrong = |message: &str| SettingError::new("url", format!("`{}` {message}", raw.url));
    let uri: Uri =
        raw.url.parse().map_err(|_| wrong("is no URL: write `https://host` or `http://host:port/base`"))?;
    let (scheme, port) = match uri.scheme_str() {
        Some("http") => (Scheme::Plain, 80),
        Some("https") => (Scheme::Tls, 443),
        _ => return Err(wrong("must begin with `http://` or `https://`")),
    };
    let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("holds a user name: secrets belong in `credential`"));
    }
    if uri.query().is_some() || raw.url.contains('#') {
        return Err(wrong("may have a path, but no query and no fragment"));
    }
    let base = Normal::parse(uri.path())
        .map_err(|error| wrong(&format!("has a path that cannot be used: {error}")))?;
    let port = authority.port_u16().unwrap_or(port);
    let address = Address::new(scheme, authority.host(), port).map_err(|error| wrong(&error.to_string()))?;
    let anchors = match &raw.ca_file {
        None => None,
        Some(_) if scheme == Scheme::Plain => {
            return Err(SettingError::new(
                "ca_file",
                "has no use with `http://`: write `https://` or leave it out",
            ));
        }
        Some(file) => {
            let file = folder.join(file);
            let read = std::fs::read(&file);
            let unread =
                |error| SettingError::new("ca_file", format!("cannot read `{}`: {error}", file.display()));
            Some((file.display().to_string(), read.map_err(unread)?))
        }
    };
    let anchors = anchors.as_ref().map(|(file, pem)| (file.as_str(), pem.as_slice()));
    let key = if anchors.is_some() { "ca_file" } else { "url" };
    let dialer = Dialer::new(address, anchors).map_err(|error| SettingError::new(key, error.to_string()))?;
    let own = HttpTarget {
        authority: authority.as_str().to_ascii_lowercase(),
        base: base.path().trim_end_matches('/').to_owned(),
        unsigned_headers: raw.unsigned_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
    };
    Ok(ProtocolSettings { dialer, own: Box::new(own) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> String {
        let table = text.parse().unwrap();
        parse(table, Path::new("/")).err().map(|error| error.key).unwrap()
    }

    #[test]
    fn a_wrong_setting_is_named_by_its_key() {
        assert_eq!(key_of("url = 'ftp://x'"), "url");
        assert_eq!(key_of("url = 'http://user:secret@x'"), "url");
        assert_eq!(key_of("url = 'http://x/?q=1'"), "url");
        assert_eq!(key_of("url = 'http://x/a/../b'"), "url");
        assert_eq!(key_of("url = 'http://x'\nca_file = 'ca.pem'"), "ca_file");
        assert_eq!(key_of("url = 'https://x'\nca_file = 'not-there.pem'"), "ca_file");
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_known_ones() {
        let error = parse("url = 'http://x'\nurll = 1".parse().unwrap(), Path::new("/")).err().unwrap();
        assert!(error.message.contains("urll") && error.message.contains("ca_file"), "{}", error.message);
    }

    #[test]
    fn a_base_path_loses_its_last_slash_and_the_host_its_case() {
        let parsed = parse("url = 'http://API.example:8080/v2/'".parse().unwrap(), Path::new("/")).unwrap();
        let own = parsed.own.downcast_ref::<HttpTarget>().unwrap();
        assert_eq!((own.base.as_str(), own.authority.as_str()), ("/v2", "api.example:8080"));
        assert_eq!(parsed.dialer.address().port, 8080);
    }
}
