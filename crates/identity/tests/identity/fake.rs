//! Issuers without sockets, on a clock that stands still.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identity::{Fetch, FetchError, Fetched, Identity, IdentityError, IssuerSettings, Proven, TokenFault};
use model::{IssuerName, Secret, Timestamp};
use serde_json::{Map, Value, json};
use testkit::{ManualClock, TestIssuer};
use tokio::sync::Semaphore;
use url::Url;

pub(crate) const ISSUER: &str = "https://login.example.com";
pub(crate) const AUDIENCE: &str = "https://gateway.example.com";
pub(crate) const NOW: i64 = 1_795_000_000;

/// Documents by URL, and what was asked for.
#[derive(Debug)]
pub(crate) struct FakeFetch {
    documents: Mutex<HashMap<String, Result<Vec<u8>, FetchError>>>,
    asked: Mutex<Vec<String>>,
    /// An answer takes one permit: without any, the issuer is slow.
    permits: Semaphore,
}

impl FakeFetch {
    pub(crate) fn new() -> Arc<Self> {
        let permits = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { documents: Mutex::default(), asked: Mutex::default(), permits })
    }

    pub(crate) fn put(&self, url: &str, document: Result<Vec<u8>, FetchError>) {
        self.documents.lock().unwrap().insert(url.to_owned(), document);
    }

    pub(crate) fn publish(&self, issuer: &TestIssuer) {
        let base = issuer.url().trim_end_matches('/');
        let discovery = issuer.discovery().to_string().into_bytes();
        self.put(&format!("{base}/.well-known/openid-configuration"), Ok(discovery));
        self.put(&format!("{base}/jwks"), Ok(issuer.jwks().to_string().into_bytes()));
    }

    pub(crate) fn break_down(&self) {
        let url = format!("{ISSUER}/.well-known/openid-configuration");
        self.put(&url, Err(FetchError::Connection("connection refused".to_owned())));
    }

    /// No answer from now on, until `answer_again`.
    pub(crate) fn stall(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn answer_again(&self) {
        self.permits.add_permits(1 << 20);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a fetch of keys began.
    pub(crate) fn attempts(&self) -> usize {
        self.asked().iter().filter(|url| url.ends_with("/.well-known/openid-configuration")).count()
    }
}

impl Fetch for FakeFetch {
    fn get<'a>(&'a self, url: &'a Url, _limit: usize) -> Fetched<'a> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(url.to_string());
            self.permits.acquire().await.unwrap().forget();
            let document = self.documents.lock().unwrap().get(url.as_str()).cloned();
            document.unwrap_or(Err(FetchError::Status(404)))
        })
    }
}

/// An issuer, what it publishes, the time, and the identity stage that trusts it.
pub(crate) struct World {
    pub(crate) issuer: TestIssuer,
    pub(crate) fetch: Arc<FakeFetch>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Identity,
}

pub(crate) fn settings(name: &str, issuer: &str, further: &Value) -> IssuerSettings {
    let mut raw = json!({
        "issuer": issuer, "audience": AUDIENCE, "groups_claim": "groups", "claims": ["ref", "verified", "run"],
    });
    raw.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    IssuerSettings::parse(IssuerName::parse(name).unwrap(), serde_json::from_value(raw).unwrap()).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&json!({}))
    }

    /// A world in which the issuer has these further settings.
    pub(crate) fn with(further: &Value) -> Self {
        let issuer = TestIssuer::new(ISSUER);
        let fetch = FakeFetch::new();
        fetch.publish(&issuer);
        let clock = ManualClock::at(Timestamp::from_secs(NOW));
        let issuers = vec![settings("corp", ISSUER, further)];
        let identity = Identity::with_fetch(issuers, clock.clone(), fetch.clone()).unwrap();
        Self { issuer, fetch, clock, identity }
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Proven, IdentityError> {
        self.identity.verify(&Secret::from(token.to_owned())).await
    }

    /// Why this token is refused.
    pub(crate) async fn fault(&self, token: &str) -> TokenFault {
        match self.verify(token).await {
            Err(IdentityError::Token(fault)) => fault,
            other => panic!("expected a refusal of the token, got {other:?}"),
        }
    }
}

/// Claims of a good token.
pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "groups": ["dba", "team/a"], "ref": "main",
    });
    claims.as_object().unwrap().clone()
}

/// The same with changes; null takes a claim away.
pub(crate) fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    claims.extend(changes.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    Value::Object(claims)
}
