//! An issuer as the configuration declares it.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{IssuerName, Ttl};
use serde::Deserialize;
use url::{Host, Url};

use crate::IdentityError;

const DEFAULT_SKEW: Duration = Duration::from_secs(30);
const MAX_SKEW: Duration = Duration::from_secs(300);

/// One issuer as the configuration writes it.
///
/// ```toml
/// [issuers.corp]
/// issuer = "https://login.example.com"
/// audience = "https://countersign.example.com"
/// groups_claim = "groups"
/// claims = ["department"]
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawIssuer {
    /// The issuer's identifier: the `iss` of its tokens, byte for byte, and the URL under which its discovery document
    /// stands. `https`, or `http` on loopback.
    pub issuer: String,
    /// What `aud` must name: one audience, or a list of which one suffices.
    pub audience: OneOrMany,
    /// The signature algorithms that count, out of ES256, ES384, RS256, PS256 and EdDSA; all of them by default.
    #[serde(default)]
    pub algorithms: Option<Vec<String>>,
    /// The claim that holds the groups, an array of names. Without it nobody of this issuer is in a group.
    #[serde(default)]
    pub groups_claim: Option<String>,
    /// The groups claim is one name, not an array.
    #[serde(default)]
    pub single_group: bool,
    /// Claims that policies may read, as text.
    #[serde(default)]
    pub claims: Vec<String>,
    /// How far the issuer's clock may be from ours: `30s` by default, at most `5m`.
    #[serde(default)]
    pub skew: Option<String>,
    /// Anyone on this machine may get this issuer's tokens. It must be on loopback, and is shown as such.
    #[serde(default)]
    pub development: bool,
}

/// One text or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A signature algorithm of RFC 7518 and RFC 8037. All are asymmetric; there is no other kind here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256; keys of 2048 bits or more.
    Rs256,
    /// RSASSA-PSS with SHA-256; keys of 2048 bits or more.
    Ps256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that can be configured.
    pub const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::Rs256, Self::Ps256, Self::EdDsa];

    /// The name in `alg`, case and all.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm that `alg` names, byte for byte.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// An issuer whose settings are known to be usable.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    pub(crate) name: IssuerName,
    pub(crate) issuer: String,
    pub(crate) discovery: Url,
    pub(crate) audiences: BTreeSet<String>,
    pub(crate) algorithms: BTreeSet<Algorithm>,
    pub(crate) groups: Option<GroupsClaim>,
    pub(crate) claims: BTreeSet<String>,
    pub(crate) skew: Duration,
    pub(crate) development: bool,
}

/// Where groups are, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupsClaim {
    pub(crate) name: String,
    pub(crate) single: bool,
}

impl IssuerSettings {
    /// Reads what the configuration declares under `name`.
    ///
    /// # Errors
    /// [`IdentityError::Setting`] names the key that cannot be used.
    pub fn parse(name: IssuerName, raw: RawIssuer) -> Result<Self, IdentityError> {
        let wrong =
            |key: &'static str, reason: String| IdentityError::Setting { issuer: name.clone(), key, reason };
        let url = issuer_url(&raw.issuer).map_err(|reason| wrong("issuer", reason))?;
        if raw.development && !is_loopback(&url) {
            let reason = "a development issuer must be on loopback: nobody else may hand out its tokens";
            return Err(wrong("development", reason.to_owned()));
        }
        Ok(Self {
            discovery: discovery_url(&url, &raw.issuer).map_err(|reason| wrong("issuer", reason))?,
            issuer: raw.issuer,
            audiences: audiences(raw.audience).map_err(|reason| wrong("audience", reason))?,
            algorithms: algorithms(raw.algorithms).map_err(|reason| wrong("algorithms", reason))?,
            groups: groups(raw.groups_claim, raw.single_group).map_err(|(key, reason)| wrong(key, reason))?,
            claims: claims(raw.claims).map_err(|reason| wrong("claims", reason))?,
            skew: skew(raw.skew.as_deref()).map_err(|reason| wrong("skew", reason))?,
            development: raw.development,
            name,
        })
    }

    /// The issuer, as the configuration names it.
    #[must_use]
    pub fn name(&self) -> &IssuerName {
        &self.name
    }

    /// The issuer's identifier, its URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether its tokens prove nothing but that the caller is on this machine.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// Whether it is spoken to without TLS, which only loopback allows; only then may its key set be, too.
    pub(crate) fn is_plain(&self) -> bool {
        self.discovery.scheme() == "http"
    }
}

/// Whether the URL is this machine by its very form: no name but `localhost` is looked up to find out.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An issuer identifier (OpenID Connect Discovery 1.0, section 3): `https`, without query and fragment.
fn issuer_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !secure {
        return Err(format!("`{text}` must be `https`, or `http` on loopback"));
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(format!("`{text}` must have no user, query or fragment"));
    }
    Ok(url)
}

fn discovery_url(issuer: &Url, text: &str) -> Result<Url, String> {
    let mut url = issuer.clone();
    url.set_path(&format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/')));
    // A URL that changes when it is read (upper-case hosts, `..`, a tab) is not the text that tokens carry.
    if issuer.as_str() != text && issuer.as_str().strip_suffix('/') != Some(text) {
        return Err(format!("`{text}` must be written as `{issuer}`, with or without a slash at its end"));
    }
    Ok(url)
}

fn audiences(raw: OneOrMany) -> Result<BTreeSet<String>, String> {
    let list = match raw {
        OneOrMany::One(audience) => vec![audience],
        OneOrMany::Many(list) => list,
    };
    if list.is_empty() || list.iter().any(|audience| audience.is_empty() || audience.len() > 1024) {
        return Err("name at least one audience, each of 1 to 1024 bytes".to_owned());
    }
    Ok(list.into_iter().collect())
}

fn algorithms(raw: Option<Vec<String>>) -> Result<BTreeSet<Algorithm>, String> {
    let Some(list) = raw else { return Ok(Algorithm::ALL.into()) };
    let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
    if list.is_empty() {
        return Err(format!("name at least one of {known}"));
    }
    let parse = |name: &String| Algorithm::parse(name).ok_or_else(|| format!("`{name}` is none of {known}"));
    list.iter().map(parse).collect()
}

fn groups(claim: Option<String>, single: bool) -> Result<Option<GroupsClaim>, (&'static str, String)> {
    match claim {
        Some(name) if is_claim_name(&name) => Ok(Some(GroupsClaim { name, single })),
        Some(name) => {
            Err(("groups_claim", format!("`{name}` is no claim name: 1 to 128 bytes are expected")))
        }
        None if single => {
            Err(("single_group", "it says how `groups_claim` is read, which is not set".to_owned()))
        }
        None => Ok(None),
    }
}

fn claims(raw: Vec<String>) -> Result<BTreeSet<String>, String> {
    if raw.len() > 32 {
        return Err("at most 32 claims can be chosen".to_owned());
    }
    match raw.iter().find(|name| !is_claim_name(name)) {
        Some(name) => Err(format!("`{name}` is no claim name: 1 to 128 bytes are expected")),
        None => Ok(raw.into_iter().collect()),
    }
}

fn is_claim_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn skew(raw: Option<&str>) -> Result<Duration, String> {
    match raw {
        None => Ok(DEFAULT_SKEW),
        Some("0s") => Ok(Duration::ZERO),
        Some(text) => match Ttl::parse(text) {
            Ok(ttl) if ttl.duration() <= MAX_SKEW => Ok(ttl.duration()),
            _ => Err(format!("`{text}` is no duration from `0s` to `5m`")),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(change: &Value) -> Result<IssuerSettings, IdentityError> {
        let mut raw = json!({ "issuer": "https://login.example.com", "audience": "gateway" });
        raw.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        IssuerSettings::parse(IssuerName::parse("corp").unwrap(), serde_json::from_value(raw).unwrap())
    }

    #[test]
    fn defaults_are_the_safe_ones() {
        let settings = parse(&json!({})).unwrap();
        assert_eq!(settings.algorithms, Algorithm::ALL.into());
        assert_eq!(settings.skew, Duration::from_secs(30));
        assert_eq!(settings.groups, None);
        assert_eq!(settings.discovery.as_str(), "https://login.example.com/.well-known/openid-configuration");
    }

    #[test]
    fn discovery_stands_below_the_issuers_path_and_the_issuer_stays_as_written() {
        for issuer in ["https://login.example.com/realms/a", "https://login.example.com/realms/a/"] {
            let settings = parse(&json!({ "issuer": issuer })).unwrap();
            assert_eq!(settings.issuer(), issuer);
            assert!(
                settings.discovery.path().starts_with("/realms/a/.well-known/"),
                "{}",
                settings.discovery
            );
        }
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_refused_by_its_key() {
        let bad = [
            ("issuer", json!({ "issuer": "http://login.example.com" })),
            ("issuer", json!({ "issuer": "http://127.0.0.1.example.com" })),
            ("issuer", json!({ "issuer": "ftp://login.example.com" })),
            ("issuer", json!({ "issuer": "https://login.example.com?tenant=a" })),
            ("issuer", json!({ "issuer": "https://login.example.com#a" })),
            ("issuer", json!({ "issuer": "https://me@login.example.com" })),
            ("issuer", json!({ "issuer": "https://LOGIN.example.com" })),
            ("issuer", json!({ "issuer": "https://login.example.com/a/../b" })),
            ("audience", json!({ "audience": [] })),
            ("audience", json!({ "audience": "" })),
            ("algorithms", json!({ "algorithms": [] })),
            ("algorithms", json!({ "algorithms": ["HS256"] })),
            ("algorithms", json!({ "algorithms": ["none"] })),
            ("algorithms", json!({ "algorithms": ["es256"] })),
            ("groups_claim", json!({ "groups_claim": "" })),
            ("single_group", json!({ "single_group": true })),
            ("claims", json!({ "claims": [""] })),
            ("skew", json!({ "skew": "6m" })),
            ("skew", json!({ "skew": "-1s" })),
            ("development", json!({ "development": true })),
        ];
        for (key, change) in bad {
            match parse(&change) {
                Err(IdentityError::Setting { key: named, .. }) => assert_eq!(named, key, "{change}"),
                other => panic!("{change}: {other:?}"),
            }
        }
    }

    #[test]
    fn loopback_may_be_plain() {
        for issuer in ["http://127.0.0.1:8080", "http://localhost:1/a", "http://[::1]:1"] {
            assert!(parse(&json!({ "issuer": issuer, "development": true })).unwrap().is_plain(), "{issuer}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let raw = json!({ "issuer": "https://a.example", "audience": "a", "audiance": "b" });
        assert!(serde_json::from_value::<RawIssuer>(raw).is_err());
    }
}
