//! One request of a caller, from its head to the response: refused, a page, a free request, or Countersign's own interface.

use gate::model::{Refusal, RefusalKind, Secret};
use gate::{Allowance, Arrival, BoxFuture, Ended, Gate, Interface, OwnRequest, Public, Unread, Whole};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;
use tokio::runtime::Handle;

use super::body::read_whole;
use super::free;
use super::guarded::Verdict;
use super::prefer::Held;
use super::respond::{self, CallerBody};
use crate::url::Normal;

/// What serves requests.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) gate: Gate,
    pub(crate) interface: Interface,
    /// Where `/v1` runs, so that it does not hold up a worker's calls.
    pub(crate) elsewhere: Handle,
}

impl Service {
    /// Answers one request. Dropping the future is the caller leaving.
    pub(crate) async fn answer(
        &self,
        arrival: Arrival,
        verdict: &Verdict,
        request: Request<Incoming>,
    ) -> Result<Response<CallerBody>, Ended> {
        if let Some(why) = verdict.on(request.headers()) {
            return Err(self.gate.refuse_stranger(&arrival, why.into()));
        }
        let (head, body) = request.into_parts();
        let stranger = |refusal: Refusal| self.gate.refuse_stranger(&arrival, refusal);
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = Normal::parse(target).map_err(|why| stranger(why.into()))?;
        let credential = bearer(&head.headers).map_err(stranger)?;
        let segments: Vec<&str> = url.segments().iter().map(String::as_str).collect();
        if let Some(page) = public(&head.method, &segments) {
            return Ok(respond::page(&self.gate.page(page)));
        }
        if let ["t", target, ..] = segments.as_slice() {
            let below = url.below(2).unwrap_or_else(|| url.clone());
            let request = free::FreeRequest { arrival, credential, target, url: below, head: &head, body };
            return free::answer(&self.gate, request).await;
        }
        let calls = matches!(segments.as_slice(), ["v1", "targets", _, "calls"]);
        let request = OwnRequest {
            arrival,
            credential,
            method: head.method.as_str().to_owned(),
            segments: url.segments().to_vec(),
            parameters: url.parameters().to_vec(),
            waiting: Box::new(Held::of(&head.headers)),
            body: Box::new(Body(body)),
        };
        let answer = (self.interface)(request);
        let answer = if calls { answer.await } else { self.run_elsewhere(answer).await };
        respond::own(answer?).await
    }

    /// Runs `work` off the workers; it ends when the caller leaves.
    async fn run_elsewhere<T: Send + 'static>(
        &self,
        work: BoxFuture<'static, Result<T, Ended>>,
    ) -> Result<T, Ended> {
        let mut task = AbortOnDrop(self.elsewhere.spawn(work));
        let lost = |_| Ended::from(Refusal::new(RefusalKind::ShuttingDown, "the gateway is stopping"));
        (&mut task.0).await.map_err(lost)?
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Body(Incoming);

impl Unread for Body {
    fn read(self: Box<Self>, room: Allowance) -> BoxFuture<'static, Result<Whole, Refusal>> {
        Box::pin(read_whole(self.0, room))
    }
}

fn public(method: &Method, segments: &[&str]) -> Option<Public> {
    match segments {
        _ if *method != Method::GET => None,
        ["healthz"] => Some(Public::Healthz),
        ["readyz"] => Some(Public::Readyz),
        [".well-known", "jwks.json"] => Some(Public::Jwks),
        ["openapi.json"] => Some(Public::OpenApi),
        _ => None,
    }
}

/// The caller's bearer token (RFC 6750, section 2.1). The guard let one `Authorization` through at most.
fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let wrong =
        || Refusal::new(RefusalKind::Unauthenticated, "`Authorization` must be `Bearer` and one token");
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(wrong)?;
    let is_token =
        !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if !scheme.eq_ignore_ascii_case("bearer") || !is_token {
        return Err(wrong());
    }
    Ok(Some(Secret::new(token.as_bytes().to_vec())))
}
