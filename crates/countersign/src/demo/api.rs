//! The demo API: customers and payments behind one long-term key, as a process of its own.
//!
//! It holds personal data in the forms that are hard to mask, sends one answer a byte a chunk, and on request echoes the
//! key that it was given in a body, a header and a redirect: a target that does its worst. Every effect is a synced line
//! in `effects.jsonl` before it is answered for, every request a line in `requests.jsonl`. It refuses callers without
//! the key, bodies beyond 64 KiB and addresses beyond loopback.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use model::{Clock, Secret, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::answer::{self, Answer, AnswerBody, Problem};
use super::customers::{self, CUSTOMERS, Customer, EVENTS};
use super::effects::{Effects, Order};
use super::requests::{Requests, Seen};
use super::server;

/// The header that carries the key.
pub(crate) const KEY_HEADER: &str = "x-api-key";

const MAX_BODY: usize = 64 * 1024;
const BODY_DEADLINE: Duration = Duration::from_secs(10);
const MAX_REASON: usize = 500;
const EVENT_EVERY: Duration = Duration::from_millis(100);
/// A longer key would not fit into a header comfortably, and is a mistake.
const MAX_KEY: u64 = 4096;

/// What the demo API needs to start.
#[derive(Debug)]
pub(crate) struct DemoApi {
    /// Where to listen; loopback, port 0 for any.
    pub(crate) listen: SocketAddr,
    /// Where `effects.jsonl` and `requests.jsonl` are kept; made when it is missing.
    pub(crate) state_dir: PathBuf,
    /// The long-term key that callers must send as `X-Api-Key`.
    pub(crate) expected_key: Secret,
}

/// Serves until standard input ends, or until SIGTERM or SIGINT; then calls under way may finish within two seconds.
/// When it is ready it prints one line, `{"listening":"127.0.0.1:PORT"}`, to standard output.
///
/// # Errors
/// When the address is not of loopback or is taken, or the state folder cannot be written.
pub(crate) async fn run(api: DemoApi) -> anyhow::Result<()> {
    let ended = ended()?;
    let listener = server::bind(api.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let app = App::open(address, &api.state_dir, api.expected_key, SystemClock::shared())?;
    let ready = serde_json::json!({ "listening": address.to_string() });
    writeln!(io::stdout(), "{ready}").context("cannot print the address")?;
    server::serve(listener, move |request| Arc::clone(&app).answer(request), ended).await;
    Ok(())
}

/// Reads the key from the first line of standard input, so that it stands in no argument, environment or file. Blocks:
/// call it before the runtime starts. [`run`] then watches the rest of standard input for its end.
///
/// # Errors
/// When the line is empty, longer than 4 KiB or no text that a header can carry.
pub(crate) fn key_from_stdin() -> anyhow::Result<Secret> {
    let mut line = Vec::new();
    io::stdin()
        .lock()
        .take(MAX_KEY)
        .read_until(b'\n', &mut line)
        .context("cannot read the key from standard input")?;
    let whole = line.pop() == Some(b'\n');
    let key = Secret::new(line);
    ensure!(
        whole && !key.is_empty() && key.expose().iter().all(u8::is_ascii_graphic),
        "the first line of standard input is no key: send 1 to 4095 visible ASCII characters and a line feed, and keep it open"
    );
    Ok(key)
}

/// Resolves when whoever started this process is gone or wants it to end.
fn ended() -> anyhow::Result<impl Future<Output = ()>> {
    let (closed, stdin) = oneshot::channel();
    // A thread of its own: tokio's standard input would keep the runtime from ending while a read is under way.
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = closed.send(());
        })
        .context("cannot watch standard input")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = stdin => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

struct App {
    /// Its own URL, for redirects.
    base: String,
    key: Secret,
    effects: Effects,
    requests: Requests,
}

impl App {
    fn open(
        address: SocketAddr,
        dir: &Path,
        key: Secret,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Arc<Self>> {
        let open = || -> io::Result<_> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            Ok((Effects::open(dir, Arc::clone(&clock))?, Requests::open(dir, Arc::clone(&clock))?))
        };
        let (effects, requests) =
            open().with_context(|| format!("cannot use `{}` as state folder", dir.display()))?;
        Ok(Arc::new(Self { base: format!("http://{address}"), key, effects, requests }))
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        self.serve(request).await.unwrap_or_else(Answer::from)
    }

    async fn serve(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Problem> {
        let seen = self.see(&request);
        let admitted = seen.key;
        self.blocking(move |app| app.requests.note(seen)).await.map_err(|_| not_written())?;
        if !admitted {
            return Err(Problem(StatusCode::UNAUTHORIZED, "send the API key as `X-Api-Key`"));
        }
        self.route(request).await
    }

    fn see(&self, request: &Request<Incoming>) -> Seen {
        let headers = request.headers();
        let mut keys = headers.get_all(KEY_HEADER).iter();
        let key = match (keys.next(), keys.next()) {
            (Some(key), None) => verify_slices_are_equal(key.as_bytes(), self.key.expose()).is_ok(),
            _ => false,
        };
        Seen {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            key,
            foreign_credential: headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE),
        }
    }

    async fn route(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Problem> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
        let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
        match (segments.as_slice(), &method) {
            (["customers"], &Method::GET) => Ok(self.list_customers()),
            (["customers", id], &Method::GET) => Ok(show_customer(self.customer(number(id)?)?)),
            (["customers", id], &Method::DELETE) => {
                self.delete_customer(self.customer(number(id)?)?.id).await
            }
            (["customers", id, "echo"], &Method::GET) => {
                self.customer(number(id)?)?;
                echo(&self.base, request.headers(), request.uri().query())
            }
            (["payments"], &Method::GET) => Ok(answer::of_json(StatusCode::OK, &self.effects.payments())),
            (["payments"], &Method::POST) => self.pay(request).await,
            (["events"], &Method::GET) => Ok(events()),
            (["customers" | "payments" | "events"] | ["customers", _] | ["customers", _, "echo"], _) => {
                Err(Problem(StatusCode::METHOD_NOT_ALLOWED, "this resource does not know that method"))
            }
            _ => Err(Problem(StatusCode::NOT_FOUND, "there are /customers, /payments and /events")),
        }
    }

    fn customer(&self, id: u32) -> Result<&'static Customer, Problem> {
        customers::find(id).filter(|customer| !self.effects.is_deleted(customer.id)).ok_or_else(no_customer)
    }

    fn list_customers(&self) -> Answer {
        let there = CUSTOMERS.iter().filter(|customer| !self.effects.is_deleted(customer.id));
        let summaries: Vec<&str> = there.map(|customer| customer.summary).collect();
        let body = format!("[{}]", summaries.join(","));
        answer::with_type(StatusCode::OK, "application/json", AnswerBody::Whole(body.into()))
    }

    async fn delete_customer(self: &Arc<Self>, id: u32) -> Result<Answer, Problem> {
        if self.blocking(move |app| app.effects.delete(id)).await.map_err(|_| not_written())? {
            let mut answer = Answer::new(AnswerBody::Whole(Bytes::new()));
            *answer.status_mut() = StatusCode::NO_CONTENT;
            Ok(answer)
        } else {
            Err(no_customer())
        }
    }

    async fn pay(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Problem> {
        let order = read_order(request).await?;
        self.customer(order.customer)?;
        let payment = self.blocking(move |app| app.effects.pay(order)).await.map_err(|_| not_written())?;
        Ok(answer::of_json(StatusCode::CREATED, &payment))
    }

    /// Runs what blocks on the disk off the runtime's threads. It runs to its end even if the caller leaves.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let app = Arc::clone(self);
        spawn_blocking(move || work(&app)).await.map_err(io::Error::other)?
    }
}

/// The number in a path; one spelling each, so `01` is none.
fn number(text: &str) -> Result<u32, Problem> {
    Some(text)
        .filter(|text| !text.starts_with(['+', '0']))
        .and_then(|text| text.parse().ok())
        .ok_or_else(no_customer)
}

fn show_customer(customer: &'static Customer) -> Answer {
    let body = AnswerBody::ByteAChunk(Bytes::from_static(customer.json.as_bytes()));
    answer::with_type(StatusCode::OK, "application/json", body)
}

fn events() -> Answer {
    let mut tick = interval(EVENT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rest = EVENTS.iter().map(|event| Bytes::from_static(event.as_bytes())).collect();
    answer::with_type(StatusCode::OK, "text/event-stream", AnswerBody::Events { rest, tick })
}

/// Gives back what was received, the key included, where a careless target might: `?in=body`, `?in=header` or
/// `?in=location`, and without a query in all three.
fn echo(base: &str, headers: &HeaderMap, query: Option<&str>) -> Result<Answer, Problem> {
    let (in_body, in_header, in_location) = match query {
        None => (true, true, true),
        Some("in=body") => (true, false, false),
        Some("in=header") => (false, true, false),
        Some("in=location") => (false, false, true),
        Some(_) => return Err(Problem(StatusCode::BAD_REQUEST, "`in` is body, header or location")),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let received: serde_json::Map<String, serde_json::Value> = headers
        .iter()
        .filter(|_| in_body)
        .map(|(name, value)| (name.to_string(), text(value).into()))
        .collect();
    let status = if in_location { StatusCode::FOUND } else { StatusCode::OK };
    let mut answer = answer::of_json(status, &serde_json::json!({ "received": received }));
    let key = headers.get(KEY_HEADER).map(text).unwrap_or_default();
    if let (true, Ok(value)) = (in_header, HeaderValue::from_str(&format!("{KEY_HEADER}={key}"))) {
        answer.headers_mut().insert("x-echo", value);
    }
    if let (true, Ok(value)) = (in_location, HeaderValue::from_str(&format!("{base}/customers?key={key}"))) {
        answer.headers_mut().insert(LOCATION, value);
    }
    Ok(answer)
}

async fn read_order(request: Request<Incoming>) -> Result<Order, Problem> {
    let content_type =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send a payment as application/json"));
    }
    let body = match timeout(BODY_DEADLINE, Limited::new(request.into_body(), MAX_BODY).collect()).await {
        Err(_) => {
            return Err(Problem(StatusCode::REQUEST_TIMEOUT, "the body took longer than 10 seconds"));
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Problem(StatusCode::PAYLOAD_TOO_LARGE, "a payment takes at most 64 KiB"));
        }
        Ok(Err(_)) => return Err(Problem(StatusCode::BAD_REQUEST, "the body broke off")),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let order: Order = serde_json::from_slice(&body).map_err(|_| {
        let detail =
            "a payment is {\"customer\": NUMBER, \"amount\": CENTS, \"reason\": TEXT} and nothing else";
        Problem(StatusCode::BAD_REQUEST, detail)
    })?;
    if order.amount == 0 || order.reason.is_empty() || order.reason.len() > MAX_REASON {
        let detail = "`amount` is at least one cent, and `reason` 1 to 500 bytes";
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    Ok(order)
}

fn no_customer() -> Problem {
    Problem(StatusCode::NOT_FOUND, "no such customer: see /customers")
}

fn not_written() -> Problem {
    Problem(StatusCode::INSUFFICIENT_STORAGE, "nothing was done: it could not be noted in the state folder")
}

#[cfg(test)]
mod tests;
