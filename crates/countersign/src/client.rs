//! The command line's side of `/v1`.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use gate::model::Secret;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::cli::Connection;

/// A gateway that the command line talks to.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
}

/// A refusal of the gateway, with the exit status that a script reads.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The problem document.
    pub(crate) problem: Value,
}

impl Refused {
    /// 4 while a signature is awaited, else 3.
    pub(crate) fn exit(&self) -> u8 {
        if self.text("code") == "approval_required" { 4 } else { 3 }
    }

    fn text(&self, name: &str) -> &str {
        self.problem.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text("code"), self.text("title"))?;
        if !self.text("detail").is_empty() {
            write!(f, "\n  {}", self.text("detail"))?;
        }
        write!(f, "\n  next: {}", self.text("next"))?;
        if let Some(approval) = self.problem.pointer("/approval/id").and_then(Value::as_str) {
            write!(f, "\n  approval: {approval}")?;
        }
        if !self.text("call").is_empty() {
            write!(f, "\n  call: {}", self.text("call"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

impl Client {
    /// A client with the caller's token.
    ///
    /// # Errors
    /// When there is no token, a file cannot be read, or a token would travel in the clear.
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let url = connection.url.trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&url).with_context(|| format!("`{url}` is no URL"))?;
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        anyhow::ensure!(
            parsed.scheme() == "https" || loopback,
            "`{url}` would send your token in the clear: use https, or a gateway on this machine"
        );
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization(&token(connection)?)?);
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(400));
        if let Some(file) = &connection.ca_file {
            let pem = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("`{}` holds no PEM certificates", file.display()))?;
            builder = builder.tls_certs_only(roots);
        }
        Ok(Self { http: builder.build().context("no HTTP client could be made")?, url })
    }

    /// GET, for JSON.
    ///
    /// # Errors
    /// [`Refused`], or that the gateway cannot be reached.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.url);
        let mut url = reqwest::Url::parse(&url).with_context(|| format!("`{url}` is no URL"))?;
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        self.answered(self.http.get(url).send().await).await?.json().await.context("the answer is no JSON")
    }

    /// POST of JSON; gives the answer as it came.
    ///
    /// # Errors
    /// [`Refused`], or that the gateway cannot be reached.
    pub(crate) async fn post(&self, path: &str, body: &Value, wait: Option<u32>) -> anyhow::Result<Response> {
        let mut request = self.http.request(Method::POST, format!("{}{path}", self.url)).json(body);
        if let Some(wait) = wait {
            request = request.header("prefer", format!("wait={wait}"));
        }
        self.answered(request.send().await).await
    }

    /// An answer, unless it is a refusal. A target's own error is an answer.
    async fn answered(&self, sent: Result<Response, reqwest::Error>) -> anyhow::Result<Response> {
        let response = sent.with_context(|| {
            format!("cannot reach the gateway at {}: is it running, and is COUNTERSIGN_URL right?", self.url)
        })?;
        let is_problem =
            response.headers().get("content-type").is_some_and(|media| media == "application/problem+json");
        if !is_problem {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or(Value::Null);
        if problem.is_null() {
            anyhow::bail!("the gateway answered {status} without saying why");
        }
        Err(Refused { problem }.into())
    }
}

/// Whether a status is one of success.
pub(crate) fn succeeded(status: StatusCode) -> bool {
    status.is_success()
}

fn token(connection: &Connection) -> anyhow::Result<Secret> {
    let text = match &connection.token_file {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?
        }
        None => std::env::var("COUNTERSIGN_TOKEN")
            .context("there is no token: set COUNTERSIGN_TOKEN, or name a file with --token-file")?,
    };
    Ok(Secret::from(text.trim().to_owned()))
}

fn authorization(token: &Secret) -> anyhow::Result<HeaderValue> {
    let bytes = [b"Bearer ", token.expose()].concat();
    let mut value =
        HeaderValue::from_bytes(&bytes).context("the token holds characters that no token has")?;
    value.set_sensitive(true);
    Ok(value)
}
