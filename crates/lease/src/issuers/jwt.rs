//! `jwt`: a token that the gateway signs for one call (RFC 7519, signed as RFC 7515 with ES256).
//!
//! It names the caller (`sub`, and `act` of RFC 8693), the call (`jti`), the action (`op`), the target and its audience, and
//! lives seconds. A target verifies it by the gateway's published keys. It cannot be revoked, only outlived.

use model::{Principal, Secret, Timestamp, Ttl};
use serde_json::{Value, json};

use crate::signing_key::SigningKey;
use crate::slot::Slot;
use crate::{Credential, Issued, Issuer, LeaseError, MintFor, RawCredential};

/// How long a token lives unless the configuration or the decision says less.
const DEFAULT_LIFETIME: Ttl = Ttl::from_secs_clamped(30);

/// The longest that a token lives.
const MAX_LIFETIME: Ttl = Ttl::from_secs_clamped(300);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JwtPlan {
    audience: String,
    lifetime: Ttl,
    slot: Slot,
}

impl JwtPlan {
    pub(crate) fn parse(raw: &RawCredential) -> Result<Self, LeaseError> {
        let missing = || LeaseError::MissingKey { issuer: Issuer::Jwt.as_str(), key: "audience" };
        let audience = raw.audience.clone().ok_or_else(missing)?;
        if audience.is_empty() || audience.len() > 512 || audience.chars().any(char::is_control) {
            let rule = "must be 1 to 512 bytes without control characters";
            return Err(LeaseError::BadValue { key: "audience", rule });
        }
        let bad_lifetime = || LeaseError::BadValue { key: "lifetime", rule: "must be from `1s` to `5m`" };
        let lifetime = match &raw.lifetime {
            Some(text) => Ttl::parse(text).map_err(|_| bad_lifetime())?,
            None => DEFAULT_LIFETIME,
        };
        if lifetime > MAX_LIFETIME {
            return Err(bad_lifetime());
        }
        let header = raw.header.as_deref().unwrap_or("authorization");
        let prefix = raw.prefix.as_deref().unwrap_or(if raw.header.is_none() { "Bearer " } else { "" });
        Ok(Self { audience, lifetime, slot: Slot::header(header, prefix)? })
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// When a token that is signed now ends by itself.
    pub(crate) fn expires(&self, now: Timestamp, ttl: Option<Ttl>) -> Timestamp {
        let lifetime = ttl.map_or(self.lifetime, |ttl| ttl.min(self.lifetime));
        Timestamp::from_secs(now.secs().saturating_add(i64::from(lifetime.secs())))
    }

    /// Signs a token for one call.
    pub(crate) fn mint(
        &self,
        key: &SigningKey,
        issuer_url: &str,
        what: &MintFor<'_>,
        now: Timestamp,
    ) -> Result<Credential, LeaseError> {
        let issued_at = now.secs();
        let expires = self.expires(now, what.ttl);
        let mut claims = json!({
            "iss": issuer_url,
            "sub": what.principal.key.to_string(),
            "aud": self.audience,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": expires.secs(),
            "jti": what.call,
            "op": what.action,
            "target": what.target,
        });
        if let (Some(actor), Some(claims)) = (&what.principal.actor, claims.as_object_mut()) {
            claims.insert("act".to_owned(), act(actor));
        }
        let token: Secret = key.sign(&claims)?;
        Ok(Credential {
            injection: self.slot.inject(&token),
            issued: Issued { issuer: Issuer::Jwt, expires: Some(expires) },
            needles: vec![token],
            version: None,
        })
    }
}

/// The actors as RFC 8693 nests them (section 4.1).
fn act(actor: &Principal) -> Value {
    match &actor.actor {
        Some(next) => json!({ "sub": actor.key.to_string(), "act": act(next) }),
        None => json!({ "sub": actor.key.to_string() }),
    }
}
