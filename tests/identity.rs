//! Who calls: tokens of a real OpenID provider, and every published way to pass for somebody else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testkit::{Answer, IssuerServer, TestIssuer, eventually};

use crate::counterparts::Provider;
use crate::origin::{self, After, Origin, SOON};
use crate::world::World;

/// What members of `corp/workers`, the provider's group, may do.
const CORP: &str = r#"permit (principal in Group::"corp/workers", action == Action::"http.get", resource == Target::"api");"#;

fn world_of(provider: &Provider) -> World {
    let issuer = provider.issuer();
    let table = format!(
        "[issuers.corp]\nissuer = \"{issuer}\"\naudience = \"countersign\"\ngroups_claim = \"groups\"\n"
    );
    let origin = Origin::answering(|_| origin::json(&json!({ "ok": true })));
    World::with(origin, |builder| builder.table(&table).policy("corp.cedar", CORP))
}

fn call(world: &World, token: &str) -> Answer {
    world.gateway.get("/t/api/things").bearer(token).send()
}

#[test]
fn a_token_of_a_real_provider_is_accepted_and_its_groups_decide() {
    let provider = Provider::shared();
    let world = world_of(provider);
    let worker = call(&world, &provider.access_token("worker"));
    assert_eq!((worker.status, worker.at("")), (200, String::new()), "{}", worker.text());
    let other = call(&world, &provider.access_token("other"));
    assert_eq!((other.status, other.at("/code")), (403, "denied".to_owned()));
    let (person, _) = provider.person("app", "ada");
    assert_eq!(call(&world, &person).status, 403, "ada is an approver, and no worker");
    assert_eq!(world.origin.seen().len(), 1);
    world.close();
}

#[test]
fn a_key_that_the_provider_rotates_in_is_found_and_one_that_it_withdrew_ends() {
    let provider = Provider::start();
    let world = world_of(&provider);
    let old = provider.access_token("worker");
    assert_eq!(call(&world, &old).status, 200);
    provider.rotate();
    let new = provider.access_token("worker");
    eventually("the new key is fetched", || (call(&world, &new).status == 200).then_some(()));
    assert_eq!(call(&world, &old).status, 401, "its key is withdrawn, so the remembered token is over too");
    world.close();
}

#[test]
fn an_id_token_of_a_real_provider_opens_nothing() {
    let provider = Provider::shared();
    let world = world_of(provider);
    let (_, id_token) = provider.person("app", "worker");
    unproven(&world, "an ID token is for its client", &id_token);
    world.close();
}

/// Asserts that nobody is proven by this, and that the problem says so in the form of RFC 9457.
fn unproven(world: &World, why: &str, token: &str) {
    let answer = call(world, token);
    assert_eq!(
        (answer.status, answer.at("/code").as_str()),
        (401, "unauthenticated"),
        "{why}: {}",
        answer.text()
    );
    assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{why}");
}

/// Tries each token, and asserts that all were refused, counted, and reached nothing.
fn all_unproven(world: World, tokens: Vec<(String, String)>) {
    let count = tokens.len();
    for (why, token) in tokens {
        unproven(&world, &why, &token);
    }
    assert_eq!(world.refusals("unauthenticated"), count as u64);
    assert!(world.origin.seen().is_empty(), "{:?}", world.origin.seen());
    world.close();
}

/// Claims of a worker with these members changed; null leaves one out.
fn claims(issuer: &IssuerServer, changes: &Value) -> Value {
    let mut claims = issuer.claims("worker", &["workers"]);
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, member| !member.is_null());
    claims
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_header_that_chooses_its_own_algorithm_or_key_is_refused() {
    let world = World::new();
    let good = claims(&world.issuer, &json!({}));
    let foreign = format!("{}/jwks", world.origin.url());
    let own = TestIssuer::new(&world.issuer.url());
    let mut tokens = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "es256", "ES512", "RS384", ""] {
        tokens.push((format!("alg {alg}"), json!({ "alg": alg })));
    }
    for header in [
        json!({ "jwk": own.jwks()["keys"][0] }),
        json!({ "jku": foreign }),
        json!({ "x5u": foreign }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "kid": "../../../../dev/null" }),
        json!({ "kid": "k1' OR '1'='1" }),
        json!({ "kid": ["k1"] }),
        json!({ "kid": "k".repeat(300) }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "b64": false }),
        json!({ "typ": "JWE" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "dpop+jwt" }),
        json!({ "typ": 1 }),
        json!({ "enc": "A256GCM" }),
        json!({ "zip": "DEF" }),
    ] {
        tokens.push((header.to_string(), header));
    }
    let mut signed: Vec<_> = tokens
        .iter()
        .map(|(why, header)| (why.clone(), world.issuer.with(|issuer| issuer.sign_with(header, &good))))
        .collect();
    signed.push(("another's key under our kid".to_owned(), own.sign(&good)));
    all_unproven(world, signed);
}

#[test]
fn a_signature_that_proves_nothing_is_refused() {
    let world = World::new();
    let good = claims(&world.issuer, &json!({}));
    let true_token = world.issuer.sign(&good);
    let (message, _) = true_token.rsplit_once('.').unwrap();
    let body = base64url(good.to_string());
    let mut tokens = vec![
        ("no signature".to_owned(), format!("{message}.")),
        ("a zero signature".to_owned(), format!("{message}.{}", base64url([0; 64]))),
        ("r = 0".to_owned(), format!("{message}.{}", base64url([[0; 32], [1; 32]].concat()))),
        ("s = 0".to_owned(), format!("{message}.{}", base64url([[1; 32], [0; 32]].concat()))),
        (
            "r and s of the group's order".to_owned(),
            format!("{message}.{}", base64url([ORDER, ORDER].concat())),
        ),
        ("a signature in DER".to_owned(), format!("{message}.{}", base64url([0x30, 6, 2, 1, 0, 2, 1, 0]))),
        ("a padded token".to_owned(), format!("{true_token}=")),
        ("two dots too many: JWE".to_owned(), format!("{message}.a.b.c")),
    ];
    for none in ["none", "NonE"] {
        let header = base64url(json!({ "alg": none, "kid": "k1" }).to_string());
        tokens.push((format!("unsigned, alg {none}"), format!("{header}.{body}.")));
    }
    let jwk = world.issuer.with(|issuer| issuer.jwks()["keys"][0].clone());
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&point));
    for key in [jwk.to_string().into_bytes(), point, pem.into_bytes(), Vec::new()] {
        let header = base64url(json!({ "alg": "HS256", "kid": "k1" }).to_string());
        let message = format!("{header}.{body}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes());
        tokens
            .push(("an HMAC keyed with the public key".to_owned(), format!("{message}.{}", base64url(tag))));
    }
    all_unproven(world, tokens);
}

/// The order of P-256's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn claims_that_are_not_for_this_gateway_now_are_refused() {
    let world = World::new();
    let url = world.issuer.url();
    let now = world.issuer.claims("worker", &[])["iat"].as_i64().unwrap();
    let changes = [
        json!({ "iss": format!("{url}/") }),
        json!({ "iss": format!("{url}.evil.example") }),
        json!({ "iss": url.to_uppercase() }),
        json!({ "iss": url[..url.len() - 1] }),
        json!({ "iss": [url] }),
        json!({ "iss": null }),
        json!({ "aud": "countersign2" }),
        json!({ "aud": "counter" }),
        json!({ "aud": "Countersign" }),
        json!({ "aud": "x countersign" }),
        json!({ "aud": ["a", "countersign "] }),
        json!({ "aud": ["countersign", 1] }),
        json!({ "aud": { "countersign": true } }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "exp": null }),
        json!({ "exp": (now + 300).to_string() }),
        json!({ "exp": -1 }),
        json!({ "exp": 1e300 }),
        json!({ "exp": now - 3600 }),
        json!({ "exp": true }),
        json!({ "nbf": now + 3600 }),
        json!({ "nbf": "0" }),
        json!({ "iat": now + 3600 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "groups": "workers" }),
        json!({ "groups": ["workers", 1] }),
        json!({ "nonce": "an ID token's" }),
        json!({ "at_hash": "an ID token's" }),
        json!({ "cnf": { "jkt": "bound to a key that was not shown" } }),
        json!({ "act": "agent" }),
    ];
    let sign = |change: &Value| (change.to_string(), world.issuer.sign(&claims(&world.issuer, change)));
    let mut tokens: Vec<_> = changes.iter().map(sign).collect();
    let text = claims(&world.issuer, &json!({})).to_string();
    let doubled = [
        text.replacen("\"sub\":", "\"sub\":\"root\",\"sub\":", 1),
        text.replacen("\"aud\":", "\"aud\":\"x\",\"aud\":", 1),
        text.replacen("\"exp\":", "\"ex\\u0070\":1,\"exp\":", 1),
    ];
    for claims in doubled {
        let token = world.issuer.with(|issuer| issuer.sign_text(r#"{"alg":"ES256","kid":"k1"}"#, &claims));
        tokens.push((claims, token));
    }
    let header = r#"{"alg":"none","alg":"ES256","kid":"k1"}"#;
    tokens.push((header.to_owned(), world.issuer.with(|issuer| issuer.sign_text(header, &text))));
    all_unproven(world, tokens);
}

#[test]
fn the_same_subject_of_another_issuer_is_somebody_else() {
    let other = IssuerServer::start();
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.table(&other.toml("other")));
    for groups in [&["workers"][..], &["workers", "dev/workers", "../dev/workers"]] {
        let foreign = call(&world, &other.token("worker", groups));
        assert_eq!(foreign.status, 403, "groups of `other` are none of `dev`: {}", foreign.text());
    }
    unproven(&world, "signed by the other issuer", &other.sign(&world.issuer.claims("worker", &["workers"])));
    assert!(world.origin.seen().is_empty());
    world.close();
}

#[test]
fn a_flood_of_unknown_keys_does_not_reach_the_issuer() {
    let world = World::new();
    assert_eq!(world.get("/").status, 200);
    let before = world.issuer.fetched();
    for number in 0..200 {
        let header = json!({ "kid": format!("unknown-{number}") });
        let good = claims(&world.issuer, &json!({}));
        unproven(&world, "an unknown key", &world.issuer.with(|issuer| issuer.sign_with(&header, &good)));
    }
    assert!(world.issuer.fetched() <= before + 3, "{} fetches", world.issuer.fetched() - before);
    world.close();
}

#[test]
fn an_issuer_that_is_down_stops_nobody_whose_key_is_known() {
    let world = World::new();
    assert_eq!(world.get("/").status, 200);
    world.issuer.set_down(true);
    let good = claims(&world.issuer, &json!({}));
    let unknown = world.issuer.with(|issuer| issuer.sign_with(&json!({ "kid": "new" }), &good));
    unproven(&world, "its key cannot be had", &unknown);
    let fresh = world.token("another", &["workers"]);
    assert_eq!(call(&world, &fresh).status, 200);
    world.close();
}

#[test]
fn an_issuer_that_is_slow_holds_up_nobody_whose_key_is_known() {
    let (slow, served) = (Arc::new(AtomicBool::new(false)), Arc::new((Mutex::new(false), Condvar::new())));
    let keys = Arc::new(Mutex::new(None::<TestIssuer>));
    let issuer = {
        let (slow, served, keys) = (Arc::clone(&slow), Arc::clone(&served), Arc::clone(&keys));
        Origin::with(move |mut talk| {
            if slow.load(Ordering::SeqCst) {
                let (released, signal) = &*served;
                let _end = signal.wait_timeout_while(released.lock().unwrap(), SOON, |released| !*released);
                return Ok(After::Close);
            }
            let document = keys.lock().unwrap().as_ref().map(|keys| match talk.request.path() {
                "/jwks" => keys.jwks(),
                _ => keys.discovery(),
            });
            talk.send(origin::json(&document.unwrap_or_default()))?;
            Ok(After::Keep)
        })
    };
    *keys.lock().unwrap() = Some(TestIssuer::new(&issuer.url()));
    let sign = |header: &Value| {
        let mut claims = claims(&IssuerServer::start(), &json!({}));
        claims["iss"] = issuer.url().into();
        keys.lock().unwrap().as_ref().unwrap().sign_with(header, &claims)
    };
    let table = format!(
        "[issuers.corp]\nissuer = \"{}\"\naudience = \"countersign\"\ngroups_claim = \"groups\"\n",
        issuer.url()
    );
    let origin = Origin::answering(|_| origin::json(&json!({})));
    let world = World::with(origin, |builder| builder.table(&table).policy("corp.cedar", CORP));
    assert_eq!(call(&world, &sign(&json!({}))).status, 200);

    slow.store(true, Ordering::SeqCst);
    let unknown = world.gateway.get("/t/api/x").bearer(&sign(&json!({ "kid": "new" })));
    let asked = issuer.clone();
    // Keys are not asked for more often than every ten seconds; until then an unknown one is refused at once.
    let waiting = std::thread::spawn(move || {
        eventually("the keys are asked for again", || {
            let status = unknown.clone().send().status;
            (asked.seen().len() >= 3).then_some(status)
        })
    });
    issuer.wait_for(|seen| seen.connection >= 2);
    assert_eq!(call(&world, &sign(&json!({ "cty": "fresh" }))).status, 200);
    assert!(!waiting.is_finished(), "the known key was served while the unknown one waited");
    *served.0.lock().unwrap() = true;
    served.1.notify_all();
    assert_eq!(waiting.join().unwrap(), 401);
    world.close();
}

#[test]
fn a_token_in_any_other_place_or_form_is_no_token() {
    let world = World::new();
    let token = world.token("worker", &["workers"]);
    let forms = [
        world.gateway.get("/t/api/"),
        world.gateway.get("/t/api/").header("authorization", &token),
        world.gateway.get("/t/api/").header("authorization", &format!("Basic {token}")),
        world.gateway.get("/t/api/").header("authorization", &format!("Bearer  {token}")),
        world.gateway.get("/t/api/").header("authorization", &format!("Bearer {token}, Bearer {token}")),
        world.gateway.get("/t/api/").header("cookie", &format!("access_token={token}")),
        world.gateway.get("/t/api/").header("x-forwarded-access-token", &token),
    ];
    for request in forms {
        let answer = request.send();
        assert_eq!(
            (answer.status, answer.at("/code")),
            (401, "unauthenticated".to_owned()),
            "{}",
            answer.text()
        );
    }
    assert!(world.origin.seen().is_empty());
    world.close();
}
