//! Responses: the only place that builds what a caller is sent. Bytes are `ToCaller`; header names and values are of a
//! closed form, or masked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gate::mask::Content;
use gate::model::CallId;
use gate::{Ended, Open, OpenAnswer, OwnAnswer, Public, PublicPage, Said, ToCaller};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use serde_json::json;

use super::exchange::HttpReply;
use crate::headers::{self, Mount, Shown};
use crate::refuse;

/// The call's identity, on every response that a call has come to.
const CALL: HeaderName = HeaderName::from_static("countersign-call");

/// The most of an answer that is held back to see whether it can be shown.
const PEEK: usize = 64 << 10;

/// A body on its way to a caller.
pub(crate) struct CallerBody(Flow);

enum Flow {
    Empty,
    Once(ToCaller),
    Open { ready: VecDeque<ToCaller>, answer: Option<Box<dyn OpenAnswer>> },
}

/// An answer that was cut: nothing more may be written, and the caller must notice.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut: {0}")]
pub(crate) struct Cut(Ended);

impl Body for CallerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let flow = &mut self.get_mut().0;
        let data = |bytes: ToCaller| Poll::Ready(Some(Ok(Frame::data(bytes.into_bytes()))));
        match std::mem::replace(flow, Flow::Empty) {
            Flow::Empty => Poll::Ready(None),
            Flow::Once(bytes) => data(bytes),
            Flow::Open { mut ready, answer } => {
                if let Some(bytes) = ready.pop_front() {
                    *flow = Flow::Open { ready, answer };
                    return data(bytes);
                }
                let Some(mut answer) = answer else { return Poll::Ready(None) };
                match answer.poll_next(cx) {
                    Poll::Pending => {
                        *flow = Flow::Open { ready, answer: Some(answer) };
                        Poll::Pending
                    }
                    Poll::Ready(None) => Poll::Ready(None),
                    Poll::Ready(Some(Ok(bytes))) => {
                        *flow = Flow::Open { ready, answer: Some(answer) };
                        data(bytes)
                    }
                    Poll::Ready(Some(Err(ended))) => Poll::Ready(Some(Err(Cut(ended)))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Flow::Empty => true,
            Flow::Once(_) => false,
            Flow::Open { ready, answer } => ready.is_empty() && answer.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Flow::Empty => SizeHint::with_exact(0),
            Flow::Once(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Flow::Open { ready, answer: None } => {
                SizeHint::with_exact(ready.iter().map(|b| b.len() as u64).sum())
            }
            Flow::Open { .. } => SizeHint::default(),
        }
    }
}

/// What was asked, as far as the answer's form depends on it.
pub(crate) struct AskedFor<'a> {
    pub(crate) method: &'a Method,
    pub(crate) sent: &'a HeaderMap,
    pub(crate) mount: Mount<'a>,
    pub(crate) effect: bool,
}

/// The response to a free request: head filtered and masked, body masked as it streams.
pub(crate) async fn answered(
    open: Open<HttpReply>,
    asked: AskedFor<'_>,
) -> Result<Response<CallerBody>, Ended> {
    let (mut open, status, received) = checked(open, asked.sent)?;
    let masks = open.session().masks();
    let content = searched_as(&open, &received);
    let mut shown = HeaderMap::with_capacity(received.len() + 4);
    for line in headers::to_caller(&received, &asked.mount, masks) {
        match line {
            Shown::Structure(name, value) => {
                shown.append(name, value);
            }
            Shown::Text(name, value) => {
                if let Some(value) = masked_value(&mut open, &name, &value) {
                    shown.append(name, value);
                }
            }
        }
    }
    if *asked.method != Method::HEAD || masks {
        shown.remove(header::CONTENT_LENGTH);
    }
    shown.insert(CALL, id_value(open.call()));
    let recorded = json!({ "status": status.as_u16(), "headers": headers::all_headers(&shown) });
    let open = open.body_is(content, status.as_u16(), recorded)?;
    let sized = received.contains_key(header::CONTENT_LENGTH);
    let peek = sized || (asked.effect && content == Some(Content::Json));
    let flow = flow(Box::new(open), peek).await?;
    Ok(built(status, shown, CallerBody(flow)))
}

/// The answer to a named operation: its status and media type, its body masked as it streams.
pub(crate) fn invoked(open: Open<HttpReply>, sent: &HeaderMap) -> Result<Box<dyn OpenAnswer>, Ended> {
    let (open, status, received) = checked(open, sent)?;
    let content = searched_as(&open, &received);
    Ok(Box::new(open.body_is(content, status.as_u16(), json!({ "status": status.as_u16() }))?))
}

/// The response of Countersign's own interface.
pub(crate) async fn own(answer: OwnAnswer) -> Result<Response<CallerBody>, Ended> {
    let mut head = private();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.media));
    if let Some(call) = answer.body.call() {
        head.insert(CALL, id_value(call));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let peek = answer.media == "application/json";
    let flow = flow(answer.body, peek).await?;
    Ok(built(status, head, CallerBody(flow)))
}

/// A public page.
pub(crate) fn page(page: &PublicPage) -> Response<CallerBody> {
    let media = match page.page {
        Public::Healthz | Public::Readyz => "text/plain; charset=utf-8",
        Public::Jwks | Public::OpenApi => "application/json",
    };
    let mut head = private();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let status = if page.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    built(status, head, CallerBody(Flow::Once(ToCaller::rendered(Said::page(page)))))
}

/// A refusal or another ending, as problem details.
pub(crate) fn ended(ended: &Ended) -> Response<CallerBody> {
    let mut head = private();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let status = refuse::status(ended);
    if status == StatusCode::UNAUTHORIZED {
        head.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"countersign\""));
    }
    if let Some(after) = refuse::retry_after(ended) {
        head.insert(header::RETRY_AFTER, HeaderValue::from(after));
    }
    if let Some(call) = ended.call() {
        head.insert(CALL, id_value(call));
    }
    let said = Said::ended(ended, refuse::problem);
    built(status, head, CallerBody(Flow::Once(ToCaller::rendered(said))))
}

/// What the body of an answer is searched as. Where there is none, whatever its type, there is nothing to withhold.
fn searched_as(open: &Open<HttpReply>, received: &HeaderMap) -> Option<Content> {
    let bodiless = open.reply().is_some_and(HttpReply::is_bodiless);
    if bodiless { Some(Content::Text) } else { content_of(received) }
}

/// Takes the head out of the answer, unless it alone says that nothing may be shown.
fn checked(
    open: Open<HttpReply>,
    sent: &HeaderMap,
) -> Result<(Open<HttpReply>, StatusCode, HeaderMap), Ended> {
    let Some(head) = open.reply().map(HttpReply::head) else { return Err(open.withhold("it has no head")) };
    if let Some(why) = headers::withheld(head.status, &head.headers, sent) {
        return Err(open.withhold(&why.to_string()));
    }
    let (status, received) = (head.status, head.headers.clone());
    Ok((open, status, received))
}

/// A header's value, masked; nothing when it can be read in another way too and that way shows something.
fn masked_value(open: &mut Open<HttpReply>, name: &HeaderName, value: &HeaderValue) -> Option<HeaderValue> {
    for reading in headers::other_readings(name, value) {
        if open.mask_text(&reading).into_bytes() != reading.as_bytes() {
            return None;
        }
    }
    let text = std::str::from_utf8(value.as_bytes()).ok()?;
    HeaderValue::from_maybe_shared(open.mask_text(text).into_bytes()).ok()
}

/// What a body is read as; `None` where it cannot be searched.
pub(crate) fn content_of(received: &HeaderMap) -> Option<Content> {
    match headers::content_of(received) {
        headers::Content::Json => Some(Content::Json),
        headers::Content::Text => Some(Content::Text),
        headers::Content::EventStream => Some(Content::EventStream),
        headers::Content::Other => None,
    }
}

/// With `peek`, holds the head back until the answer is whole or longer than can be held, so that one which cannot be
/// shown ends in a status that no client takes for a lost connection. Without, looks only at what is there already: an
/// answer without a length may be a live one.
async fn flow(mut answer: Box<dyn OpenAnswer>, peek: bool) -> Result<Flow, Ended> {
    let mut ready = VecDeque::new();
    let mut held = 0;
    while held < PEEK {
        let polled = poll_fn(|cx| match answer.poll_next(cx) {
            Poll::Pending if !peek => Poll::Ready(None),
            polled => polled.map(Some),
        });
        match polled.await {
            None => break,
            Some(Some(Ok(bytes))) => {
                held += bytes.len();
                ready.push_back(bytes);
            }
            Some(Some(Err(ended))) => return Err(ended),
            Some(None) => return Ok(Flow::Open { ready, answer: None }),
        }
    }
    Ok(Flow::Open { ready, answer: Some(answer) })
}

/// No cache keeps what was answered to one caller, and no browser runs it.
fn private() -> HeaderMap {
    let fixed = [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
    ];
    fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

fn id_value(call: CallId) -> HeaderValue {
    HeaderValue::try_from(call.to_string()).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

fn built(status: StatusCode, head: HeaderMap, body: CallerBody) -> Response<CallerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = head;
    response
}

/// A response for the one case in which hyper asks for a result that cannot fail.
pub(crate) fn infallible(
    result: Result<Response<CallerBody>, Ended>,
) -> Result<Response<CallerBody>, Infallible> {
    Ok(result.unwrap_or_else(|error| ended(&error)))
}
