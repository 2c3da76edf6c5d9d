//! Why nobody is proven.

use model::IssuerName;

use crate::FetchError;

/// Why a token proves nobody, or why that cannot be said now.
///
/// No message holds the token or a claim of an unverified one; the issuer is named as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The token is not acceptable; another one is needed.
    #[error("the token is refused: {0}")]
    Token(TokenFault),
    /// The issuer's keys are not at hand, so that its tokens cannot be judged.
    #[error("the keys of issuer `{issuer}` cannot be had: {reason}")]
    Unreachable {
        /// The issuer, as the configuration names it.
        issuer: IssuerName,
        /// What the last attempt said.
        reason: FetchError,
    },
    /// A key of the configuration that cannot be used as it stands.
    #[error("issuer `{issuer}`: `{key}`: {reason}")]
    Setting {
        /// The issuer, as the configuration names it.
        issuer: IssuerName,
        /// The key of its table.
        key: &'static str,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// The client that fetches key sets cannot be made.
    #[error("no HTTPS client for the issuers' keys: {0}")]
    Client(String),
}

impl IdentityError {
    /// Whether the caller must come with another token. Otherwise the same token may be good later.
    #[must_use]
    pub fn is_callers_fault(&self) -> bool {
        match self {
            Self::Token(_) => true,
            Self::Unreachable { .. } | Self::Setting { .. } | Self::Client(_) => false,
        }
    }
}

impl From<TokenFault> for IdentityError {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

/// What is wrong with a token. A closed list, so that no message can carry a piece of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenFault {
    /// Longer than a token may be.
    #[error("it is longer than 8 KiB")]
    TooLong,
    /// Not three parts of base64url.
    #[error("it is no JWT: three parts in unpadded base64url are expected")]
    Malformed,
    /// Five parts, or an `enc` header: a JWE.
    #[error("it is encrypted: only signed tokens are accepted")]
    Encrypted,
    /// Header or claims are no JSON object that every reader reads alike.
    #[error("its header or its claims are no JSON object without doubled members")]
    AmbiguousJson,
    /// `alg` is missing, symmetric, `none`, or not among the issuer's.
    #[error("its algorithm is not among those that the issuer may use")]
    Algorithm,
    /// `typ` names another kind of token.
    #[error("its `typ` is of another kind of token: `JWT` or `at+jwt` is expected")]
    Type,
    /// `crit` or `b64`.
    #[error("its header asks for an extension (`crit`, `b64`) that is not supported")]
    Extension,
    /// `jwk`, `jku`, `x5u` or `x5c`.
    #[error("its header brings a key or says where to get one")]
    OwnKey,
    /// `kid` is no short text.
    #[error("its `kid` is no text of at most 256 bytes")]
    KeyId,
    /// `iss` is missing or is not, byte for byte, that of a configured issuer.
    #[error("its `iss` is not that of a configured issuer")]
    Issuer,
    /// No key of the issuer fits.
    #[error("no key of its issuer has its `kid` and algorithm")]
    UnknownKey,
    /// The signature does not verify.
    #[error("its signature does not verify")]
    Signature,
    /// `aud` is missing, of the wrong type, or does not name this gateway.
    #[error("its `aud` does not name this gateway's audience")]
    Audience,
    /// `exp` is missing or is no sensible time.
    #[error("its `exp` is missing or is no sensible time")]
    BadExpiry,
    /// `exp` is over.
    #[error("it has expired")]
    Expired,
    /// `nbf` is to come, or is no time.
    #[error("it is not valid yet, or its `nbf` is no time")]
    NotYetValid,
    /// `iat` is to come, is after `exp`, or is no time.
    #[error("its `iat` is to come, is after `exp` or is no time")]
    IssuedAt,
    /// `sub` is missing or is no subject.
    #[error("its `sub` is missing, or is no text of 1 to 255 bytes without control characters")]
    Subject,
    /// It is the ID token of a sign-in.
    #[error(
        "it is the ID token of a sign-in (`nonce`, `at_hash`, `c_hash` or `s_hash`): send an access token"
    )]
    IdToken,
    /// It is bound to a key that is not checked.
    #[error("it is bound to a key (`cnf`), which is not supported: send a bearer token")]
    Bound,
    /// The groups claim has another type than the configuration says, or holds no group names.
    #[error("its groups claim does not have the type that the configuration says")]
    Groups,
    /// A configured claim is no text, number or boolean.
    #[error("one of its configured claims is no text of at most 1024 bytes, integer or boolean")]
    Claim,
    /// `act` is no chain of actors of this issuer.
    #[error("its `act` is no chain of at most 8 actors of the same issuer")]
    Actor,
}
