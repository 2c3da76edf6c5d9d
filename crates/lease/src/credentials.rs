//! The stage itself: acquiring a credential for a call.

use std::fmt;
use std::sync::Arc;

use model::{Clock, Secret, SecretName};
use serde_json::{Value, json};
use store::Store;
use store::seal::Sealer;

use crate::issuers::Plan;
use crate::signing_key::SigningKey;
use crate::{Credential, CredentialPlan, Injection, Issued, Issuer, LeaseError, MintFor, Secrets};

/// What acquires credentials. Cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    secrets: Secrets,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    issuer_url: String,
}

impl Credentials {
    /// The credentials of a store. Makes the key that signs tokens if there is none. `issuer_url` is the gateway's public
    /// URL, which tokens name as their issuer.
    ///
    /// # Errors
    /// [`LeaseError`] when the store does not answer or its signing key does not open.
    pub async fn open(
        store: Store,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        issuer_url: String,
    ) -> Result<Self, LeaseError> {
        let key = SigningKey::load_or_create(&store, &sealer).await?;
        let secrets = Secrets::new(store, &sealer, Arc::clone(&clock));
        Ok(Self(Arc::new(Inner { secrets, key, clock, issuer_url })))
    }

    /// Acquires a credential for one call. May be dropped at any time: nothing is left behind.
    ///
    /// # Errors
    /// [`LeaseError`] when the secret is not set or does not open, or the store does not answer.
    pub async fn acquire(&self, plan: &CredentialPlan, what: MintFor<'_>) -> Result<Credential, LeaseError> {
        match &plan.0 {
            Plan::None => Ok(Credential {
                injection: Injection::None,
                issued: Issued { issuer: Issuer::None, expires: None },
                needles: Vec::new(),
                version: Some(0),
            }),
            Plan::Static(plan) => {
                let (value, version) = self.0.secrets.unseal(plan.secret()).await?;
                Ok(plan.credential(&value, version))
            }
            Plan::Jwt(plan) => plan.mint(&self.0.key, &self.0.issuer_url, &what, self.0.clock.now()),
        }
    }

    /// Seals `value` and keeps it under `name`, in place of the one before.
    ///
    /// # Errors
    /// As [`Secrets::set`].
    pub async fn set_secret(&self, name: &SecretName, value: Secret) -> Result<(), LeaseError> {
        self.0.secrets.set(name, &value).await
    }

    /// The public keys by which targets verify tokens (RFC 7517, section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.0.key.jwk()] })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashSet};
    use std::sync::atomic::{AtomicI64, Ordering};

    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation};
    use model::{ActionName, CallId, IssuerName, Principal, PrincipalKey, TargetName, Timestamp, Ttl};

    use super::*;
    use crate::RawCredential;

    const NOW: i64 = 1_900_000_000;

    #[derive(Debug)]
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::SeqCst))
        }
    }

    struct World {
        folder: tempfile::TempDir,
        clock: Arc<SetClock>,
        credentials: Credentials,
    }

    impl World {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(SetClock(AtomicI64::new(NOW * 1_000_000)));
            let credentials = open(&folder, &clock).await.unwrap();
            Self { folder, clock, credentials }
        }

        async fn another_process(&self) -> Credentials {
            open(&self.folder, &self.clock).await.unwrap()
        }

        fn pass(&self, millis: i64) {
            self.clock.0.fetch_add(millis * 1000, Ordering::SeqCst);
        }
    }

    async fn open(folder: &tempfile::TempDir, clock: &Arc<SetClock>) -> Result<Credentials, LeaseError> {
        let store = Store::open(folder.path())?;
        Credentials::open(store, Sealer::for_test(), Arc::clone(clock) as _, "https://gate.test".to_owned())
            .await
    }

    fn plan(toml: &str) -> CredentialPlan {
        CredentialPlan::parse(&toml::from_str::<RawCredential>(toml).unwrap()).unwrap()
    }

    fn principal(subject: &str, actor: Option<Principal>) -> Principal {
        Principal {
            key: PrincipalKey { issuer: IssuerName::parse("dev").unwrap(), subject: subject.into() },
            groups: BTreeSet::new(),
            claims: BTreeMap::new(),
            actor: actor.map(Arc::new),
        }
    }

    async fn acquire(
        credentials: &Credentials,
        plan: &CredentialPlan,
        ttl: Option<Ttl>,
    ) -> Result<Credential, LeaseError> {
        let what = MintFor {
            principal: &principal("alice", Some(principal("agent", Some(principal("tool", None))))),
            target: &TargetName::parse("crm").unwrap(),
            action: &ActionName::builtin("crm:customers.read"),
            call: CallId::new(),
            ttl,
        };
        credentials.acquire(plan, what).await
    }

    fn header(credential: &Credential) -> &str {
        match &credential.injection {
            Injection::Header { value, .. } => value.expose_str().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn verify(token: &str, jwks: &Value) -> TokenData<Value> {
        let keys: JwkSet = serde_json::from_value(jwks.clone()).unwrap();
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["crm-api"]);
        validation.set_issuer(&["https://gate.test"]);
        // The tests' clock is not the machine's; the times are compared one by one below.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        jsonwebtoken::decode(token, &key, &validation).unwrap()
    }

    #[tokio::test]
    async fn a_token_verifies_by_the_published_keys_and_says_what_it_is_for() {
        let world = World::new().await;
        let credential =
            acquire(&world.credentials, &plan("issuer = 'jwt'\naudience = 'crm-api'"), None).await.unwrap();
        let token = header(&credential).strip_prefix("Bearer ").unwrap();
        let claims = verify(token, &world.credentials.jwks()).claims;
        assert_eq!(claims["sub"], "dev/alice");
        assert_eq!(claims["act"], json!({ "sub": "dev/agent", "act": { "sub": "dev/tool" } }));
        assert_eq!((&claims["op"], &claims["target"]), (&json!("crm:customers.read"), &json!("crm")));
        assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(NOW), &json!(NOW)));
        assert_eq!(claims["exp"], NOW + 30);
        assert_eq!(credential.issued.expires, Some(Timestamp::from_secs(NOW + 30)));
        assert_eq!(credential.needles()[0].expose_str(), Some(token));
        assert_eq!(credential.version(), None);
        assert!(CallId::parse(claims["jti"].as_str().unwrap()).is_ok());
    }

    #[tokio::test]
    async fn no_token_outlives_its_plan_or_its_decision() {
        let world = World::new().await;
        let plan = plan("issuer = 'jwt'\naudience = 'crm-api'\nlifetime = '2m'");
        for (ttl, lives) in [(None, 120), (Ttl::parse("5s").ok(), 5), (Ttl::parse("1h").ok(), 120)] {
            let credential = acquire(&world.credentials, &plan, ttl).await.unwrap();
            assert_eq!(credential.issued.expires, Some(Timestamp::from_secs(NOW + lives)));
            assert_eq!(plan.planned(Timestamp::from_secs(NOW), ttl), credential.issued);
        }
    }

    #[tokio::test]
    async fn the_signing_key_survives_a_restart_and_is_shared_by_processes() {
        let world = World::new().await;
        let other = world.another_process().await;
        assert_eq!(world.credentials.jwks(), other.jwks());
        let credential = acquire(&other, &plan("issuer = 'jwt'\naudience = 'crm-api'"), None).await.unwrap();
        verify(header(&credential).strip_prefix("Bearer ").unwrap(), &world.credentials.jwks());
    }

    #[tokio::test]
    async fn a_signing_key_sealed_by_another_key_is_refused() {
        let world = World::new().await;
        let store = Store::open(world.folder.path()).unwrap();
        let sealer = Sealer::for_test().derive("another");
        let opened = Credentials::open(store, sealer, Arc::clone(&world.clock) as _, String::new()).await;
        assert!(matches!(opened, Err(LeaseError::DamagedKey)));
    }

    #[tokio::test]
    async fn a_secret_set_by_another_process_is_used_within_two_seconds() {
        let world = World::new().await;
        let plan = plan("issuer = 'static'\nsecret = 'crm-key'\nheader = 'x-key'");
        let name = plan.needs_secret().unwrap();
        let missing = acquire(&world.credentials, &plan, None).await.unwrap_err();
        assert!(missing.to_string().contains("countersign secret set crm-key"), "{missing}");

        let other = world.another_process().await;
        other.set_secret(name, Secret::from("first-value".to_owned())).await.unwrap();
        let first = acquire(&world.credentials, &plan, None).await.unwrap();
        assert_eq!(header(&first), "first-value");

        other.set_secret(name, Secret::from("second-value".to_owned())).await.unwrap();
        world.pass(999);
        let kept = acquire(&world.credentials, &plan, None).await.unwrap();
        assert_eq!((header(&kept), kept.version()), ("first-value", first.version()));
        world.pass(1);
        let second = acquire(&world.credentials, &plan, None).await.unwrap();
        assert_eq!(header(&second), "second-value");
        assert_ne!(second.version(), first.version());
    }

    #[tokio::test]
    async fn the_version_tells_secrets_and_places_apart() {
        let world = World::new().await;
        let mut versions = HashSet::new();
        for (name, place) in
            [("a", "header = 'x'"), ("b", "header = 'x'"), ("a", "query = 'x'"), ("a", "basic_user = 'x'")]
        {
            let plan = plan(&format!("issuer = 'static'\nsecret = '{name}'\n{place}"));
            let value = Secret::from("same value".to_owned());
            world.credentials.set_secret(plan.needs_secret().unwrap(), value).await.unwrap();
            versions.insert(acquire(&world.credentials, &plan, None).await.unwrap().version());
        }
        assert_eq!(versions.len(), 4);
    }

    #[tokio::test]
    async fn a_sealed_secret_is_in_no_file_and_opens_under_no_other_name() {
        let world = World::new().await;
        let plan = plan("issuer = 'static'\nsecret = 'crm-key'\nheader = 'x-key'");
        let value = "a-very-particular-value";
        world
            .credentials
            .set_secret(plan.needs_secret().unwrap(), Secret::from(value.to_owned()))
            .await
            .unwrap();
        for file in std::fs::read_dir(world.folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(value.len()).any(|window| window == value.as_bytes()));
        }
        let store = Store::open(world.folder.path()).unwrap();
        let sealed = store.secret(plan.needs_secret().unwrap()).await.unwrap().unwrap().sealed;
        let moved = SecretName::parse("other").unwrap();
        store.put_secret(&moved, sealed, Timestamp::from_secs(NOW)).await.unwrap();
        let plan = self::plan("issuer = 'static'\nsecret = 'other'\nheader = 'x-key'");
        assert!(matches!(acquire(&world.credentials, &plan, None).await, Err(LeaseError::Damaged(_))));
    }

    #[tokio::test]
    async fn nothing_prints_a_secret() {
        let world = World::new().await;
        let value = "a-very-particular-value";
        for place in ["header = 'x'\nprefix = 'Bearer '", "query = 'x'", "basic_user = 'svc'"] {
            let plan = plan(&format!("issuer = 'static'\nsecret = 'crm-key'\n{place}"));
            world
                .credentials
                .set_secret(plan.needs_secret().unwrap(), Secret::from(value.to_owned()))
                .await
                .unwrap();
            let credential = acquire(&world.credentials, &plan, None).await.unwrap();
            let printed =
                format!("{credential:?} {plan:?} {:?} {:?}", world.credentials, world.credentials.0.secrets);
            let issued = serde_json::to_string(&credential.issued).unwrap();
            for needle in credential.needles() {
                let needle = needle.expose_str().unwrap();
                assert!(!printed.contains(needle) && !issued.contains(needle));
            }
        }
        let token =
            acquire(&world.credentials, &plan("issuer = 'jwt'\naudience = 'crm-api'"), None).await.unwrap();
        assert!(!format!("{token:?}").contains(header(&token)));
        assert_eq!(
            serde_json::to_value(&token.issued).unwrap(),
            json!({ "issuer": "jwt", "expires": "2030-03-17T17:47:10.000000Z" })
        );
    }
}
