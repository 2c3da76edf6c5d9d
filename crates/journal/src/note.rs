//! Signed notes and checkpoints, as C2SP `signed-note` and `tlog-checkpoint` have them, with one Ed25519 signature.
//!
//! A checkpoint is read only if it is, byte for byte, what this module would write, and only if its one signature is that
//! of the key asked for. Extension lines and signatures of others are refused.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Secret;

use crate::JournalError;
use crate::merkle::{Hash, digest};

/// How many entries a log has, and their root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many entries.
    pub size: u64,
    /// The root of their Merkle tree.
    pub root: Hash,
}

/// Signs checkpoints.
pub(crate) struct Signer {
    origin: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub(crate) fn new(origin: &str, key: &Secret) -> Result<Self, JournalError> {
        if !is_key_name(origin) {
            return Err(JournalError::Key(
                "the log's origin is empty, or holds white space, control characters or `+`",
            ));
        }
        let pair = Ed25519KeyPair::from_pkcs8(key.expose())
            .map_err(|_| JournalError::Key("it is no Ed25519 key in PKCS#8 form"))?;
        Ok(Self { origin: origin.to_owned(), pair })
    }

    pub(crate) fn verify_key(&self) -> VerifyKey {
        let mut public = [0; 32];
        public.copy_from_slice(self.pair.public_key().as_ref());
        VerifyKey { origin: self.origin.clone(), public }
    }

    /// The signed note of a tree head.
    pub(crate) fn checkpoint(&self, head: &TreeHead) -> String {
        let text = note_text(&self.origin, head);
        let signature = self.pair.sign(text.as_bytes());
        signed_note(&text, &self.verify_key(), signature.as_ref())
    }
}

/// The public half of a journal's key, written `origin+id+base64` as signed-note tools expect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyKey {
    origin: String,
    public: [u8; 32],
}

/// A checkpoint that does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// Not the form of a checkpoint.
    #[error("it is no checkpoint of one line each for origin, size, root and signature")]
    Form,
    /// Of another log.
    #[error("it is of another log: its origin is another")]
    Origin,
    /// Signed by another key.
    #[error("it is signed by another key")]
    Key,
    /// The signature does not verify.
    #[error("its signature does not verify")]
    Signature,
}

impl VerifyKey {
    /// The public half of a private key that [`crate::new_key`] made, for the log of this name.
    ///
    /// # Errors
    /// [`JournalError::Key`] when the key or the name cannot be used.
    pub fn of(origin: &str, key: &Secret) -> Result<Self, JournalError> {
        Ok(Signer::new(origin, key)?.verify_key())
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads a checkpoint and verifies its signature.
    ///
    /// # Errors
    /// [`BadCheckpoint`] when it is not, byte for byte, a checkpoint that this key signed.
    pub fn open(&self, note: &str) -> Result<TreeHead, BadCheckpoint> {
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(BadCheckpoint::Form)?;
        let text = format!("{text}\n");
        let mut lines = text.split_terminator('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(BadCheckpoint::Form);
        };
        if origin != self.origin {
            return Err(BadCheckpoint::Origin);
        }
        let head = TreeHead {
            size: size.parse().map_err(|_| BadCheckpoint::Form)?,
            root: decode(root).ok_or(BadCheckpoint::Form)?,
        };
        let line = signatures
            .strip_prefix("— ")
            .and_then(|line| line.strip_suffix('\n'))
            .ok_or(BadCheckpoint::Form)?;
        let (name, signed) = line.split_once(' ').ok_or(BadCheckpoint::Form)?;
        let signed: [u8; 68] = decode(signed).ok_or(BadCheckpoint::Form)?;
        let (id, signature) = signed.split_at(4);
        if name != self.origin || id != self.id() {
            return Err(BadCheckpoint::Key);
        }
        if signed_note(&note_text(&self.origin, &head), self, signature) != note {
            return Err(BadCheckpoint::Form);
        }
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(text.as_bytes(), signature)
            .map_err(|_| BadCheckpoint::Signature)?;
        Ok(head)
    }

    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = digest(&[self.origin.as_bytes(), b"\n", &[ED25519_TYPE], &self.public]);
        [a, b, c, d]
    }
}

impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed: Vec<u8> = [ED25519_TYPE].into_iter().chain(self.public).collect();
        write!(f, "{}+{}+{}", self.origin, hex::encode(self.id()), STANDARD.encode(typed))
    }
}

/// Text that is no verification key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a verification key: expected `origin+id+base64` of an Ed25519 key")]
pub struct BadKey;

impl FromStr for VerifyKey {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(origin), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(BadKey);
        };
        let [ED25519_TYPE, public @ ..] = decode::<33>(typed).ok_or(BadKey)? else { return Err(BadKey) };
        let key = Self { origin: origin.to_owned(), public };
        if is_key_name(origin) && hex::encode(key.id()) == id { Ok(key) } else { Err(BadKey) }
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn note_text(origin: &str, head: &TreeHead) -> String {
    format!("{origin}\n{}\n{}\n", head.size, STANDARD.encode(head.root))
}

fn signed_note(text: &str, key: &VerifyKey, signature: &[u8]) -> String {
    let signed: Vec<u8> = key.id().into_iter().chain(signature.iter().copied()).collect();
    format!("{text}\n— {} {}\n", key.origin, STANDARD.encode(signed))
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// The signature type of Ed25519 in `signed-note`.
const ED25519_TYPE: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_key;

    fn signer() -> Signer {
        Signer::new("countersign.test/journal", &new_key().unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_signed_note_verifies() {
        // The note and key of the `note` package in Go's checksum database, which C2SP took over.
        let key: VerifyKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        assert_eq!(key.to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature =
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let signed: [u8; 68] = decode(signature).unwrap();
        assert_eq!(signed[..4], key.id());
        UnparsedPublicKey::new(&ED25519, &key.public).verify(text.as_bytes(), &signed[4..]).unwrap();
    }

    #[test]
    fn a_checkpoint_opens_under_its_own_key_only() {
        let (ours, theirs) = (signer(), signer());
        let head = TreeHead { size: 20_852_163, root: [7; 32] };
        let note = ours.checkpoint(&head);
        assert_eq!(ours.verify_key().open(&note), Ok(head));
        assert_eq!(theirs.verify_key().open(&note), Err(BadCheckpoint::Key));
        let key: VerifyKey = ours.verify_key().to_string().parse().unwrap();
        assert_eq!(key.open(&note), Ok(head));
    }

    #[test]
    fn no_changed_byte_of_a_checkpoint_goes_unseen() {
        let signer = signer();
        let note = signer.checkpoint(&TreeHead { size: 300, root: [9; 32] });
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    assert!(signer.verify_key().open(&changed).is_err(), "byte {at}, bit {bit}");
                }
            }
        }
    }
}
