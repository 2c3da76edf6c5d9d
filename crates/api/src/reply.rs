//! What a handler reads, and what it gives back.

use bytes::Bytes;
use gate::model::{JsonLimits, Refusal, RefusalKind, parse_strict_json};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What was asked, as far as a handler reads it.
pub(crate) struct Asked {
    /// The value of the path's parameter.
    pub(crate) parameter: Option<String>,
    /// The query's parameters, each known to the route and given once.
    pub(crate) query: Vec<(String, String)>,
    /// The body, empty where there is none.
    pub(crate) body: Bytes,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) media: &'static str,
    pub(crate) body: Vec<u8>,
}

/// Why a handler gives no answer.
pub(crate) enum Stop {
    /// A refusal.
    Refused(Refusal),
    /// What the path names is not there: an answer, to a call that was allowed.
    NotFound(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Asked {
    /// The path's parameter, parsed.
    pub(crate) fn id<T: std::str::FromStr>(&self, what: &str) -> Result<T, Stop> {
        let text = self.parameter.as_deref().unwrap_or_default();
        text.parse().map_err(|_| Stop::NotFound(format!("there is no {what} of this id")))
    }

    /// A query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, without doubled, unknown or ambiguous members. An absent body is an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Stop> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        Ok(strict(body)?)
    }
}

/// Reads JSON of a caller in the one way that every reader does.
pub(crate) fn strict<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let not_understood =
        |detail: String| Refusal::new(RefusalKind::NotUnderstood, format!("the body is {detail}"));
    let value =
        parse_strict_json(body, JsonLimits::REQUEST).map_err(|error| not_understood(error.to_string()))?;
    // serde would take an array for the members in their order.
    if !value.is_object() {
        return Err(not_understood("not a JSON object".to_owned()));
    }
    serde_json::from_value(value).map_err(|error| not_understood(format!("not what is expected: {error}")))
}

impl Reply {
    /// JSON, with status 200.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Stop> {
        let failed = |error: serde_json::Error| {
            Refusal::new(RefusalKind::StoreUnavailable, format!("the answer cannot be written: {error}"))
        };
        let body = serde_json::to_vec(value).map_err(failed)?;
        Ok(Self { status: 200, media: "application/json", body })
    }

    /// Text, with status 200.
    pub(crate) fn text(text: String) -> Self {
        Self { status: 200, media: "text/plain; charset=utf-8", body: text.into_bytes() }
    }

    /// What the path names is not there.
    pub(crate) fn not_found(detail: &str) -> Self {
        let problem = serde_json::json!({
            "type": "urn:countersign:not_found",
            "title": "There is no such thing.",
            "status": 404,
            "code": "not_found",
            "detail": detail,
            "next": "Look at the list for what there is.",
        });
        Self { status: 404, media: "application/problem+json", body: problem.to_string().into_bytes() }
    }
}
