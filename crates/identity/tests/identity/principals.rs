//! What a good token proves, and how long.

use std::time::Duration;

use identity::{Identity, IdentityError, TokenFault};
use model::{Secret, Timestamp};
use serde_json::{Value, json};
use testkit::KeyKind;

use crate::fake::{ISSUER, NOW, World, claims, claims_with, settings};

#[tokio::test]
async fn a_principal_has_the_issuers_name_on_everything() {
    let world = World::new();
    let token = world.issuer.sign(&claims_with(&json!({
        "verified": true, "run": 42, "unasked": "x", "act": { "sub": "agent", "act": { "sub": "before", "iss": ISSUER } },
    })));
    let proven = world.verify(&token).await.unwrap();
    let principal = &proven.principal;
    assert_eq!(principal.chain_text(), "corp/alice via corp/agent via corp/before");
    assert_eq!(
        principal.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
        ["corp/dba", "corp/team/a"]
    );
    assert_eq!(
        serde_json::to_value(&principal.claims).unwrap(),
        json!({ "ref": "main", "verified": "true", "run": "42" })
    );
    let actor = principal.actor.as_ref().unwrap();
    assert!(
        actor.groups.is_empty() && actor.claims.is_empty(),
        "groups are the principal's, not the actor's"
    );
    assert_eq!(proven.expires, Timestamp::from_secs(NOW + 3600 + 30));
}

#[tokio::test]
async fn groups_that_go_missing_are_gone() {
    let world = World::new();
    let token = world.issuer.sign(&claims_with(&json!({ "groups": null })));
    assert!(world.verify(&token).await.unwrap().principal.groups.is_empty());
}

#[tokio::test]
async fn a_single_group_is_read_only_where_the_configuration_says_so() {
    let world = World::with(&json!({ "groups_claim": "role", "single_group": true }));
    let proven = world.verify(&world.issuer.sign(&claims_with(&json!({ "role": "dba" })))).await.unwrap();
    assert_eq!(proven.principal.groups.first().unwrap().as_str(), "corp/dba");
    let token = world.issuer.sign(&claims_with(&json!({ "role": ["dba"] })));
    assert_eq!(world.fault(&token).await, TokenFault::Groups);
}

#[tokio::test]
async fn every_kind_of_key_signs() {
    for kind in [KeyKind::Rs256, KeyKind::Ps256] {
        let mut world = World::new();
        world.issuer.add_key(kind);
        world.fetch.publish(&world.issuer);
        assert!(world.verify(&world.issuer.sign(&claims().into())).await.is_ok(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_key_for_one_padding_does_not_serve_the_other() {
    let mut world = World::new();
    world.issuer.add_key(KeyKind::Rs256);
    world.fetch.publish(&world.issuer);
    let token = world.issuer.sign_with(&json!({ "alg": "PS256" }), &claims().into());
    assert_eq!(world.fault(&token).await, TokenFault::UnknownKey);
}

#[tokio::test]
async fn a_token_is_remembered_until_it_expires_and_no_longer() {
    let world = World::new();
    let token = Secret::from(world.issuer.sign(&Value::Object(claims())));
    assert!(world.identity.remembered(&token).is_none(), "nothing is known before it is verified");
    let first = world.identity.verify(&token).await.unwrap();
    let again = world.identity.remembered(&token).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first.principal, &again.principal));
    world.clock.advance(Duration::from_secs(3600 + 29));
    assert!(world.identity.remembered(&token).is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.identity.remembered(&token).is_none());
    assert_eq!(world.identity.verify(&token).await.unwrap_err(), TokenFault::Expired.into());
}

#[test]
fn one_issuer_has_one_name_and_one_name_one_issuer() {
    let clock = testkit::ManualClock::at(Timestamp::from_secs(NOW));
    let other = "https://other.example";
    for pair in [[("a", ISSUER), ("b", ISSUER)], [("a", ISSUER), ("a", other)]] {
        let issuers = pair.map(|(name, url)| settings(name, url, &json!({}))).to_vec();
        let error = Identity::with_fetch(issuers, clock.clone(), crate::fake::FakeFetch::new()).unwrap_err();
        assert!(matches!(error, IdentityError::Setting { key: "issuer", .. }), "{error}");
    }
}
