//! What an approval signs: SHA-256 over the canonical JSON of a call.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;

use crate::{Address, Call, CanonicalError, TlsIdentity, canonical_json};

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// Text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected 64 hexadecimal digits")]
pub struct BadDigest;

/// The digest of an ordered list of calls: target with its address and TLS identity, accesses, arguments, and the bytes
/// that will be sent. It names what an approver signs and what then runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `calls`, in their order. `None` when one of them is not whole: only a whole call can be signed for.
    ///
    /// # Errors
    /// [`CanonicalError`] when an argument has no form that every reader reads the same way.
    pub fn of(calls: &[Call], address: &Address, tls: &TlsIdentity) -> Result<Option<Self>, CanonicalError> {
        let mut covered = Vec::with_capacity(calls.len());
        for call in calls {
            let Some(sent) = &call.sent else { return Ok(None) };
            covered.push(json!({
                "target": call.target,
                "address": address,
                "tls": tls,
                "accesses": call.accesses,
                "arguments": sent.arguments,
                "head": sent.head,
                "body_sha256": hex::encode(sent.body_sha256),
            }));
        }
        let bytes = canonical_json(&json!({ "countersign": 1, "calls": covered }))?;
        Ok(Some(Self(sha256(&bytes))))
    }

    /// Parses 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`BadDigest`] for any other text.
    pub fn parse(text: &str) -> Result<Self, BadDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| BadDigest)?;
        if hex::encode(bytes) == text { Ok(Self(bytes)) } else { Err(BadDigest) }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}
