//! The key that signs tokens: ECDSA over P-256, made on first use, sealed in the store, published as a JWK.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Secret, sha256};
use serde_json::{Value, json};
use store::Store;
use store::seal::Sealer;

use crate::LeaseError;

const CONTEXT: &[u8] = b"signing key: ES256, PKCS#8";

/// A key pair and how it is published.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    jwk: Value,
    /// The protected header of every token, encoded.
    header: String,
}

impl SigningKey {
    /// The store's key. Processes that come at once get the same one.
    pub(crate) async fn load_or_create(store: &Store, sealer: &Sealer) -> Result<Self, LeaseError> {
        let sealer = sealer.derive("credentials");
        let new = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .map_err(|_| LeaseError::Unsigned)?;
        let sealed = store.key_or_insert("credentials", sealer.seal(CONTEXT, new.as_ref())).await?;
        let pkcs8 = sealer.open(CONTEXT, &sealed).map_err(|_| LeaseError::DamagedKey)?;
        Self::of_pkcs8(pkcs8.expose())
    }

    fn of_pkcs8(pkcs8: &[u8]) -> Result<Self, LeaseError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| LeaseError::DamagedKey)?;
        // SEC 1, section 2.3.3: 4, then both coordinates.
        let (x, y) = match pair.public_key().as_ref() {
            [4, point @ ..] if point.len() == 64 => point.split_at(32),
            _ => return Err(LeaseError::DamagedKey),
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638, section 3: the required members, in the order of their names.
        let thumbprint = sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes());
        let kid = URL_SAFE_NO_PAD.encode(thumbprint);
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "typ": "JWT", "kid": kid }).to_string());
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y });
        Ok(Self { pair, jwk, header })
    }

    /// The public key, to be published (RFC 7517).
    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The claims as a signed token in compact form (RFC 7515, section 7.1).
    ///
    /// Signed here and not by a JWT library, because that would keep the key in memory that is not zeroed and parse it for
    /// each token. The tests verify with one.
    pub(crate) fn sign(&self, claims: &Value) -> Result<Secret, LeaseError> {
        let claims = claims.to_string();
        let claims_length = base64::encoded_len(claims.len(), false).ok_or(LeaseError::Unsigned)?;
        let mut token = String::with_capacity(self.header.len() + claims_length + SIGNATURE_LENGTH + 2);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature =
            self.pair.sign(&SystemRandom::new(), token.as_bytes()).map_err(|_| LeaseError::Unsigned)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(Secret::from(token))
    }
}

/// 64 bytes, encoded.
const SIGNATURE_LENGTH: usize = 86;

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}
