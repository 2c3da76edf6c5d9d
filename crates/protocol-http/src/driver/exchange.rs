//! One HTTP/1.1 exchange with a target over a stream that `gate` dialled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use gate::lease::Injection;
use gate::{Reply, SendFailure, TargetFault, TargetStream, Wire};
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use super::body::{CallBody, Progress};
use super::sending::{Sending, UnderWay};

/// How long a target may take until its answer begins, once it has the whole call.
const ANSWER: Duration = Duration::from_secs(120);

/// The longest head of an answer, and what is read at once.
const BUFFER: usize = 256 << 10;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How HTTP/1.1 is spoken to a target.
pub(crate) struct HttpWire;

/// A connection that speaks HTTP/1.1.
pub(crate) struct Link {
    sender: SendRequest<CallBody>,
    call: UnderWay,
}

/// An answer as it arrives.
pub(crate) struct HttpReply {
    head: http::response::Parts,
    body: Incoming,
    link: Option<Link>,
    progress: Arc<Progress>,
    ended: bool,
}

impl HttpReply {
    pub(crate) fn head(&self) -> &http::response::Parts {
        &self.head
    }

    /// Whether its head says that no body follows.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl Wire for HttpWire {
    type Link = Link;
    type Request = Request<CallBody>;
    type Reply = HttpReply;

    async fn open(stream: TargetStream) -> Result<Link, TargetFault> {
        let call = UnderWay::default();
        let stream = Sending::new(stream, call.clone());
        let builder = http1::Builder::new().max_buf_size(BUFFER).clone();
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|_| TargetFault::Closed)?;
        // It ends with the link: hyper closes the connection when its sender is dropped.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a target ended");
            }
        });
        Ok(Link { sender, call })
    }

    fn usable(link: &mut Link) -> bool {
        link.sender.is_ready()
    }

    async fn exchange(
        mut link: Link,
        mut request: Request<CallBody>,
        injection: &Injection,
    ) -> Result<HttpReply, SendFailure<Request<CallBody>>> {
        if inject(&mut request, injection).is_none() {
            return Err(SendFailure::Written(TargetFault::Malformed(
                "the credential does not fit into a request",
            )));
        }
        if link.sender.ready().await.is_err() {
            return Err(SendFailure::Unwritten(request));
        }
        let progress = request.body().progress();
        link.call.is(&progress);
        let answered = answered(&mut link.sender, request, &progress).await?;
        let (head, body) = answered.into_parts();
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendFailure::Written(TargetFault::Malformed("it switches protocols unasked")));
        }
        Ok(HttpReply { head, body, link: Some(link), progress, ended: false })
    }
}

/// Waits for the answer to begin. The clock starts when the target has the whole call: before that, its caller sets the pace.
async fn answered(
    link: &mut SendRequest<CallBody>,
    request: Request<CallBody>,
    progress: &Progress,
) -> Result<Response<Incoming>, SendFailure<Request<CallBody>>> {
    let mut sent = std::pin::pin!(link.try_send_request(request));
    loop {
        match timeout(ANSWER, &mut sent).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(request) => SendFailure::Unwritten(request),
                    None if error.error().is_user() => SendFailure::Written(TargetFault::CallerBody),
                    None if error.error().is_parse() => {
                        SendFailure::Written(TargetFault::Malformed("no HTTP/1.1"))
                    }
                    None => SendFailure::Written(TargetFault::Closed),
                });
            }
            Err(_) if progress.ended() => return Err(SendFailure::Written(TargetFault::TimedOut)),
            Err(_) => {}
        }
    }
}

/// Puts the credential where the target expects it, in place of anything of that name.
fn inject(request: &mut Request<CallBody>, injection: &Injection) -> Option<()> {
    match injection {
        Injection::None => {}
        Injection::Header { name, value } => {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let mut value = HeaderValue::from_bytes(value.expose()).ok()?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Injection::Query { name, value } => {
            let pair = format!(
                "{}={}",
                utf8_percent_encode(name, UNRESERVED),
                utf8_percent_encode(value.expose_str()?, UNRESERVED)
            );
            let uri = request.uri();
            let begun = format!("{}={}", utf8_percent_encode(name, UNRESERVED), "");
            let kept = uri.query().unwrap_or_default().split('&');
            let kept = kept.filter(|given| !given.is_empty() && !given.starts_with(&begun));
            let query = kept.chain([pair.as_str()]).collect::<Vec<_>>().join("&");
            *request.uri_mut() = format!("{}?{query}", uri.path()).parse::<Uri>().ok()?;
        }
    }
    Some(())
}

impl Reply for HttpReply {
    type Link = Link;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TargetFault>>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                // Trailers of an answer are not passed on.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data()
                        && !bytes.is_empty()
                    {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "an answer broke off");
                    return Poll::Ready(Some(Err(TargetFault::Closed)));
                }
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// Only after the whole answer, and only if the target had the whole call before it answered.
    fn into_link(mut self) -> Option<Link> {
        let whole = (self.ended || self.body.is_end_stream()) && self.progress.ended();
        self.link.take().filter(|_| whole)
    }
}
