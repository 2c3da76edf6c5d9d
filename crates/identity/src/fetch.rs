//! How discovery documents and key sets are got. The only input and output of this crate, behind a trait so that everything
//! else is tested without a socket.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

use crate::IdentityError;

/// A fetch takes no longer than this, from looking the name up to the last byte.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// What a fetch gives, in time.
pub type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Gets a document.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// The body of a 200 answer to `GET url`, if it is at most `limit` bytes long. Dropping the future ends the fetch; its
    /// caller sets the deadline.
    fn get<'a>(&'a self, url: &'a Url, limit: usize) -> Fetched<'a>;
}

/// Why the keys of an issuer cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No answer within the deadline.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// No connection, or it broke.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// An answer other than 200; redirects are not followed.
    #[error("answered {0} where 200 was expected; redirects are not followed")]
    Status(u16),
    /// A longer answer than is read.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// A document that cannot be used.
    #[error("{document}: {reason}")]
    Document {
        /// Which: the discovery document or the key set.
        document: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No fetch has been made yet, or the last one waits for its next try.
    #[error("the next attempt is due in a moment")]
    BackingOff,
}

/// Fetches over HTTPS (HTTP/1.1, the system's trust anchors, aws-lc-rs), straight to the issuer: no proxy, no redirects, no
/// cookies.
#[derive(Debug, Clone)]
pub struct HttpFetch(reqwest::Client);

impl HttpFetch {
    /// A client for all issuers.
    ///
    /// # Errors
    /// [`IdentityError::Client`] when the system's trust anchors cannot be read.
    pub fn new() -> Result<Self, IdentityError> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .timeout(DEADLINE)
            // Fetches are rare, and a kept connection would belong to the runtime that opened it.
            .pool_max_idle_per_host(0)
            .build();
        client.map(Self).map_err(|error| IdentityError::Client(plain(&error)))
    }
}

impl Fetch for HttpFetch {
    fn get<'a>(&'a self, url: &'a Url, limit: usize) -> Fetched<'a> {
        Box::pin(async move {
            let mut response = self.0.get(url.clone()).send().await.map_err(|error| failed(&error))?;
            let status = response.status();
            if status != reqwest::StatusCode::OK {
                return Err(FetchError::Status(status.as_u16()));
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
                if body.len() + chunk.len() > limit {
                    return Err(FetchError::TooLong(limit));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        })
    }
}

fn failed(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() { FetchError::TimedOut } else { FetchError::Connection(plain(error)) }
}

/// The innermost cause: what the system or TLS said.
fn plain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
