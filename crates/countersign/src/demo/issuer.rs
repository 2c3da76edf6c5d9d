//! A development issuer: OpenID Connect discovery and a key set on loopback, and tokens for whomever `quickstart` names.
//!
//! It authenticates nobody. Its discovery document says `"countersign_development": true`, its name says so too, and it
//! listens on loopback only. Its ES256 key is kept in a file that only its owner may read, so that tokens outlive a
//! restart on the same address. Whoever reads that file can sign in as anybody here: keep it apart from what is copied.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use model::{Clock, Secret, Ttl};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::answer::{self, Answer, Problem};
use super::server;

/// The audience of every token: the gateway.
pub(crate) const AUDIENCE: &str = "countersign";

/// The key's file in the state folder: PKCS #8, DER.
const KEY_FILE: &str = "development-issuer.p8";

/// A running development issuer. It ends when this is dropped.
pub(crate) struct DevelopmentIssuer {
    url: String,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    serving: JoinHandle<()>,
}

impl DevelopmentIssuer {
    /// Starts to serve on `listen`, with the key in `state_dir`, which is made on the first start. Port 0 takes any free
    /// port; tokens of an earlier start are good only where the address is the same.
    ///
    /// # Errors
    /// When the address is not of loopback or is taken, or the key cannot be made or read.
    pub(crate) async fn start(
        listen: SocketAddr,
        state_dir: &Path,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let key = SigningKey::load_or_make(state_dir)?;
        let listener = server::bind(listen).await?;
        let url = format!("http://{}", listener.local_addr().context("the listener has no address")?);
        let pages = Arc::new(Pages::new(&url, &key.jwk));
        let serving = tokio::spawn(server::serve(
            listener,
            move |request| {
                let answer = pages.answer(&request);
                async { answer }
            },
            std::future::pending(),
        ));
        Ok(Self { url, key, clock, serving })
    }

    /// The issuer's identifier: what stands in `iss`, and where its discovery document is found below.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// An access token (RFC 9068) for `subject` in `groups`, good from now for `lifetime`.
    ///
    /// # Errors
    /// When the machine has no randomness, or signing fails.
    pub(crate) fn sign(&self, subject: &str, groups: &[&str], lifetime: Ttl) -> anyhow::Result<Secret> {
        let now = self.clock.now();
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| anyhow!("the machine has no randomness"))?;
        let claims = json!({
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": subject,
            "client_id": "countersign-quickstart",
            "email": format!("{subject}@development.invalid"),
            "groups": groups,
            "iat": now.secs(),
            "nbf": now.secs(),
            "exp": now.plus(lifetime.duration()).secs(),
            "jti": hex::encode(id),
        });
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.key.kid.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let token =
            jsonwebtoken::encode(&header, &claims, &self.key.encoding).context("cannot sign a token")?;
        Ok(Secret::from(token))
    }
}

impl Drop for DevelopmentIssuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What the issuer publishes; it never changes while it runs.
struct Pages {
    discovery: Value,
    jwks: Value,
}

impl Pages {
    fn new(url: &str, jwk: &Value) -> Self {
        let discovery = json!({
            "issuer": url,
            "countersign_development": true,
            "service_documentation": "development issuer of countersign quickstart: it authenticates nobody",
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nbf", "groups", "email"],
        });
        Self { discovery, jwks: json!({ "keys": [jwk] }) }
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Problem(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here").into();
        }
        match request.uri().path() {
            "/.well-known/openid-configuration" => answer::of_json(StatusCode::OK, &self.discovery),
            "/jwks" => answer::of_json(StatusCode::OK, &self.jwks),
            _ => {
                Problem(StatusCode::NOT_FOUND, "there are /.well-known/openid-configuration and /jwks").into()
            }
        }
    }
}

struct SigningKey {
    encoding: EncodingKey,
    kid: String,
    jwk: Value,
}

impl SigningKey {
    fn load_or_make(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(KEY_FILE);
        let pkcs8 = match fs::read(&path) {
            Ok(pkcs8) => {
                let mode = fs::metadata(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()))?
                    .permissions()
                    .mode();
                ensure!(
                    mode & 0o077 == 0,
                    "`{}` may be read by others: run `chmod 600` on it, or delete it to get a new key",
                    path.display()
                );
                Secret::new(pkcs8)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(dir, &path)?,
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose())
            .map_err(|_| anyhow!("`{}` holds no ES256 key: delete it to get a new one", path.display()))?;
        let (kid, jwk) = public_jwk(pair.public_key().as_ref())?;
        Ok(Self { encoding: EncodingKey::from_ec_der(pkcs8.expose()), kid, jwk })
    }
}

/// Writes a new key to a file of its own and moves it into place, so that no half of one is ever read.
fn make(dir: &Path, path: &Path) -> anyhow::Result<Secret> {
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| anyhow!("cannot make an ES256 key"))?;
    let write = || -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let temporary = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(pkcs8.as_ref())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(Secret::new(pkcs8.as_ref().to_vec()))
}

/// The key as a JWK, and its thumbprint (RFC 7638) as the key id.
fn public_jwk(point: &[u8]) -> anyhow::Result<(String, Value)> {
    let Some((&4, xy)) = point.split_first() else {
        return Err(anyhow!("the key's public point is not in the uncompressed form"));
    };
    let (x, y) = xy.split_at_checked(32).filter(|(_, y)| y.len() == 32).context("the key is not on P-256")?;
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y });
    Ok((kid, jwk))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use model::{SystemClock, Timestamp};

    use super::*;

    #[derive(Debug)]
    struct At(i64);
    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0)
        }
    }

    async fn start(dir: &Path, clock: Arc<dyn Clock>) -> DevelopmentIssuer {
        DevelopmentIssuer::start("127.0.0.1:0".parse().unwrap(), dir, clock).await.unwrap()
    }

    async fn get(url: String) -> Value {
        let body = reqwest::get(url).await.unwrap().error_for_status().unwrap().text().await.unwrap();
        serde_json::from_str(&body).unwrap()
    }

    #[tokio::test]
    async fn a_token_verifies_against_the_key_set_that_discovery_names() {
        let dir = tempfile::tempdir().unwrap();
        let issuer = start(dir.path(), SystemClock::shared()).await;
        let discovery = get(format!("{}/.well-known/openid-configuration", issuer.url())).await;
        assert_eq!(
            (&discovery["issuer"], &discovery["countersign_development"]),
            (&json!(issuer.url()), &json!(true))
        );
        let keys = get(discovery["jwks_uri"].as_str().unwrap().to_owned()).await;

        let token = issuer.sign("function", &["functions"], Ttl::parse("5m").unwrap()).unwrap();
        let token = token.expose_str().unwrap();
        let jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer.url()]);
        validation.set_required_spec_claims(&["exp", "nbf", "sub", "iss", "aud"]);
        let decoded =
            jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        assert_eq!(decoded.header.kid.as_deref(), keys["keys"][0]["kid"].as_str());
        assert_eq!(
            (&decoded.claims["sub"], &decoded.claims["groups"]),
            (&json!("function"), &json!(["functions"]))
        );
    }

    #[tokio::test]
    async fn a_second_start_signs_with_the_same_key_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = start(dir.path(), SystemClock::shared()).await.key.kid.clone();
        let mode = fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(start(dir.path(), SystemClock::shared()).await.key.kid, first);

        fs::set_permissions(dir.path().join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        assert!(DevelopmentIssuer::start(listen, dir.path(), SystemClock::shared()).await.is_err());
    }

    #[tokio::test]
    async fn times_in_a_token_come_from_the_clock_and_end_with_the_lifetime() {
        let dir = tempfile::tempdir().unwrap();
        let issuer = start(dir.path(), Arc::new(At(1_800_000_000))).await;
        let token = issuer.sign("a", &[], Ttl::parse("90s").unwrap()).unwrap();
        let claims = token.expose_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_800_000_000), &json!(1_800_000_090)));
    }

    #[tokio::test]
    async fn an_address_that_is_not_loopback_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let started =
            DevelopmentIssuer::start("0.0.0.0:0".parse().unwrap(), dir.path(), SystemClock::shared()).await;
        assert!(started.err().unwrap().to_string().contains("not a loopback address"));
    }
}
