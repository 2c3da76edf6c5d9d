//! A caller over HTTP, as plain as curl. Everything that is answered is kept, so that it can be searched for the secret.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use gate::model::Secret;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::told::expect;

/// Longer than any caller is held.
const DEADLINE: Duration = Duration::from_secs(90);

/// All that was answered: heads and bodies.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Vec<u8>>>);

impl Answers {
    /// Keeps something that was said.
    pub(super) fn keep(&self, said: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(said);
        kept.push(b'\n');
    }

    /// What was kept so far.
    pub(super) fn all(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Somebody who calls the gateway.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: Arc<Secret>,
    answers: Answers,
}

impl Client {
    pub(super) fn new(url: &str, token: &str, answers: &Answers) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(DEADLINE)
            .build()
            .context("no HTTP client could be made")?;
        let token = Arc::new(Secret::from(token.to_owned()));
        Ok(Self { http, url: url.to_owned(), token, answers: answers.clone() })
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Calls a named operation of the demo, and waits so many seconds for a signature.
    pub(super) async fn call(&self, operation: &str, arguments: &Value, wait: u32) -> anyhow::Result<Answer> {
        let body = json!({ "operation": operation, "arguments": arguments });
        let request = self.request(Method::POST, "/v1/targets/demo/calls").json(&body);
        self.send(request.header("prefer", format!("wait={wait}"))).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        // Compressed answers could not be searched: a caller that takes them still gets none.
        request
            .bearer_auth(self.token.expose_str().unwrap_or_default())
            .header("accept-encoding", "gzip, deflate")
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await.context("the gateway does not answer")?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.context("the answer was cut")?;
        for (name, value) in &headers {
            self.answers.keep(&[name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
        }
        self.answers.keep(&body);
        expect(!headers.contains_key("content-encoding"), "an answer that is not compressed", || {
            format!("{headers:?}")
        })?;
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The call's id.
    pub(super) fn call(&self) -> String {
        self.header("countersign-call").to_owned()
    }

    /// A member of the body as text.
    pub(super) fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Goes on if the answer has this status and, where it is a refusal, this code.
    pub(super) fn is(&self, status: u16, code: Option<&str>) -> anyhow::Result<()> {
        let code_is = code.is_none_or(|code| self.text("/code") == code);
        let expected = format!("{status} {}", code.unwrap_or_default());
        expect(self.status == status && code_is, expected.trim_end(), || self.to_string())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}
