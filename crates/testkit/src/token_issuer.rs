//! An identity provider without a socket: it makes keys, signs tokens, true and false ones, and says what its discovery
//! document and its key set hold.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256.
    Es256,
    /// RSA with PKCS #1 v1.5, 2048 bits.
    Rs256,
    /// RSA with PSS, 2048 bits.
    Ps256,
}

impl KeyKind {
    fn alg(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

#[derive(Debug)]
struct Key {
    id: String,
    kind: KeyKind,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// An issuer of tokens, for tests only.
#[derive(Debug)]
pub struct TestIssuer {
    url: String,
    keys: Vec<Key>,
    made: u32,
}

/// Tests end at the first thing that a correct machine would not do.
const MADE: &str = "aws-lc makes keys and signatures";

impl TestIssuer {
    /// An issuer at `url` with one ES256 key, `k1`. Nothing listens there.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let mut issuer = Self { url: url.to_owned(), keys: Vec::new(), made: 0 };
        issuer.add_key(KeyKind::Es256);
        issuer
    }

    /// Its identifier.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a key that signs from now on, beside the older ones, and returns its id.
    #[expect(clippy::expect_used, reason = "for tests: see MADE")]
    pub fn add_key(&mut self, kind: KeyKind) -> String {
        self.made += 1;
        let id = format!("k{}", self.made);
        let pair = match kind {
            KeyKind::Es256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect(MADE)),
            KeyKind::Rs256 | KeyKind::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect(MADE);
                Pair::Rsa(pair)
            }
        };
        self.keys.push(Key { id: id.clone(), kind, pair });
        id
    }

    /// Replaces all keys by a new one of the same kind as the newest, and returns its id.
    pub fn rotate(&mut self) -> String {
        let kind = self.keys.last().map_or(KeyKind::Es256, |key| key.kind);
        self.keys.clear();
        self.add_key(kind)
    }

    /// Takes a key out of the key set. Tokens that it signed before remain what they are.
    pub fn remove_key(&mut self, id: &str) {
        self.keys.retain(|key| key.id != id);
    }

    /// A token with these claims, signed with the newest key under the header that belongs to it.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({}), claims)
    }

    /// The same, with further or other members in its header; null leaves a member out. The newest key signs, whatever the
    /// header says.
    #[must_use]
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let key = self.newest();
        let mut full = json!({ "alg": key.kind.alg(), "kid": key.id, "typ": "JWT" });
        if let (Some(full), Some(header)) = (full.as_object_mut(), header.as_object()) {
            full.extend(header.clone());
            full.retain(|_, member| !member.is_null());
        }
        self.sign_text(&full.to_string(), &claims.to_string())
    }

    /// A token over exactly these texts, which need not be JSON.
    #[must_use]
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = sign(self.newest(), message.as_bytes());
        format!("{message}.{}", base64url(&signature))
    }

    /// Its discovery document.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({ "issuer": self.url, "jwks_uri": format!("{}/jwks", self.url.trim_end_matches('/')) })
    }

    /// Its key set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(jwk).collect::<Vec<_>>() })
    }

    #[expect(clippy::expect_used, reason = "for tests: signing without a key is the test's mistake")]
    fn newest(&self) -> &Key {
        self.keys.last().expect("the issuer has a key")
    }
}

#[expect(clippy::expect_used, reason = "for tests: see MADE")]
fn sign(key: &Key, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match &key.pair {
        Pair::Ec(pair) => pair.sign(&random, message).expect(MADE).as_ref().to_vec(),
        Pair::Rsa(pair) => {
            let mut signature = vec![0; pair.public_modulus_len()];
            let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                if key.kind == KeyKind::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
            pair.sign(padding, &random, message, &mut signature).expect(MADE);
            signature
        }
    }
}

fn jwk(key: &Key) -> Value {
    let mut jwk = Map::new();
    jwk.insert("kid".to_owned(), key.id.clone().into());
    jwk.insert("alg".to_owned(), key.kind.alg().into());
    jwk.insert("use".to_owned(), "sig".into());
    let parts: Vec<(&str, String)> = match &key.pair {
        Pair::Ec(pair) => {
            let (x, y) = pair.public_key().as_ref().get(1..).unwrap_or_default().split_at(32);
            let [kty, crv] = ["EC", "P-256"].map(str::to_owned);
            vec![("kty", kty), ("crv", crv), ("x", base64url(x)), ("y", base64url(y))]
        }
        Pair::Rsa(pair) => {
            let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
            vec![("kty", "RSA".to_owned()), ("n", base64url(&public.n)), ("e", base64url(&public.e))]
        }
    };
    jwk.extend(parts.into_iter().map(|(name, part)| (name.to_owned(), part.into())));
    Value::Object(jwk)
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
