//! A key set (RFC 7517, section 5), of which only public keys for the algorithms of this crate are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jsonwebtoken::DecodingKey;
use model::{JsonLimits, Timestamp, parse_strict_json, sha256};
use serde_json::{Map, Value, json};

use crate::token::{UnverifiedToken, decode};
use crate::{Algorithm, TokenFault};

/// What a key set may be.
pub(crate) const LIMITS: JsonLimits = JsonLimits { bytes: 256 << 10, depth: 16 };

/// The most keys of a set.
const MAX_KEYS: usize = 64;

/// A public key of an issuer.
pub(crate) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
    /// Of all that the key is, so that it is known again in the next set.
    fingerprint: [u8; 32],
    /// Until when it counts, in microseconds; in the past once its issuer has withdrawn it. What it has signed is
    /// remembered together with it, and so ends with it at once.
    serves_until: AtomicI64,
}

impl Key {
    pub(crate) fn serves_at(&self, now: Timestamp) -> bool {
        now.micros() < self.serves_until.load(Ordering::Acquire)
    }

    fn serve_until(&self, until: Timestamp) {
        self.serves_until.store(until.micros(), Ordering::Release);
    }

    /// Checks the signature of `token`.
    pub(crate) fn verify(&self, token: &UnverifiedToken<'_>) -> Result<(), TokenFault> {
        let algorithm = match token.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        };
        match jsonwebtoken::crypto::verify(token.signature, token.message.as_bytes(), &self.public, algorithm)
        {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenFault::Signature),
        }
    }
}

/// The keys of an issuer at one time.
#[derive(Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<Key>>,
}

impl KeySet {
    /// Reads a key set. Keys that cannot verify anything here (encryption, symmetric, unknown kinds, RSA below 2048 bits)
    /// are passed over, as RFC 7517 section 5 asks; so is one that shows its private half.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, String> {
        let document = parse_strict_json(document, LIMITS).map_err(|error| error.to_string())?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or("it has no array `keys`")?;
        if keys.len() > MAX_KEYS {
            return Err(format!("it holds more than {MAX_KEYS} keys"));
        }
        let keys = keys.iter().filter_map(Value::as_object).filter_map(key).map(Arc::new).collect();
        Ok(Self { keys })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The same set, in which keys that `older` holds too are the very same ones, all serving `until` then; and ends those
    /// of `older` that are gone.
    pub(crate) fn succeed(self, older: &Self, until: Timestamp) -> Self {
        let same = |key: Arc<Key>| match older.keys.iter().find(|old| old.fingerprint == key.fingerprint) {
            Some(old) => Arc::clone(old),
            None => key,
        };
        let keys: Vec<Arc<Key>> = self.keys.into_iter().map(same).collect();
        keys.iter().for_each(|key| key.serve_until(until));
        Self { keys }
    }

    /// Ends every key that `newer` does not hold.
    pub(crate) fn end_all_but(&self, newer: &Self) {
        let is_gone = |key: &&Arc<Key>| !newer.keys.iter().any(|new| Arc::ptr_eq(new, key));
        self.keys.iter().filter(is_gone).for_each(|key| key.serve_until(Timestamp::from_micros(i64::MIN)));
    }

    /// The keys that may have signed a token with this `kid` and algorithm. Without `kid` the set must hold just one key
    /// for the algorithm: nobody guesses.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Vec<Arc<Key>> {
        let fits = |key: &&Arc<Key>| {
            key.algorithms.contains(&algorithm)
                && key.serves_at(now)
                && id.is_none_or(|id| key.id.as_deref() == Some(id))
        };
        let found: Vec<Arc<Key>> = self.keys.iter().filter(fits).cloned().collect();
        if id.is_none() && found.len() > 1 { Vec::new() } else { found }
    }

    /// Whether any key counts now.
    pub(crate) fn serves_at(&self, now: Timestamp) -> bool {
        self.keys.iter().any(|key| key.serves_at(now))
    }
}

fn key(jwk: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let is_private = ["d", "k", "p", "q"].iter().any(|name| jwk.contains_key(*name));
    let is_for_signatures = jwk.get("use").is_none_or(|purpose| purpose == "sig")
        && jwk.get("key_ops").is_none_or(|operations| {
            operations.as_array().is_some_and(|operations| operations.contains(&"verify".into()))
        });
    if is_private || !is_for_signatures {
        return None;
    }
    let (public, mut algorithms) = public_key(text)?;
    if let Some(named) = jwk.get("alg") {
        algorithms.retain(|algorithm| named == algorithm.as_str());
    }
    let id = match jwk.get("kid") {
        None => None,
        Some(id) => Some(id.as_str()?.to_owned()),
    };
    let named = ["kid", "kty", "alg", "crv", "x", "y", "n", "e"].map(|name| jwk.get(name));
    let fingerprint = sha256(json!(named).to_string().as_bytes());
    let serves_until = AtomicI64::new(i64::MIN);
    (!algorithms.is_empty()).then_some(Key { id, algorithms, public, fingerprint, serves_until })
}

/// The key itself and what it can verify. RSA without `alg` serves both paddings, as far as the issuer may use them;
/// nothing here can ever become a symmetric key.
fn public_key<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<(DecodingKey, Vec<Algorithm>)> {
    let bytes = |name: &str| text(name).and_then(|part| decode(part).ok());
    match (text("kty")?, text("crv")) {
        ("EC", Some(curve)) => {
            let (algorithm, size) = match curve {
                "P-256" => (Algorithm::Es256, 32),
                "P-384" => (Algorithm::Es384, 48),
                _ => return None,
            };
            let (x, y) = (bytes("x")?, bytes("y")?);
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            (x.len() == size && y.len() == size).then(|| (DecodingKey::from_ec_der(&point), vec![algorithm]))
        }
        ("OKP", Some("Ed25519")) => {
            let x = bytes("x").filter(|x| x.len() == 32)?;
            Some((DecodingKey::from_ed_der(&x), vec![Algorithm::EdDsa]))
        }
        ("RSA", _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
            let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
            let sound = (2048..=8192).contains(&bits) && (1..=4).contains(&e.len()) && e != [1];
            let key = DecodingKey::from_rsa_raw_components(&n, &e);
            sound.then(|| (key, vec![Algorithm::Rs256, Algorithm::Ps256]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    /// How many keys of this set can be used.
    fn usable(keys: &Value) -> usize {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap().len()
    }

    fn ec(changes: &Value) -> Value {
        let coordinate = "A".repeat(43);
        let mut jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": coordinate, "y": coordinate });
        jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        jwk
    }

    fn rsa(bytes: usize, exponent: &str) -> Value {
        use base64::Engine as _;
        let modulus = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        json!({ "kty": "RSA", "kid": "a", "n": modulus, "e": exponent })
    }

    #[test]
    fn keys_that_verify_nothing_here_are_passed_over() {
        let unusable = json!([
            { "kty": "oct", "k": "" },
            { "kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "a" },
            ec(&json!({ "use": "enc" })),
            ec(&json!({ "key_ops": ["sign"] })),
            ec(&json!({ "alg": "HS256" })),
            ec(&json!({ "alg": "ES384" })),
            ec(&json!({ "alg": 1 })),
            ec(&json!({ "crv": "P-521" })),
            ec(&json!({ "crv": "secp256k1" })),
            ec(&json!({ "x": "AA" })),
            ec(&json!({ "x": "A".repeat(42) + "B" })),
            ec(&json!({ "kid": 1 })),
            ec(&json!({ "d": "private" })),
            { "kty": "EC" },
            { "kty": "OKP", "crv": "X25519", "x": "A".repeat(43) },
            { "kty": "OKP", "crv": "Ed25519", "x": "AA" },
            {},
            "key",
        ]);
        assert_eq!(usable(&unusable), 0);
        assert_eq!(usable(&json!([ec(&json!({})), ec(&json!({ "use": "sig", "alg": "ES256" }))])), 2);
    }

    #[test]
    fn rsa_keys_have_two_thousand_bits_and_an_exponent_that_hides_something() {
        for weak in [rsa(128, "AQAB"), rsa(255, "AQAB"), rsa(1025, "AQAB"), rsa(256, "AQ"), rsa(256, "")] {
            assert_eq!(usable(&json!([weak])), 0);
        }
        assert_eq!(usable(&json!([rsa(256, "AQAB")])), 1);
    }

    #[test]
    fn an_rsa_key_without_an_algorithm_serves_rsa_and_nothing_else() {
        let set = KeySet::parse(json!({ "keys": [rsa(256, "AQAB")] }).to_string().as_bytes()).unwrap();
        let set = set.succeed(&KeySet::default(), NOW.plus(std::time::Duration::from_secs(1)));
        let serves = |algorithm| set.find(Some("a"), algorithm, NOW).len() == 1;
        let served: Vec<_> = Algorithm::ALL.into_iter().filter(|algorithm| serves(*algorithm)).collect();
        assert_eq!(served, [Algorithm::Rs256, Algorithm::Ps256]);
    }

    #[test]
    fn a_key_serves_only_once_its_set_has_taken_over() {
        let set = KeySet::parse(json!({ "keys": [ec(&json!({}))] }).to_string().as_bytes()).unwrap();
        assert!(!set.serves_at(NOW));
        assert!(set.succeed(&KeySet::default(), NOW.plus(std::time::Duration::from_secs(1))).serves_at(NOW));
    }
}
