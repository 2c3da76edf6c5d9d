//! The life of a key set: rotation, removal, floods, slowness and absence.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use identity::{FetchError, IdentityError, TokenFault};
use model::Secret;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fake::{ISSUER, World, claims, claims_with};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A token whose key nobody knows.
fn unknown(world: &World, id: usize) -> String {
    world.issuer.sign_with(&json!({ "kid": format!("unknown-{id}") }), &claims().into())
}

fn good(world: &World) -> String {
    world.issuer.sign(&Value::Object(claims()))
}

/// Lets every other task run as far as it can.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let mut world = World::new();
    world.verify(&good(&world)).await.unwrap();
    world.issuer.add_key(testkit::KeyKind::Es256);
    world.fetch.publish(&world.issuer);
    let token = good(&world);
    assert_eq!(world.fault(&token).await, TokenFault::UnknownKey, "the last fetch was just now");
    world.clock.advance(seconds(10));
    world.verify(&token).await.unwrap();
    assert_eq!(world.fetch.attempts(), 2);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_along_also_the_remembered_ones() {
    let mut world = World::new();
    let old = Secret::from(good(&world));
    world.identity.verify(&old).await.unwrap();
    assert!(world.identity.remembered(&old).is_some());
    world.issuer.rotate();
    world.fetch.publish(&world.issuer);
    world.clock.advance(seconds(10));
    world.verify(&good(&world)).await.unwrap();
    assert!(world.identity.remembered(&old).is_none());
    assert_eq!(world.identity.verify(&old).await.unwrap_err(), TokenFault::UnknownKey.into());
}

#[tokio::test]
async fn a_key_under_a_known_id_is_another_key() {
    let mut world = World::new();
    let old = Secret::from(good(&world));
    world.identity.verify(&old).await.unwrap();
    let other = testkit::TestIssuer::new(ISSUER);
    world.issuer = other;
    world.fetch.publish(&world.issuer);
    world.clock.advance(seconds(10));
    assert_eq!(world.fault(&unknown(&world, 1)).await, TokenFault::UnknownKey);
    assert!(world.identity.remembered(&old).is_none());
    assert_eq!(world.identity.verify(&old).await.unwrap_err(), TokenFault::Signature.into());
    world.verify(&good(&world)).await.unwrap();
}

#[tokio::test]
async fn a_key_that_stays_keeps_its_tokens_over_a_refresh() {
    let mut world = World::new();
    let token = Secret::from(good(&world));
    world.identity.verify(&token).await.unwrap();
    world.issuer.add_key(testkit::KeyKind::Es256);
    world.fetch.publish(&world.issuer);
    world.clock.advance(seconds(10));
    world.verify(&good(&world)).await.unwrap();
    assert!(world.identity.remembered(&token).is_some());
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_one_fetch_in_ten_seconds() {
    let world = World::new();
    for round in 1..=3 {
        let mut flood = JoinSet::new();
        for id in 0..200 {
            let (identity, token) = (world.identity.clone(), Secret::from(unknown(&world, id)));
            flood.spawn(async move { identity.verify(&token).await.unwrap_err() });
        }
        for error in flood.join_all().await {
            assert_eq!(error, TokenFault::UnknownKey.into());
        }
        assert_eq!(world.fetch.attempts(), round);
        world.clock.advance(seconds(9));
        assert_eq!(world.fault(&unknown(&world, 0)).await, TokenFault::UnknownKey);
        assert_eq!(world.fetch.attempts(), round, "nine seconds are too few");
        world.clock.advance(seconds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_key_set_holds_up_only_tokens_with_unknown_keys() {
    let world = World::new();
    world.verify(&good(&world)).await.unwrap();
    world.fetch.stall();
    world.clock.advance(seconds(10));
    let (identity, token) = (world.identity.clone(), Secret::from(unknown(&world, 1)));
    let waiting = tokio::spawn(async move { identity.verify(&token).await });
    settle().await;
    assert!(!waiting.is_finished());
    // A token that was never seen, of a known key: ready at the first poll.
    let token = Secret::from(world.issuer.sign(&claims_with(&json!({ "jti": "new" }))));
    let verify = pin!(world.identity.verify(&token));
    assert!(matches!(verify.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_))));
    // The fetch runs into its deadline, and the one who waited is told.
    assert_eq!(waiting.await.unwrap().unwrap_err(), TokenFault::UnknownKey.into());
    assert_eq!(world.fetch.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_is_unreachable_within_its_deadline() {
    let world = World::new();
    world.fetch.stall();
    let error = world.verify(&good(&world)).await.unwrap_err();
    assert!(matches!(error, IdentityError::Unreachable { reason: FetchError::TimedOut, .. }), "{error}");
    assert!(!error.is_callers_fault());
    assert_eq!(world.identity.without_keys().len(), 1);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_cancel_the_fetch() {
    let world = World::new();
    world.fetch.stall();
    let token = Secret::from(good(&world));
    {
        let verify = pin!(world.identity.verify(&token));
        assert!(verify.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        settle().await;
    }
    world.fetch.answer_again();
    settle().await;
    assert!(world.identity.without_keys().is_empty());
    world.verify(&good(&world)).await.unwrap();
    assert_eq!(world.fetch.attempts(), 1);
}

#[tokio::test]
async fn failures_back_off_to_a_minute() {
    let world = World::new();
    world.fetch.break_down();
    let mut attempts = 0;
    for pause in [0, 1, 2, 4, 8, 16, 32, 60, 60, 60] {
        if pause > 0 {
            world.clock.advance(seconds(pause) - Duration::from_millis(1));
            world.verify(&good(&world)).await.unwrap_err();
            assert_eq!(world.fetch.attempts(), attempts, "before {pause} s are over");
            world.clock.advance(Duration::from_millis(1));
        }
        attempts += 1;
        let error = world.verify(&good(&world)).await.unwrap_err();
        assert!(matches!(error, IdentityError::Unreachable { .. }), "{error}");
        assert_eq!(world.fetch.attempts(), attempts, "after {pause} s");
    }
    world.fetch.publish(&world.issuer);
    world.clock.advance(seconds(60));
    world.verify(&good(&world)).await.unwrap();
}

#[tokio::test]
async fn keys_serve_for_a_day_while_their_issuer_is_down() {
    let world = World::new();
    let forever = claims_with(&json!({ "exp": crate::fake::NOW + 10 * 86_400 }));
    let token = Secret::from(world.issuer.sign(&forever));
    world.identity.verify(&token).await.unwrap();
    world.fetch.break_down();
    world.clock.advance(seconds(86_399));
    assert_eq!(world.fault(&unknown(&world, 1)).await, TokenFault::UnknownKey);
    assert!(world.identity.remembered(&token).is_some());
    world
        .verify(&world.issuer.sign(&claims_with(&json!({ "exp": crate::fake::NOW + 9 * 86_400 }))))
        .await
        .unwrap();
    world.clock.advance(seconds(1));
    assert!(world.identity.remembered(&token).is_none());
    let error = world.identity.verify(&token).await.unwrap_err();
    assert!(matches!(error, IdentityError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let mut world = World::new();
    world.verify(&good(&world)).await.unwrap();
    world.issuer.add_key(testkit::KeyKind::Es256);
    world.fetch.publish(&world.issuer);
    world.clock.set(model::Timestamp::from_secs(crate::fake::NOW - 5));
    world.verify(&good(&world)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_at_the_start_and_every_ten_minutes_until_the_guard_is_dropped() {
    let world = World::new();
    let refresh = world.identity.spawn_refresh();
    settle().await;
    assert_eq!(world.fetch.attempts(), 1);
    assert!(world.identity.without_keys().is_empty());
    for attempts in 2..=3 {
        world.clock.advance(seconds(600));
        tokio::time::sleep(seconds(600)).await;
        settle().await;
        assert_eq!(world.fetch.attempts(), attempts);
    }
    drop(refresh);
    world.clock.advance(seconds(6000));
    tokio::time::sleep(seconds(6000)).await;
    assert_eq!(world.fetch.attempts(), 3);
}

#[tokio::test]
async fn a_document_that_cannot_be_trusted_changes_nothing() {
    let discovery_url = format!("{ISSUER}/.well-known/openid-configuration");
    let world = World::new();
    let token = Secret::from(good(&world));
    world.identity.verify(&token).await.unwrap();
    let discoveries = [
        json!({ "issuer": format!("{ISSUER}/"), "jwks_uri": format!("{ISSUER}/jwks") }).to_string(),
        json!({ "issuer": "https://evil.example", "jwks_uri": format!("{ISSUER}/jwks") }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": "http://login.example.com/jwks" }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": "http://127.0.0.1/jwks" }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": "file:///etc/passwd" }).to_string(),
        json!({ "issuer": ISSUER, "jwks_uri": 1 }).to_string(),
        json!({ "issuer": ISSUER }).to_string(),
        format!(r#"{{"issuer":"{ISSUER}","issuer":"{ISSUER}","jwks_uri":"{ISSUER}/jwks"}}"#),
        "[]".to_owned(),
        "<html>".to_owned(),
    ];
    for discovery in discoveries {
        world.fetch.put(&discovery_url, Ok(discovery.clone().into_bytes()));
        world.clock.advance(seconds(60));
        assert_eq!(world.fault(&unknown(&world, 1)).await, TokenFault::UnknownKey);
        assert!(world.identity.remembered(&token).is_some(), "{discovery}");
    }
    assert_eq!(world.fetch.asked().iter().filter(|url| url.ends_with("/jwks")).count(), 1);
    world.fetch.publish(&world.issuer);
    let key = world.issuer.jwks()["keys"][0].clone();
    let sets = [
        json!({ "keys": vec![key; 65] }).to_string(),
        json!({ "keys": {} }).to_string(),
        json!({}).to_string(),
        format!(r#"{{"keys":[],"keys":{}}}"#, world.issuer.jwks()["keys"]),
        format!(r#"{{"keys":[]}}{}"#, " ".repeat(256 << 10)),
    ];
    for set in sets {
        world.fetch.put(&format!("{ISSUER}/jwks"), Ok(set.clone().into_bytes()));
        world.clock.advance(seconds(60));
        assert_eq!(world.fault(&unknown(&world, 1)).await, TokenFault::UnknownKey);
        assert!(world.identity.remembered(&token).is_some(), "{set:.60}");
    }
}

#[tokio::test]
async fn an_empty_key_set_is_believed() {
    let world = World::new();
    let token = Secret::from(good(&world));
    world.identity.verify(&token).await.unwrap();
    world.fetch.put(&format!("{ISSUER}/jwks"), Ok(br#"{"keys":[]}"#.to_vec()));
    world.clock.advance(seconds(10));
    world.verify(&unknown(&world, 1)).await.unwrap_err();
    assert!(world.identity.remembered(&token).is_none());
    assert_eq!(world.identity.without_keys().len(), 1);
}
