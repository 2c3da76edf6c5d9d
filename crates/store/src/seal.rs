//! Sealing: what is encrypted at rest, and under which key.
//!
//! A [`Kek`] comes from a file outside the data folder and seals one random data key, which the store keeps. Everything
//! else is sealed by a [`Sealer`] of that data key, or by one derived from it for a purpose. What is sealed is bound to
//! a context (a table and a row, a segment and a place), so that a sealed value moved elsewhere does not open.
//!
//! **Form.** `version (1 byte) ‖ salt (32 bytes) ‖ ciphertext ‖ tag (16 bytes)`. Key and 96-bit nonce of each message are
//! HKDF-SHA-256 of the sealer's key under the message's own random salt; the message is AES-256-GCM with the context as
//! associated data. AES-GCM's limit of 2^32 random nonces a key is thereby no limit on messages: a key and nonce repeat
//! only where 256 random bits do.
//!
//! It refuses, all alike, a wrong key, a wrong context and any changed bit. Plain keys are zeroed when they are dropped.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{aead, hkdf, rand};
use model::Secret;
use zeroize::Zeroizing;

mod kek;

pub use kek::{Kek, KekError};

/// Why sealed bytes do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Too short to be anything that a sealer wrote.
    #[error("{0} bytes are too few to be sealed data")]
    TooShort(usize),
    /// Written in a form that this version does not know.
    #[error("sealed data of version {0}, which this version of Countersign does not know: use a newer one")]
    UnknownVersion(u8),
    /// Sealed under another key or for another context, or changed since.
    #[error("sealed data does not open: another key, another place, or changed bytes")]
    DoesNotOpen,
}

/// Seals and opens under one key. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Key>);

type Key = Zeroizing<[u8; KEY_LEN]>;

impl Sealer {
    /// Encrypts `plain` and binds it to `context`, without which it does not open again. The result is
    /// [`Sealer::OVERHEAD`] bytes longer than `plain`.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let salt = random::<SALT_LEN>();
        let mut sealed = Vec::with_capacity(plain.len() + Self::OVERHEAD);
        sealed.push(VERSION);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plain);
        let (key, nonce) = self.message_key(&salt);
        let body = sealed.get_mut(HEADER_LEN..).unwrap_or_default();
        let tag = key.seal_in_place_separate_tag(nonce, aead::Aad::from(context), body);
        sealed.extend_from_slice(sure(tag).as_ref());
        sealed
    }

    /// Decrypts what [`Sealer::seal`] made under the same key for the same context.
    ///
    /// # Errors
    /// [`SealError`]. A wrong key, a wrong context and a changed bit cannot be told apart.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, SealError> {
        let too_short = || SealError::TooShort(sealed.len());
        let (&version, rest) = sealed.split_first().ok_or_else(too_short)?;
        if version != VERSION {
            return Err(SealError::UnknownVersion(version));
        }
        let (salt, rest) = rest.split_first_chunk::<SALT_LEN>().ok_or_else(too_short)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or_else(too_short)?;
        let (key, nonce) = self.message_key(salt);
        let mut plain = vec![0; body.len()];
        key.open_separate_gather(nonce, aead::Aad::from(context), body, tag, &mut plain)
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok(Secret::new(plain))
    }

    /// The sealer of one purpose (`approval`, `journal.records`). It opens nothing of another purpose's.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        let mut key = Key::default();
        self.expand(DERIVE_SALT, purpose.as_bytes(), key.as_mut_slice());
        Self(Arc::new(key))
    }

    /// A sealer whose key everybody knows, for tests.
    #[must_use]
    pub fn for_test() -> Self {
        Self::of(Zeroizing::new([7; KEY_LEN]))
    }

    /// How many bytes longer the sealed form is.
    pub const OVERHEAD: usize = HEADER_LEN + TAG_LEN;

    fn of(key: Key) -> Self {
        Self(Arc::new(key))
    }

    /// A new random data key as the store keeps it: sealed by `kek`.
    pub(crate) fn new_data_key(kek: &Kek) -> Vec<u8> {
        kek.sealer().seal(DATA_KEY_CONTEXT, Zeroizing::new(random::<KEY_LEN>()).as_slice())
    }

    /// The sealer of the data key that `kek` sealed.
    pub(crate) fn of_data_key(kek: &Kek, sealed: &[u8]) -> Result<Self, SealError> {
        let plain = kek.sealer().open(DATA_KEY_CONTEXT, sealed)?;
        let key = <[u8; KEY_LEN]>::try_from(plain.expose()).map_err(|_| SealError::DoesNotOpen)?;
        Ok(Self::of(Zeroizing::new(key)))
    }

    fn message_key(&self, salt: &[u8; SALT_LEN]) -> (aead::LessSafeKey, aead::Nonce) {
        let mut derived = Zeroizing::new([0; KEY_LEN + aead::NONCE_LEN]);
        self.expand(salt, MESSAGE_INFO, derived.as_mut_slice());
        let (key, nonce) = derived.split_at(KEY_LEN);
        let key = sure(aead::UnboundKey::new(&aead::AES_256_GCM, key));
        (aead::LessSafeKey::new(key), sure(aead::Nonce::try_assume_unique_for_key(nonce)))
    }

    fn expand(&self, salt: &[u8], info: &[u8], out: &mut [u8]) {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.0.as_slice());
        sure(prk.expand(&[info], Length(out.len())).and_then(|okm| okm.fill(out)));
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Random bytes of the machine.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    sure(rand::fill(&mut bytes));
    bytes
}

/// The result of a cryptographic step on lengths fixed here. It fails only where the machine yields no randomness or no
/// memory, and nothing may go on then.
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing may be sealed, and no caller could do better than stop"
)]
fn sure<T>(result: Result<T, aws_lc_rs::error::Unspecified>) -> T {
    result.expect("the cryptographic library works on this machine")
}

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 1 + SALT_LEN;
const MESSAGE_INFO: &[u8] = b"countersign seal v1: message";
const DERIVE_SALT: &[u8] = b"countersign seal v1: derive";
const DATA_KEY_CONTEXT: &[u8] = b"countersign: data key";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_to_the_same_bytes(context: Vec<u8>, plain: Vec<u8>) {
            let sealed = Sealer::for_test().seal(&context, &plain);
            prop_assert_eq!(sealed.len(), plain.len() + Sealer::OVERHEAD);
            let opened = Sealer::for_test().open(&context, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), plain);
        }

        #[test]
        fn no_changed_bit_and_no_cut_goes_unseen(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let sealer = Sealer::for_test();
            let sealed = sealer.seal(b"here", &plain);
            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(sealer.open(b"here", &flipped).is_err());
            prop_assert!(sealer.open(b"here", &sealed[..at.index(sealed.len())]).is_err());
        }
    }

    #[test]
    fn another_context_key_or_purpose_opens_nothing() {
        let sealer = Sealer::for_test();
        let sealed = sealer.seal(b"secrets/a", b"plain");
        assert_eq!(sealer.open(b"secrets/b", &sealed).unwrap_err(), SealError::DoesNotOpen);
        assert_eq!(sealer.derive("x").open(b"secrets/a", &sealed).unwrap_err(), SealError::DoesNotOpen);
        let derived = sealer.derive("x").seal(b"a", b"plain");
        assert_eq!(sealer.derive("y").open(b"a", &derived).unwrap_err(), SealError::DoesNotOpen);
        assert_eq!(sealer.derive("x").open(b"a", &derived).unwrap().expose(), b"plain");
    }

    #[test]
    fn the_same_bytes_are_never_sealed_alike() {
        let sealer = Sealer::for_test();
        assert_ne!(sealer.seal(b"c", b"plain"), sealer.seal(b"c", b"plain"));
    }

    #[test]
    fn a_later_version_is_named_and_not_guessed_at() {
        let mut sealed = Sealer::for_test().seal(b"c", b"plain");
        sealed[0] = 9;
        assert_eq!(Sealer::for_test().open(b"c", &sealed).unwrap_err(), SealError::UnknownVersion(9));
        assert_eq!(Sealer::for_test().open(b"c", &[]).unwrap_err(), SealError::TooShort(0));
    }

    #[test]
    fn the_form_is_the_one_described_and_stays_readable() {
        // Made apart from this code, from the description above, with salt 00 01 … 1f.
        let sealed = hex::decode(SEALED_BY_VERSION_1).unwrap();
        assert_eq!(Sealer::for_test().open(b"context", &sealed).unwrap().expose(), b"plain text");
    }

    const SEALED_BY_VERSION_1: &str = "01000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
        4e3e8d05bfd1172929cb53c165991ab7042cf4917d6f42cd7f28";
}
