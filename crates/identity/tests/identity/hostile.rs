//! A table of hostile tokens. Each is refused, and for the reason that it was made for: were another check to catch it
//! first, the one that it is about would be untested.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Identity, TokenFault};
use model::Secret;
use serde_json::{Value, json};
use testkit::{KeyKind, TestIssuer};

use crate::fake::{AUDIENCE, FakeFetch, ISSUER, NOW, World, claims, claims_with, settings};

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token under this header whose signature is these bytes.
fn forged(header: &Value, signature: &[u8]) -> String {
    let claims = Value::Object(claims()).to_string();
    format!("{}.{}.{}", base64url(header.to_string()), base64url(claims), base64url(signature))
}

async fn all_refused(world: &World, expected: TokenFault, tokens: Vec<(&str, String)>) {
    for (name, token) in tokens {
        assert_eq!(world.fault(&token).await, expected, "{name}");
        assert!(world.identity.remembered(&Secret::from(token)).is_none(), "{name}: remembered");
    }
}

/// Claims changed like this, signed by the true key.
async fn claims_refused(expected: TokenFault, changes: Vec<Value>) {
    let world = World::new();
    for change in changes {
        let token = world.issuer.sign(&claims_with(&change));
        assert_eq!(world.fault(&token).await, expected, "{change}");
    }
}

/// Headers changed like this, signed by the true key.
async fn headers_refused(expected: TokenFault, changes: Vec<Value>) {
    let world = World::new();
    for change in changes {
        let token = world.issuer.sign_with(&change, &Value::Object(claims()));
        assert_eq!(world.fault(&token).await, expected, "{change}");
    }
}

#[tokio::test]
async fn the_token_that_all_others_are_made_from_is_good() {
    let world = World::new();
    world.verify(&world.issuer.sign(&Value::Object(claims()))).await.unwrap();
}

#[tokio::test]
async fn no_signature_at_all_is_no_algorithm_in_any_case() {
    let world = World::new();
    for none in ["none", "None", "NONE", "nOnE", "", "none "] {
        let header = json!({ "alg": none, "typ": "JWT", "kid": "k1" });
        let tokens =
            vec![(none, forged(&header, &[])), (none, world.issuer.sign_with(&header, &claims().into()))];
        all_refused(&world, TokenFault::Algorithm, tokens).await;
    }
}

#[tokio::test]
async fn an_hmac_keyed_with_the_public_key_is_refused() {
    let world = World::new();
    let jwk = world.issuer.jwks()["keys"][0].clone();
    let point = [jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap()]
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    for key in [jwk.to_string().into_bytes(), [vec![4], point.concat()].concat(), Vec::new()] {
        let message = format!(
            "{}.{}",
            base64url(json!({ "alg": "HS256", "kid": "k1" }).to_string()),
            base64url(Value::Object(claims()).to_string())
        );
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes());
        assert_eq!(world.fault(&format!("{message}.{}", base64url(signature))).await, TokenFault::Algorithm);
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_the_issuers_is_refused() {
    let world = World::with(&json!({ "algorithms": ["RS256"] }));
    assert_eq!(world.fault(&world.issuer.sign(&claims().into())).await, TokenFault::Algorithm);
    let names = ["es256", "ES512", "RS384", "PS512", "HS512", "Ed25519"].map(|alg| json!({ "alg": alg }));
    headers_refused(TokenFault::Algorithm, names.to_vec()).await;
    headers_refused(
        TokenFault::Algorithm,
        vec![json!({ "alg": 1 }), json!({ "alg": ["ES256"] }), json!({ "alg": null })],
    )
    .await;
}

#[tokio::test]
async fn an_algorithm_of_another_kind_of_key_finds_no_key() {
    let changes = ["RS256", "PS256", "ES384", "EdDSA"].map(|alg| json!({ "alg": alg }));
    headers_refused(TokenFault::UnknownKey, changes.to_vec()).await;
}

#[tokio::test]
async fn a_token_that_brings_its_own_key_is_refused() {
    let attacker = TestIssuer::new(ISSUER);
    let world = World::new();
    let jwk = attacker.jwks()["keys"][0].clone();
    let headers = [
        json!({ "jwk": jwk }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "jku": format!("{ISSUER}/jwks") }),
        json!({ "x5u": "https://evil.example/chain" }),
        json!({ "x5c": ["MIIB"] }),
    ];
    for header in headers {
        let token = attacker.sign_with(&header, &claims().into());
        assert_eq!(world.fault(&token).await, TokenFault::OwnKey, "{header}");
    }
    assert!(world.fetch.asked().is_empty(), "nothing may be fetched on a token's word");
}

#[tokio::test]
async fn a_kid_is_compared_and_used_for_nothing_else() {
    let world = World::new();
    let ids = [
        "../../../../dev/null",
        "k1' OR '1'='1",
        "https://evil.example/jwks",
        "k1?",
        "K1",
        "k1 ",
        "",
        "k1\0",
    ];
    for id in ids {
        let token = world.issuer.sign_with(&json!({ "kid": id }), &claims().into());
        assert_eq!(world.fault(&token).await, TokenFault::UnknownKey, "{id:?}");
    }
    assert!(world.fetch.asked().iter().all(|url| url.starts_with(ISSUER)), "{:?}", world.fetch.asked());
    let odd = vec![json!({ "kid": 1 }), json!({ "kid": ["k1"] }), json!({ "kid": "k".repeat(257) })];
    headers_refused(TokenFault::KeyId, odd).await;
}

#[tokio::test]
async fn extensions_are_refused_also_those_that_ask_to_be_ignored() {
    let changes = vec![
        json!({ "crit": ["exp"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": [] }),
        json!({ "b64": false }),
        json!({ "b64": true }),
    ];
    headers_refused(TokenFault::Extension, changes).await;
}

#[tokio::test]
async fn an_encrypted_token_is_no_signed_one() {
    let world = World::new();
    let header = base64url(json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }).to_string());
    let signed = world.issuer.sign_with(&json!({ "enc": "A256GCM" }), &claims().into());
    let zipped = world.issuer.sign_with(&json!({ "zip": "DEF" }), &claims().into());
    let tokens = vec![("five parts", format!("{header}.a.b.c.d")), ("enc", signed), ("zip", zipped)];
    all_refused(&world, TokenFault::Encrypted, tokens).await;
}

#[tokio::test]
async fn a_token_of_another_kind_is_refused() {
    let kinds =
        ["id_token", "logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", "", "jwt ", "text/jwt", "at+jwt+x"];
    headers_refused(TokenFault::Type, kinds.map(|kind| json!({ "typ": kind })).to_vec()).await;
    headers_refused(TokenFault::Type, vec![json!({ "typ": 1 }), json!({ "typ": ["JWT"] })]).await;
    let world = World::new();
    for kind in [json!("jwt"), json!("at+jwt"), json!("AT+JWT"), json!("application/at+jwt"), Value::Null] {
        let token = world.issuer.sign_with(&json!({ "typ": kind }), &claims().into());
        assert!(world.verify(&token).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn the_id_token_of_a_sign_in_is_not_for_us() {
    let names = ["nonce", "at_hash", "c_hash", "s_hash"].map(|name| json!({ name: "x" }));
    claims_refused(TokenFault::IdToken, names.to_vec()).await;
}

#[tokio::test]
async fn a_token_bound_to_a_key_is_no_bearer_token() {
    claims_refused(TokenFault::Bound, vec![json!({ "cnf": { "jkt": "x" } }), json!({ "cnf": {} })]).await;
}

#[tokio::test]
async fn an_issuer_is_compared_byte_for_byte() {
    let changes = [
        json!(format!("{ISSUER}/")),
        json!(format!("{ISSUER}.evil.example")),
        json!("https://login.example.co"),
        json!("https://LOGIN.example.com"),
        json!("http://login.example.com"),
        json!("https://login.example.com:443"),
        json!(""),
        json!(1),
        json!([ISSUER]),
        Value::Null,
    ];
    claims_refused(TokenFault::Issuer, changes.map(|issuer| json!({ "iss": issuer })).to_vec()).await;
}

#[tokio::test]
async fn an_audience_is_a_member_and_no_part_of_a_text() {
    let changes = [
        json!("https://gateway.example.co"),
        json!(format!("{AUDIENCE}.evil.example")),
        json!(format!("{AUDIENCE}/")),
        json!(format!("x {AUDIENCE} y")),
        json!("https://GATEWAY.example.com"),
        json!([]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
        json!({ "aud": AUDIENCE }),
        json!(1),
        json!(true),
        Value::Null,
    ];
    claims_refused(TokenFault::Audience, changes.map(|audience| json!({ "aud": audience })).to_vec()).await;
    let world = World::new();
    let token = world.issuer.sign(&claims_with(&json!({ "aud": ["https://other.example", AUDIENCE] })));
    assert!(world.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_token_without_a_sensible_end_is_refused() {
    let ends = [
        Value::Null,
        json!((NOW + 3600).to_string()),
        json!(-1),
        json!(-0.5),
        json!(253_402_300_800_i64),
        json!(9_007_199_254_740_991_i64),
        json!([NOW + 3600]),
        json!(true),
    ];
    claims_refused(TokenFault::BadExpiry, ends.map(|end| json!({ "exp": end })).to_vec()).await;
    let world = World::new();
    for end in ["1e300", "1e999", "99999999999999999999", "null", "NaN"] {
        let text = Value::Object(claims()).to_string().replace(&(NOW + 3600).to_string(), end);
        let fault = world.fault(&world.issuer.sign_text(r#"{"alg":"ES256","kid":"k1"}"#, &text)).await;
        assert!(matches!(fault, TokenFault::AmbiguousJson | TokenFault::BadExpiry), "{end}: {fault}");
    }
}

#[tokio::test]
async fn time_is_kept_with_the_skew_and_no_more() {
    claims_refused(TokenFault::Expired, [0, NOW - 3600, NOW - 30].map(|end| json!({ "exp": end })).to_vec())
        .await;
    let early = [json!(NOW + 31), json!("0"), json!(-1), json!([])];
    claims_refused(TokenFault::NotYetValid, early.map(|start| json!({ "nbf": start })).to_vec()).await;
    let issued = [json!(NOW + 31), json!("0"), json!(-1), json!(NOW + 3601)];
    claims_refused(TokenFault::IssuedAt, issued.map(|time| json!({ "iat": time })).to_vec()).await;
    let world = World::new();
    let good = [
        json!({ "exp": NOW - 29, "iat": null }),
        json!({ "nbf": NOW + 30 }),
        json!({ "iat": NOW + 30, "nbf": null }),
    ];
    for good in good {
        assert!(world.verify(&world.issuer.sign(&claims_with(&good))).await.is_ok(), "{good}");
    }
}

#[tokio::test]
async fn signatures_that_verify_by_accident_do_not() {
    let world = World::new();
    let good = world.issuer.sign(&claims().into());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let half = [&signature[..32], &[0; 32]].concat();
    let signatures: Vec<(&str, Vec<u8>)> = vec![
        ("zero", vec![0; 64]),
        ("r of zero", [&[0; 32], &signature[32..]].concat()),
        ("s of zero", half),
        ("empty", Vec::new()),
        ("short", signature[..63].to_vec()),
        ("long", [signature.as_slice(), &[0]].concat()),
        ("zero in DER", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        ("all ones", vec![0xff; 64]),
    ];
    let tokens =
        signatures.into_iter().map(|(name, bytes)| (name, format!("{message}.{}", base64url(bytes))));
    all_refused(&world, TokenFault::Signature, tokens.collect()).await;
    let other = world.issuer.sign(&claims_with(&json!({ "sub": "mallory" })));
    let claims = other.split('.').nth(1).unwrap();
    let header = good.split('.').next().unwrap();
    let swapped = format!("{header}.{claims}.{}", base64url(signature));
    assert_eq!(world.fault(&swapped).await, TokenFault::Signature);
}

#[tokio::test]
async fn members_that_are_there_twice_are_refused() {
    let world = World::new();
    let claims = Value::Object(claims()).to_string();
    let twice = |member: &str| claims.replacen('{', &format!("{{{member},"), 1);
    let header = r#"{"alg":"ES256","kid":"k1"}"#;
    let mut tokens = Vec::new();
    for member in
        [r#""sub":"root""#, r#""\u0073ub":"root""#, r#""aud":"x""#, r#""exp":1"#, r#""groups":["admins"]"#]
    {
        tokens.push((member, world.issuer.sign_text(header, &twice(member))));
    }
    for header in [r#"{"alg":"ES256","alg":"none","kid":"k1"}"#, r#"{"alg":"ES256","kid":"k2","kid":"k1"}"#] {
        tokens.push((header, world.issuer.sign_text(header, &claims)));
    }
    all_refused(&world, TokenFault::AmbiguousJson, tokens).await;
}

#[tokio::test]
async fn what_is_no_object_is_refused() {
    let world = World::new();
    let header = r#"{"alg":"ES256","kid":"k1"}"#;
    let good = Value::Object(claims()).to_string();
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let texts = ["", "[]", "null", "\"x\"", "{", &format!("{good}x"), &format!("\u{feff}{good}"), &deep];
    for text in texts {
        assert_eq!(
            world.fault(&world.issuer.sign_text(header, text)).await,
            TokenFault::AmbiguousJson,
            "{text:.20}"
        );
    }
    assert_eq!(world.fault(&world.issuer.sign_text("[]", &good)).await, TokenFault::AmbiguousJson);
}

#[tokio::test]
async fn there_is_one_way_to_write_a_token() {
    let world = World::new();
    let good = world.issuer.sign(&claims().into());
    let (message, signature) = good.rsplit_once('.').unwrap();
    // 64 bytes leave four bits over in the last of 86 characters: another character says the same to a lax reader.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|c| *c == *signature.as_bytes().last().unwrap()).unwrap();
    let stray = format!("{}{}", &signature[..signature.len() - 1], char::from(alphabet[last | 1]));
    let tokens = vec![
        ("stray bits", format!("{message}.{stray}")),
        ("padding", format!("{good}==")),
        ("space before", format!(" {good}")),
        ("line break after", format!("{good}\n")),
        ("other alphabet", format!("{message}.+{}", &signature[1..])),
        ("one part", message.replace('.', "")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.a")),
        ("six parts", format!("{good}.a.b.c")),
        ("nothing", String::new()),
        ("not ASCII", "é.é.é".to_owned()),
    ];
    all_refused(&world, TokenFault::Malformed, tokens).await;
    let bytes = world.identity.verify(&Secret::new(vec![0xff; 40])).await.unwrap_err();
    assert_eq!(bytes, TokenFault::Malformed.into());
    let long = world.issuer.sign(&claims_with(&json!({ "padding": "x".repeat(8192) })));
    assert_eq!(world.fault(&long).await, TokenFault::TooLong);
}

#[tokio::test]
async fn a_subject_is_short_visible_text() {
    let subjects = [
        Value::Null,
        json!(""),
        json!(1),
        json!(["a"]),
        json!("a".repeat(256)),
        json!("a\nb"),
        json!("a\u{7f}"),
    ];
    claims_refused(TokenFault::Subject, subjects.map(|subject| json!({ "sub": subject })).to_vec()).await;
}

#[tokio::test]
async fn a_claim_of_the_wrong_type_is_a_refusal_and_no_absence() {
    let groups = [
        json!("dba"),
        json!(1),
        json!({ "dba": true }),
        json!(["dba", 1]),
        json!([["dba"]]),
        json!(["a\nb"]),
        json!([""]),
    ];
    claims_refused(TokenFault::Groups, groups.map(|groups| json!({ "groups": groups })).to_vec()).await;
    // JSON null, which `claims_with` would take for "leave it out".
    let world = World::new();
    let text = Value::Object(claims()).to_string().replace(r#"["dba","team/a"]"#, "null");
    let token = world.issuer.sign_text(r#"{"alg":"ES256","kid":"k1"}"#, &text);
    assert_eq!(world.fault(&token).await, TokenFault::Groups);
    let elsewhere = json!({ "groups": null, "_claim_names": { "groups": "src1" } });
    claims_refused(TokenFault::Groups, vec![elsewhere]).await;
    let refs = [json!(["main"]), json!({}), json!(1.5), json!("a\0b"), json!("x".repeat(1025))];
    claims_refused(TokenFault::Claim, refs.map(|text| json!({ "ref": text })).to_vec()).await;
}

#[tokio::test]
async fn a_chain_of_actors_is_the_issuers_own_and_short() {
    let mut deep = json!({ "sub": "a9" });
    for step in (1..9).rev() {
        deep = json!({ "sub": format!("a{step}"), "act": deep });
    }
    let chains = [
        json!("agent"),
        json!({}),
        json!({ "sub": 1 }),
        json!({ "sub": "agent", "iss": "https://other.example" }),
        json!({ "sub": "agent", "iss": 1 }),
        json!({ "sub": "agent", "act": "x" }),
        deep,
    ];
    claims_refused(TokenFault::Actor, chains.map(|act| json!({ "act": act })).to_vec()).await;
}

#[tokio::test]
async fn two_issuers_cannot_speak_for_each_other() {
    const OTHER: &str = "https://other.example";
    let world = World::new();
    let other = TestIssuer::new(OTHER);
    let fetch = FakeFetch::new();
    fetch.publish(&world.issuer);
    fetch.publish(&other);
    let issuers = vec![settings("corp", ISSUER, &json!({})), settings("other", OTHER, &json!({}))];
    let identity = Identity::with_fetch(issuers, world.clock.clone(), fetch).unwrap();
    // Both call their key `k1`, and both know an `alice`.
    let posing = Secret::from(other.sign(&claims().into()));
    assert_eq!(identity.verify(&posing).await.unwrap_err(), TokenFault::Signature.into());
    let own = Secret::from(other.sign(&claims_with(&json!({ "iss": OTHER }))));
    let hers = Secret::from(world.issuer.sign(&claims().into()));
    let (own, hers) = (identity.verify(&own).await.unwrap(), identity.verify(&hers).await.unwrap());
    assert_ne!(own.principal.key, hers.principal.key);
    assert_eq!(own.principal.key.to_string(), "other/alice");
    assert!(own.principal.groups.iter().all(|group| group.as_str().starts_with("other/")));
}

#[tokio::test]
async fn without_a_kid_nobody_guesses() {
    let mut world = World::new();
    let unnamed = json!({ "kid": null });
    assert!(world.verify(&world.issuer.sign_with(&unnamed, &claims().into())).await.is_ok());
    world.issuer.add_key(KeyKind::Es256);
    world.fetch.publish(&world.issuer);
    world.clock.advance(std::time::Duration::from_secs(11));
    assert!(world.verify(&world.issuer.sign(&claims().into())).await.is_ok());
    let token = world.issuer.sign_with(&unnamed, &claims_with(&json!({ "jti": "other" })));
    assert_eq!(world.fault(&token).await, TokenFault::UnknownKey);
}
