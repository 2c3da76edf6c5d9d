//! A token taken apart, strictly and without judging it: compact serialization of a JWS (RFC 7515, section 7.1), its header
//! and its claims. No input, no output, no keys.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{JsonLimits, parse_strict_json};
use serde_json::{Map, Value};

use crate::{Algorithm, TokenFault};

/// The longest token, in bytes.
const MAX_TOKEN: usize = 8 << 10;

/// The longest `kid`, in bytes. It is compared with those of the key set and used for nothing else.
const MAX_KEY_ID: usize = 256;

/// What a token's JSON may be. An `act` chain needs a level for each actor.
const LIMITS: JsonLimits = JsonLimits { bytes: MAX_TOKEN, depth: 24 };

/// A token whose form is right, and of which nothing else is known. Its `Debug` shows none of it.
pub struct UnverifiedToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) claims: Map<String, Value>,
    /// What is signed.
    pub(crate) message: &'a str,
    /// The signature, in base64url.
    pub(crate) signature: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes `token` apart.
    ///
    /// # Errors
    /// [`TokenFault`] for whatever is no token, could be read in two ways, or chooses its own key or rules.
    pub fn parse(token: &'a [u8]) -> Result<Self, TokenFault> {
        if token.len() > MAX_TOKEN {
            return Err(TokenFault::TooLong);
        }
        let token = std::str::from_utf8(token).map_err(|_| TokenFault::Malformed)?;
        let parts: Vec<&str> = token.splitn(6, '.').collect();
        let [header, claims, signature] = match *parts {
            [header, claims, signature] => [header, claims, signature],
            [_, _, _, _, _] => return Err(TokenFault::Encrypted),
            _ => return Err(TokenFault::Malformed),
        };
        let Header { algorithm, key_id } = Header::read(&object(header)?)?;
        let claims = object(claims)?;
        decode(signature)?;
        let message = token.get(..token.len() - signature.len() - 1).ok_or(TokenFault::Malformed)?;
        Ok(Self { algorithm, key_id, claims, message, signature })
    }

    /// What it claims. Nobody has vouched for it.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The algorithm that it says it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that it says it is signed with.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// What of a header is used.
struct Header {
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl Header {
    fn read(header: &Map<String, Value>) -> Result<Self, TokenFault> {
        let has = |names: &[&str]| names.iter().any(|name| header.contains_key(*name));
        if has(&["enc", "zip"]) {
            return Err(TokenFault::Encrypted);
        }
        if has(&["jwk", "jku", "x5u", "x5c"]) {
            return Err(TokenFault::OwnKey);
        }
        if has(&["crit", "b64"]) {
            return Err(TokenFault::Extension);
        }
        match header.get("typ") {
            None => {}
            Some(Value::String(kind)) if is_accepted_type(kind) => {}
            Some(_) => return Err(TokenFault::Type),
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= MAX_KEY_ID => Some(id.clone()),
            Some(_) => return Err(TokenFault::KeyId),
        };
        Ok(Self { algorithm: algorithm.ok_or(TokenFault::Algorithm)?, key_id })
    }
}

/// `JWT` (RFC 7519, section 5.1) or `at+jwt` (RFC 9068, section 2.1): media types, so without regard to case and with or
/// without `application/` (RFC 7515, section 4.1.9).
fn is_accepted_type(kind: &str) -> bool {
    let lower = kind.to_ascii_lowercase();
    matches!(lower.strip_prefix("application/").unwrap_or(&lower), "jwt" | "at+jwt")
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    match parse_strict_json(&decode(part)?, LIMITS) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(TokenFault::AmbiguousJson),
    }
}

/// Base64url without padding. The one spelling of each value: stray bits at the end are refused.
pub(crate) fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}
