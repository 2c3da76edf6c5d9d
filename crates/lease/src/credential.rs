//! One credential, acquired for one call.

use model::{ActionName, CallId, Principal, Secret, TargetName, Timestamp, Ttl};
use serde::Serialize;

/// What a credential is acquired for.
#[derive(Debug, Clone, Copy)]
pub struct MintFor<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// What is called.
    pub target: &'a TargetName,
    /// What is done there.
    pub action: &'a ActionName,
    /// The call.
    pub call: CallId,
    /// The longest that the decision lets it live.
    pub ttl: Option<Ttl>,
}

/// A credential: how it goes into the call, and what may be said of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Credential {
    /// What is put into the request.
    pub injection: Injection,
    /// What the call's record says of it.
    pub issued: Issued,
    pub(crate) needles: Vec<Secret>,
    pub(crate) version: Option<u64>,
}

impl Credential {
    /// Every form in which the target could echo it: the secret itself, and what was made of it for the wire. Encodings of
    /// these (base64, percent, JSON escapes) are the search's own business.
    #[must_use]
    pub fn needles(&self) -> Vec<Secret> {
        self.needles.clone()
    }

    /// The same number for as long as [`Credential::needles`] are the same, and another one afterwards, so that a search
    /// can be kept. `None` where each call's credential is its own.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }
}

/// What is put into the request.
#[derive(Debug, Clone)]
pub enum Injection {
    /// Nothing.
    None,
    /// A header of its own, in place of any that the caller sent.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Its whole value.
        value: Secret,
    },
    /// A query parameter of its own, in place of any that the caller sent.
    Query {
        /// Its name, which needs no encoding.
        name: String,
        /// Its value before encoding.
        value: Secret,
    },
}

/// What the journal says of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Issued {
    /// How it was issued.
    pub issuer: Issuer,
    /// When it ends by itself; `None` for a permanent secret and for none at all.
    pub expires: Option<Timestamp>,
}

/// The issuers of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Issuer {
    /// The target needs none.
    None,
    /// A sealed permanent secret.
    Static,
    /// A token signed for the one call.
    Jwt,
}

impl Issuer {
    /// The issuer's name in configuration and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Static => "static",
            Self::Jwt => "jwt",
        }
    }
}
