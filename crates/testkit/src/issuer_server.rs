//! A [`TestIssuer`] behind a real socket: discovery document and key set over HTTP on loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use model::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::token_issuer::TestIssuer;
use crate::wait::DEADLINE;

/// The audience of the tokens that [`IssuerServer::token`] makes.
const AUDIENCE: &str = "countersign";

/// An issuer that listens until it is dropped.
#[derive(Debug)]
pub struct IssuerServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    issuer: Mutex<TestIssuer>,
    down: AtomicBool,
    stopped: AtomicBool,
    fetched: AtomicU64,
}

impl IssuerServer {
    /// Listens on a free port of loopback.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests: loopback has a free port")]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            issuer: Mutex::new(TestIssuer::new(&format!("http://{address}"))),
            down: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            fetched: AtomicU64::new(0),
        });
        let serving = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || serve(&listener, &serving)));
        Self { address, shared, thread }
    }

    /// Its identifier, which is its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `[issuers.NAME]` table that makes a gateway trust it.
    #[must_use]
    pub fn toml(&self, name: &str) -> String {
        format!(
            "[issuers.{name}]\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\ngroups_claim = \"groups\"\n",
            self.url()
        )
    }

    /// Claims that a gateway accepts for five minutes, to be changed by the test.
    #[must_use]
    pub fn claims(&self, subject: &str, groups: &[&str]) -> Value {
        let now = SystemClock.now().micros() / 1_000_000;
        json!({
            "iss": self.url(), "aud": AUDIENCE, "sub": subject, "groups": groups,
            "iat": now, "nbf": now, "exp": now + 300,
        })
    }

    /// A token of `subject`, a member of `groups`.
    #[must_use]
    pub fn token(&self, subject: &str, groups: &[&str]) -> String {
        self.sign(&self.claims(subject, groups))
    }

    /// A token with exactly these claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.with(|issuer| issuer.sign(claims))
    }

    /// Works on the issuer itself: its keys, odd headers, odd texts.
    pub fn with<T>(&self, work: impl FnOnce(&mut TestIssuer) -> T) -> T {
        work(&mut self.shared.issuer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on every request is answered with 503, or no longer.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// How often its key set was asked for.
    #[must_use]
    pub fn fetched(&self) -> u64 {
        self.shared.fetched.load(Ordering::SeqCst)
    }
}

impl Drop for IssuerServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The connection wakes the thread, which sees that it shall end.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(stream) = stream {
            // A client that misbehaves is its own loss.
            let _ = answer(stream, shared);
        }
    }
}

/// One request a connection, one connection at a time.
fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 64 << 10 {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            count => head.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path == "/jwks" {
        shared.fetched.fetch_add(1, Ordering::SeqCst);
    }
    let found = {
        let issuer = shared.issuer.lock().unwrap_or_else(PoisonError::into_inner);
        match path {
            _ if shared.down.load(Ordering::SeqCst) => Err("503 Service Unavailable"),
            "/.well-known/openid-configuration" => Ok(issuer.discovery()),
            "/jwks" => Ok(issuer.jwks()),
            _ => Err("404 Not Found"),
        }
    };
    let (status, body) = match found {
        Ok(document) => ("200 OK", document.to_string()),
        Err(status) => (status, "{}".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
