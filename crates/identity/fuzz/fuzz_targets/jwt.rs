//! Tokens as strangers write them, against two oracles.
//!
//! 1. Whatever the strict parser takes apart, a plain reading (split, base64, serde_json) takes apart to the same header and
//!    claims: strictness only ever refuses.
//! 2. A token that was signed for `alice` is damaged as the input says. Whatever comes of it proves nobody but `alice`, and
//!    nobody at all unless header and claims are what was signed.
#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Fetch, FetchError, Fetched, Identity, IssuerSettings, UnverifiedToken};
use libfuzzer_sys::fuzz_target;
use model::{Clock, IssuerName, Secret, Timestamp};
use serde_json::{Value, json};
use url::Url;

const ISSUER: &str = "https://login.example.com";
const NOW: i64 = 1_795_000_000;

/// A token for `alice`, good until a minute after `NOW`, and the key set of its issuer. The private key is gone.
const TOKEN: &str = include_str!("token.jwt");
const KEY_SET: &str = include_str!("jwks.json");

#[derive(Debug)]
struct Published;

impl Fetch for Published {
    fn get<'a>(&'a self, url: &'a Url, _limit: usize) -> Fetched<'a> {
        let document = match url.path() {
            "/jwks" => Ok(KEY_SET.to_owned()),
            "/.well-known/openid-configuration" => {
                Ok(json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks") }).to_string())
            }
            _ => Err(FetchError::Status(404)),
        };
        Box::pin(std::future::ready(document.map(String::into_bytes)))
    }
}

#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(NOW)
    }
}

struct World {
    identity: Identity,
    runtime: tokio::runtime::Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let raw = json!({ "issuer": ISSUER, "audience": "gateway", "groups_claim": "groups" });
    let name = IssuerName::parse("corp").unwrap();
    let settings = IssuerSettings::parse(name, serde_json::from_value(raw).unwrap()).unwrap();
    let identity =
        Identity::with_fetch(vec![settings], Arc::new(StandingClock), Arc::new(Published)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let good = Secret::from(TOKEN.to_owned());
    runtime.block_on(identity.verify(&good)).expect("the token that is damaged is good");
    World { identity, runtime }
});

fuzz_target!(|data: &[u8]| {
    reads_as_a_plain_reader_does(data);
    proves_nobody_else(data);
});

fn reads_as_a_plain_reader_does(data: &[u8]) {
    let Ok(token) = UnverifiedToken::parse(data) else { return };
    let text = std::str::from_utf8(data).unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    assert_eq!(parts.len(), 3);
    let bytes = parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect::<Vec<_>>();
    for (part, bytes) in parts.iter().zip(&bytes) {
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), *part, "one spelling only");
    }
    let header: Value = serde_json::from_slice(&bytes[0]).unwrap();
    let claims: Value = serde_json::from_slice(&bytes[1]).unwrap();
    assert_eq!(&claims, &Value::Object(token.claims().clone()));
    assert_eq!(header["alg"].as_str(), Some(token.algorithm().as_str()));
    assert_eq!(header.get("kid").map(|id| id.as_str().unwrap()), token.key_id());
    for name in ["crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip"] {
        assert!(header.get(name).is_none(), "{name}");
    }
}

/// Each three bytes of the input are a place and a byte that is put there; an odd last one cuts or appends.
fn proves_nobody_else(data: &[u8]) {
    let world = &*WORLD;
    let mut token = TOKEN.as_bytes().to_vec();
    for change in data.chunks(3) {
        match *change {
            [high, low, byte] => {
                let place = usize::from(u16::from_be_bytes([high, low])) % token.len();
                token[place] = byte;
            }
            [cut, byte] => {
                token.truncate(token.len() - usize::from(cut) % token.len());
                token.push(byte);
            }
            _ => {}
        }
    }
    let signed = TOKEN.rsplit_once('.').unwrap().0;
    if let Ok(proven) = world.runtime.block_on(world.identity.verify(&Secret::new(token.clone()))) {
        assert_eq!(proven.principal.key.to_string(), "corp/alice");
        assert!(token.starts_with(signed.as_bytes()) && token[signed.len()] == b'.');
        assert_eq!(proven.principal.groups.len(), 1);
    }
}
