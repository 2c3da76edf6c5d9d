//! How a target's credentials are issued, as its configuration says.

use model::{SecretName, Timestamp, Ttl};
use serde::Deserialize;

use crate::issuers::{Plan, jwt, static_secret};
use crate::{Issued, Issuer, LeaseError};

/// A target's `credential` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCredential {
    /// `static`, `jwt` or `none`.
    pub issuer: String,
    /// `static`: the name of the sealed secret.
    pub secret: Option<SecretName>,
    /// The header that carries the credential.
    pub header: Option<String>,
    /// What stands before the credential in the header, such as `Bearer `.
    pub prefix: Option<String>,
    /// `static`: the query parameter that carries the secret.
    pub query: Option<String>,
    /// `static`: the user whose password the secret is (HTTP basic authentication).
    pub basic_user: Option<String>,
    /// `jwt`: who the token is for.
    pub audience: Option<String>,
    /// `jwt`: how long the token lives; 30 s unless set, 5 m at most.
    pub lifetime: Option<String>,
}

/// How a target's credentials are issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPlan(pub(crate) Plan);

impl CredentialPlan {
    /// No credential.
    #[must_use]
    pub fn none() -> Self {
        Self(Plan::None)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// [`LeaseError`] when a key is missing, is not the issuer's, or has a value that cannot be used.
    pub fn parse(raw: &RawCredential) -> Result<Self, LeaseError> {
        let plan = match raw.issuer.as_str() {
            "none" => {
                refuse_keys(raw, Issuer::None, &[])?;
                Plan::None
            }
            "static" => {
                refuse_keys(raw, Issuer::Static, &["secret", "header", "prefix", "query", "basic_user"])?;
                Plan::Static(static_secret::StaticPlan::parse(raw)?)
            }
            "jwt" => {
                refuse_keys(raw, Issuer::Jwt, &["header", "prefix", "audience", "lifetime"])?;
                Plan::Jwt(jwt::JwtPlan::parse(raw)?)
            }
            given => return Err(LeaseError::UnknownIssuer { given: given.to_owned() }),
        };
        Ok(Self(plan))
    }

    /// The sealed secret that must be set before the target can be called.
    #[must_use]
    pub fn needs_secret(&self) -> Option<&SecretName> {
        match &self.0 {
            Plan::Static(plan) => Some(plan.secret()),
            Plan::None | Plan::Jwt(_) => None,
        }
    }

    /// What a call's record says of its credential before it is acquired: who issues it, and when it ends by itself if it
    /// is acquired now.
    #[must_use]
    pub fn planned(&self, now: Timestamp, ttl: Option<Ttl>) -> Issued {
        match &self.0 {
            Plan::None => Issued { issuer: Issuer::None, expires: None },
            Plan::Static(_) => Issued { issuer: Issuer::Static, expires: None },
            Plan::Jwt(plan) => Issued { issuer: Issuer::Jwt, expires: Some(plan.expires(now, ttl)) },
        }
    }

    /// The header that carries the credential, in lower case: a caller's own of this name is removed.
    #[must_use]
    pub fn header_name(&self) -> Option<&str> {
        match &self.0 {
            Plan::None => None,
            Plan::Static(plan) => plan.slot().header_name(),
            Plan::Jwt(plan) => plan.slot().header_name(),
        }
    }

    /// The query parameter that carries the credential: a caller's own of this name is removed.
    #[must_use]
    pub fn query_name(&self) -> Option<&str> {
        match &self.0 {
            Plan::Static(plan) => plan.slot().query_name(),
            Plan::None | Plan::Jwt(_) => None,
        }
    }
}

/// Refuses keys that are set and that `issuer` would not read.
fn refuse_keys(raw: &RawCredential, issuer: Issuer, taken: &[&str]) -> Result<(), LeaseError> {
    let RawCredential { issuer: _, secret, header, prefix, query, basic_user, audience, lifetime } = raw;
    let set = [
        ("secret", secret.is_some()),
        ("header", header.is_some()),
        ("prefix", prefix.is_some()),
        ("query", query.is_some()),
        ("basic_user", basic_user.is_some()),
        ("audience", audience.is_some()),
        ("lifetime", lifetime.is_some()),
    ];
    match set.into_iter().find(|(key, is_set)| *is_set && !taken.contains(key)) {
        Some((key, _)) => Err(LeaseError::UnexpectedKey { issuer: issuer.as_str(), key }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(toml: &str) -> Result<CredentialPlan, String> {
        let raw: RawCredential = toml::from_str(toml).map_err(|error| error.to_string())?;
        CredentialPlan::parse(&raw).map_err(|error| error.to_string())
    }

    #[test]
    fn each_issuer_says_what_it_needs_and_where_it_goes() {
        let header = parse("issuer = 'static'\nsecret = 'crm-key'\nheader = 'X-Api-Key'").unwrap();
        assert_eq!(header.needs_secret().unwrap().as_str(), "crm-key");
        assert_eq!((header.header_name(), header.query_name()), (Some("x-api-key"), None));
        let query = parse("issuer = 'static'\nsecret = 'crm-key'\nquery = 'api_key'").unwrap();
        assert_eq!((query.header_name(), query.query_name()), (None, Some("api_key")));
        let basic = parse("issuer = 'static'\nsecret = 'crm-key'\nbasic_user = 'svc'").unwrap();
        assert_eq!((basic.header_name(), basic.query_name()), (Some("authorization"), None));
        let jwt = parse("issuer = 'jwt'\naudience = 'crm'").unwrap();
        assert_eq!((jwt.header_name(), jwt.needs_secret()), (Some("authorization"), None));
        assert_eq!(parse("issuer = 'none'").unwrap(), CredentialPlan::none());
    }

    #[test]
    fn what_an_issuer_does_not_read_is_refused() {
        for (toml, says) in [
            ("issuer = 'vault'", "no issuer"),
            ("issuer = 'none'\nsecret = 'a'", "takes no `secret`"),
            ("issuer = 'jwt'\naudience = 'a'\nquery = 'q'", "takes no `query`"),
            ("issuer = 'static'\nsecret = 'a'\nheader = 'x'\nlifetime = '1s'", "takes no `lifetime`"),
            ("issuer = 'static'\nheader = 'x'", "needs `secret`"),
            ("issuer = 'jwt'", "needs `audience`"),
            ("issuer = 'static'\nsecret = 'a'", "one of `header`"),
            ("issuer = 'static'\nsecret = 'a'\nheader = 'x'\nquery = 'q'", "one of `header`"),
            ("issuer = 'static'\nsecret = 'a'\nquery = 'q'\nprefix = 'Bearer '", "`prefix`"),
            ("issuer = 'static'\nsecret = 'a'\nheader = \"x\\r\\ny: z\"", "`header`"),
            ("issuer = 'static'\nsecret = 'a'\nheader = 'Content-Length'", "`header`"),
            ("issuer = 'static'\nsecret = 'a'\nheader = 'x'\nprefix = \"a\\n\"", "`prefix`"),
            ("issuer = 'static'\nsecret = 'a'\nquery = 'a&b'", "`query`"),
            ("issuer = 'static'\nsecret = 'a'\nbasic_user = 'a:b'", "`basic_user`"),
            ("issuer = 'jwt'\naudience = ''", "`audience`"),
            ("issuer = 'jwt'\naudience = 'a'\nlifetime = '6m'", "`lifetime`"),
            ("issuer = 'jwt'\naudience = 'a'\nlifetime = 'soon'", "`lifetime`"),
            ("issuer = 'none'\nsecrets = 'a'", "unknown field `secrets`"),
        ] {
            let error = parse(toml).unwrap_err();
            assert!(error.contains(says), "{toml:?}: {error}");
        }
    }
}
