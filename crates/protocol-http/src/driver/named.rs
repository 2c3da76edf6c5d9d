//! HTTP as a protocol of the gate, and named operations over it.

use std::path::Path;

use bytes::Bytes;
use gate::mask::Content;
use gate::model::{Accesses, Call, CallId, Record, Refusal, RefusalKind, ResourceKind, Sent, Value, sha256};
use gate::operation::{Arguments, Binding, HttpBody, HttpParts, Operation};
use gate::policy::ActionModel;
use gate::{
    Body, BoxFuture, Cleared, Ended, Gate, OpenAnswer, Prepared, Proposal, Protocol, ProtocolSettings,
    SettingError, Target,
};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use serde_json::json;

use super::body::CallBody;
use super::exchange::HttpWire;
use super::respond;
use super::settings::{self, HttpTarget};
use crate::{classify, headers};

/// HTTP/1.1 towards targets.
#[derive(Debug, Clone, Copy)]
pub struct Http;

impl Protocol for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn actions(&self) -> Vec<ActionModel> {
        let model = |(name, verb, context)| ActionModel {
            name,
            verb,
            group: "http",
            resource: ResourceKind::Target,
            context,
        };
        classify::actions().into_iter().map(model).collect()
    }

    fn settings(&self, table: toml::Table, folder: &Path) -> Result<ProtocolSettings, SettingError> {
        settings::parse(table, folder)
    }

    fn prepare(
        &self,
        target: &Target,
        operation: &Operation,
        arguments: Arguments,
    ) -> Result<Box<dyn Prepared>, Refusal> {
        let unusable = |detail: String| Refusal::new(RefusalKind::NotUnderstood, detail);
        let http =
            target.settings::<HttpTarget>().ok_or_else(|| unusable("the target is not HTTP's".to_owned()))?;
        let Binding::Http(template) = operation.binding() else {
            return Err(unusable("the operation is not HTTP's".to_owned()));
        };
        let parts = template.bind(&arguments).map_err(|error| unusable(error.to_string()))?;
        let bound = Bound::of(http, parts)
            .ok_or_else(|| unusable("the bound request cannot be written".to_owned()))?;
        let sentence = operation.sentence(&arguments);
        let call = bound.call(target, operation, arguments, sentence);
        Ok(Box::new(PreparedHttp { call, bound }))
    }
}

/// A bound request.
#[derive(Clone)]
struct Bound {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

struct PreparedHttp {
    call: Call,
    bound: Bound,
}

impl Bound {
    fn of(http: &HttpTarget, parts: HttpParts) -> Option<Self> {
        let query = parts.query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut sent = HeaderMap::new();
        sent.insert(header::HOST, HeaderValue::try_from(&http.authority).ok()?);
        sent.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        sent.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/plain;q=0.5, */*;q=0.1"),
        );
        for (name, value) in parts.headers {
            sent.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        let mut body = Bytes::new();
        if let Some(HttpBody { content_type, bytes }) = parts.body {
            sent.insert(header::CONTENT_TYPE, HeaderValue::try_from(content_type).ok()?);
            body = bytes.into();
        }
        Some(Self {
            method: Method::from_bytes(parts.method.as_bytes()).ok()?,
            uri: format!("{}{}{query}", http.base, parts.path).parse().ok()?,
            headers: sent,
            body,
        })
    }

    fn call(&self, target: &Target, operation: &Operation, arguments: Arguments, sentence: String) -> Call {
        let head = json!({
            "method": self.method.as_str(),
            "target": self.uri.to_string(),
            "headers": headers::signed_headers(&self.headers),
        });
        Call {
            id: CallId::new(),
            target: target.name().clone(),
            accesses: Accesses::one(target.operation_access(operation)),
            context: Record::from([("args".to_owned(), Value::Record(arguments.values))]),
            sentence,
            heads: json!({ "operation": operation.name(), "arguments": arguments.json, "request": head }),
            sent: Some(Sent {
                arguments: serde_json::Value::Object(arguments.json),
                head,
                body_sha256: sha256(&self.body),
            }),
        }
    }
}

impl Prepared for PreparedHttp {
    fn proposal(&self) -> Proposal {
        let body = Body { content: Some(Content::Json), bytes: self.bound.body.clone() };
        Proposal { call: self.call.clone(), body: Some(body).filter(|body| !body.bytes.is_empty()) }
    }

    fn run(
        self: Box<Self>,
        gate: &Gate,
        cleared: Cleared,
    ) -> BoxFuture<'_, Result<Box<dyn OpenAnswer>, Ended>> {
        Box::pin(async move {
            let mut request = Request::new(CallBody::whole(self.bound.body));
            *request.method_mut() = self.bound.method;
            *request.uri_mut() = self.bound.uri;
            *request.headers_mut() = self.bound.headers.clone();
            let answer = gate.send::<HttpWire>(cleared, request).await?;
            respond::invoked(answer.recorded().await?, &self.bound.headers)
        })
    }
}
