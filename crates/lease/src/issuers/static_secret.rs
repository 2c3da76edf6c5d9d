//! `static`: a permanent secret, sealed at rest, injected where the target expects it.
//!
//! It cannot be scoped to a call and does not expire; that the gateway decides each call is all that stands before it.

use model::{Secret, SecretName, sha256};
use serde_json::json;

use crate::slot::Slot;
use crate::{Credential, Issued, Issuer, LeaseError, RawCredential};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaticPlan {
    secret: SecretName,
    slot: Slot,
}

impl StaticPlan {
    pub(crate) fn parse(raw: &RawCredential) -> Result<Self, LeaseError> {
        let missing = || LeaseError::MissingKey { issuer: Issuer::Static.as_str(), key: "secret" };
        Ok(Self { secret: raw.secret.clone().ok_or_else(missing)?, slot: Slot::parse(raw)? })
    }

    pub(crate) fn secret(&self) -> &SecretName {
        &self.secret
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// The credential that `value` makes, being the `version`th of the secret's name.
    pub(crate) fn credential(&self, value: &Secret, version: u64) -> Credential {
        Credential {
            injection: self.slot.inject(value),
            issued: Issued { issuer: Issuer::Static, expires: None },
            needles: self.slot.needles(value),
            version: Some(self.version(version)),
        }
    }

    /// Of the needles, without saying anything about them: the secret's name, its version and its place.
    fn version(&self, version: u64) -> u64 {
        let place = match &self.slot {
            Slot::Header { name, prefix } => json!(["header", name, prefix]),
            Slot::Query { name } => json!(["query", name]),
            Slot::Basic { user } => json!(["basic", user]),
        };
        let digest = sha256(json!([self.secret, version, place]).to_string().as_bytes());
        digest.first_chunk().copied().map_or(version, u64::from_be_bytes)
    }
}
