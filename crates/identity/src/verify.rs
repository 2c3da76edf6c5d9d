//! From a token to a proven principal.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use model::{Clock, IssuerName, Principal, Secret, Timestamp, sha256};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::keys::{Keys, Why};
use crate::remembered::Remembered;
use crate::{Fetch, HttpFetch, IdentityError, IssuerSettings, TokenFault, UnverifiedToken, claims};

/// Who calls, proven, and until when.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// When the proof ends: the token's `exp` and the issuer's clock skew.
    pub expires: Timestamp,
}

/// Verifies tokens of the configured issuers. Clones share keys and memory.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    /// By the `iss` of their tokens.
    issuers: HashMap<String, Issuer>,
    remembered: Arc<Remembered>,
    clock: Arc<dyn Clock>,
}

struct Issuer {
    settings: Arc<IssuerSettings>,
    keys: Arc<Keys>,
}

/// The task that keeps the keys fresh. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "keys are kept fresh until this is dropped"]
pub struct Refresh {
    _tasks: JoinSet<()>,
}

impl Identity {
    /// An identity stage for these issuers, whose documents come over HTTPS.
    ///
    /// # Errors
    /// [`IdentityError::Setting`] for two issuers of one name or identifier, [`IdentityError::Client`] when there is no
    /// HTTPS client to be had.
    pub fn new(issuers: Vec<IssuerSettings>, clock: Arc<dyn Clock>) -> Result<Self, IdentityError> {
        Self::with_fetch(issuers, clock, Arc::new(HttpFetch::new()?))
    }

    /// The same, with documents from `fetch`.
    ///
    /// # Errors
    /// [`IdentityError::Setting`] for two issuers of one name or identifier.
    pub fn with_fetch(
        issuers: Vec<IssuerSettings>,
        clock: Arc<dyn Clock>,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, IdentityError> {
        let remembered = Arc::new(Remembered::new());
        let mut by_identifier: HashMap<String, Issuer> = HashMap::new();
        for settings in issuers {
            let twice = |other: &Issuer| {
                other.settings.name == settings.name || other.settings.issuer == settings.issuer
            };
            if let Some(other) = by_identifier.values().find(|other| twice(other)) {
                let reason =
                    format!("`{}` is this issuer already: one issuer has one name", other.settings.name);
                return Err(IdentityError::Setting { issuer: settings.name, key: "issuer", reason });
            }
            let settings = Arc::new(settings);
            let keys = Keys::new(
                Arc::clone(&settings),
                Arc::clone(&fetch),
                Arc::clone(&clock),
                Arc::clone(&remembered),
            );
            let issuer = Issuer { keys: Arc::new(keys), settings: Arc::clone(&settings) };
            by_identifier.insert(settings.issuer.clone(), issuer);
        }
        Ok(Self(Arc::new(Inner { issuers: by_identifier, remembered, clock })))
    }

    /// Who `token` proves. Waits only if the token's key is not known, and then for one fetch at most. Must be called on a
    /// tokio runtime. Dropping the future cancels nothing but the waiting.
    ///
    /// # Errors
    /// [`IdentityError::Token`] when the token is not acceptable, [`IdentityError::Unreachable`] when its issuer's keys are
    /// not at hand, so that it cannot be judged.
    pub async fn verify(&self, token: &Secret) -> Result<Proven, IdentityError> {
        let hash = sha256(token.expose());
        if let Some(proven) = self.0.remembered.get(&hash, self.0.clock.now()) {
            return Ok(proven);
        }
        let token = UnverifiedToken::parse(token.expose())?;
        let issuer = token.claims.get("iss").and_then(Value::as_str);
        let issuer = issuer.and_then(|issuer| self.0.issuers.get(issuer)).ok_or(TokenFault::Issuer)?;
        if !issuer.settings.algorithms.contains(&token.algorithm) {
            return Err(TokenFault::Algorithm.into());
        }
        let find = || issuer.keys.find(token.key_id.as_deref(), token.algorithm, self.0.clock.now());
        let mut candidates = find();
        if candidates.is_empty() {
            issuer.keys.fetch(Why::UnknownKey).await;
            candidates = find();
        }
        if candidates.is_empty() {
            return Err(issuer.without_key(self.0.clock.now()));
        }
        let key =
            candidates.into_iter().find(|key| key.verify(&token).is_ok()).ok_or(TokenFault::Signature)?;
        let now = self.0.clock.now();
        if !key.serves_at(now) {
            return Err(TokenFault::UnknownKey.into());
        }
        let (principal, expires) = claims::check(&token.claims, &issuer.settings, now)?;
        let proven = Proven { principal: Arc::new(principal), expires };
        self.0.remembered.insert(hash, proven.clone(), key, now);
        Ok(proven)
    }

    /// Who `token` proves, if it was verified before and still counts. Never waits: one hash and one look-up.
    #[must_use]
    pub fn remembered(&self, token: &Secret) -> Option<Proven> {
        self.0.remembered.get(&sha256(token.expose()), self.0.clock.now())
    }

    /// Fetches the keys of all issuers now and keeps them fresh, on the runtime that this is called on, until what it
    /// returns is dropped.
    pub fn spawn_refresh(&self) -> Refresh {
        let mut tasks = JoinSet::new();
        for issuer in self.0.issuers.values() {
            tasks.spawn(Arc::clone(&issuer.keys).refresh());
        }
        Refresh { _tasks: tasks }
    }

    /// The issuers whose keys are not at hand, so that none of their tokens can be judged now.
    #[must_use]
    pub fn without_keys(&self) -> Vec<IssuerName> {
        let now = self.0.clock.now();
        let without = self.0.issuers.values().filter(|issuer| !issuer.keys.serves_at(now));
        without.map(|issuer| issuer.settings.name.clone()).collect()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("issuers", &self.0.issuers.keys()).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Why there is no key for a token: the issuer has none such, or its keys are not known.
    fn without_key(&self, now: Timestamp) -> IdentityError {
        if self.keys.serves_at(now) {
            return TokenFault::UnknownKey.into();
        }
        IdentityError::Unreachable { issuer: self.settings.name.clone(), reason: self.keys.last_error() }
    }
}
