//! Free requests: `/t/{target}/…` as the caller wrote it, normalised once.

use bytes::Bytes;
use gate::model::{CallId, Refusal, RefusalKind, Secret};
use gate::{Allowance, Arrival, Body, Ended, Gate, HeadDecision, Proposal, Session, Whole};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, Uri, request};
use http_body::Body as _;
use hyper::body::Incoming;

use super::body::{CallBody, read_whole};
use super::exchange::HttpWire;
use super::prefer::Held;
use super::respond::{self, AskedFor, CallerBody};
use super::settings::HttpTarget;
use crate::classify;
use crate::headers::{self, Mount};
use crate::url::Normal;

/// A request below a target's mount.
pub(crate) struct FreeRequest<'a> {
    pub(crate) arrival: Arrival,
    pub(crate) credential: Option<Secret>,
    pub(crate) target: &'a str,
    pub(crate) url: Normal,
    pub(crate) head: &'a request::Parts,
    pub(crate) body: Incoming,
}

/// The way of a free request.
pub(crate) async fn answer(gate: &Gate, request: FreeRequest<'_>) -> Result<Response<CallerBody>, Ended> {
    let session = gate.identify(&request.arrival, request.target, request.credential.as_ref()).await?;
    let ready = ready(&session, &request).map_err(|refusal| gate.refuse_unread(&session, refusal))?;
    // The room of a body that was read in full is taken until the answer begins, while it waits for a signature too.
    let (proposal, body, _room) =
        proposed(gate, &session, &request.head.method, &ready, request.body).await?;
    let effect = proposal.call.verb().has_effect();
    let admitted = gate.admit(&session, proposal, &Held::of(&request.head.headers)).await?;
    let cleared = gate.begin(admitted).await?;
    let mut sent = Request::new(body);
    *sent.method_mut() = request.head.method.clone();
    *sent.uri_mut() = ready.uri.clone();
    *sent.headers_mut() = ready.headers.clone();
    let answer = gate.send::<HttpWire>(cleared, sent).await?;
    let open = answer.recorded().await?;
    let mount = Mount::new(&ready.mount, &ready.base, &ready.address, &ready.url);
    let asked = AskedFor { method: &request.head.method, sent: &ready.headers, mount, effect };
    respond::answered(open, asked).await
}

/// What will be sent, but for the body and the credential.
struct Ready {
    url: Normal,
    uri: Uri,
    headers: HeaderMap,
    mount: String,
    address: gate::model::Address,
    base: String,
}

fn ready(session: &Session, request: &FreeRequest<'_>) -> Result<Ready, Refusal> {
    let target = session.target();
    let not_http = || Refusal::new(RefusalKind::Denied, "this target does not speak HTTP below `/t/`");
    let http = target.settings::<HttpTarget>().ok_or_else(not_http)?;
    let url = match target.credential_parameter() {
        Some(name) => request.url.without_parameter(name),
        None => request.url.clone(),
    };
    let unusable =
        || Refusal::new(RefusalKind::NotUnderstood, "the request cannot be written for this target");
    let host = HeaderValue::try_from(&http.authority).map_err(|_| unusable())?;
    let named =
        target.credential_header().into_iter().chain(http.unsigned_headers.iter().map(String::as_str));
    let removed: Vec<HeaderName> =
        named.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    let mut headers = headers::to_target(&request.head.headers, &host, &removed);
    if session.masks() {
        headers::for_masked_answer(&mut headers, classify::action(&request.head.method).1)?;
    }
    let uri = format!("{}{url}", http.base).parse().map_err(|_| unusable())?;
    let address = target.address().cloned().ok_or_else(unusable)?;
    Ok(Ready { url, uri, headers, mount: format!("/t/{}", target.name()), address, base: http.base.clone() })
}

/// The call, whole where there is no body or policy needs it, and the body that goes with it.
async fn proposed(
    gate: &Gate,
    session: &Session,
    method: &http::Method,
    ready: &Ready,
    body: Incoming,
) -> Result<(Proposal, CallBody, Option<Allowance>), Ended> {
    let id = CallId::new();
    let classified = |body: Option<&[u8]>| {
        let request =
            classify::Request { method, url: &ready.url, base: &ready.base, headers: &ready.headers, body };
        classify::call(id, session.target().name(), &request)
    };
    if body.is_end_stream() {
        return Ok((
            Proposal { call: classified(Some(&[])), body: None },
            CallBody::whole(Bytes::new()),
            None,
        ));
    }
    let head = classified(None);
    let room = match gate.decide_head(session, &head)? {
        HeadDecision::Stream => {
            return Ok((Proposal { call: head, body: None }, CallBody::stream(body), None));
        }
        HeadDecision::NeedBody(room) => room,
    };
    let read = read_whole(body, room).await;
    let Whole { bytes, room } = read.map_err(|refusal| gate.refuse_unread(session, refusal))?;
    let call = classified(Some(&bytes));
    let content = respond::content_of(&ready.headers);
    Ok((
        Proposal { call, body: Some(Body { content, bytes: bytes.clone() }) },
        CallBody::whole(bytes),
        Some(room),
    ))
}
