//! From a request to a [`Call`]: what policy reads, what an approver sees, what a signature covers.
//!
//! Pure: the same request is the same call. Every method has an action; one that is not known is [`OTHER`], which is as
//! strong as running something whose effect nobody knows. Policies read the decoded path and parameters; the digest covers
//! the spelling that is sent.

use std::collections::BTreeMap;

use gate::model::{
    Access, Accesses, ActionName, Call, CallId, Field, Record, Refusal, RefusalKind, Resource, Sent, Shape,
    TargetName, Value, Verb, sha256,
};
use http::{HeaderMap, Method};
use serde_json::json;

use crate::codec::BadRequest;
use crate::headers::{self, PreconditionUnderMask};
use crate::url::{BadUrl, Normal};

/// What any method is that has no action of its own.
pub const OTHER: ActionName = ActionName::builtin("http.other");

/// The longest sentence, in bytes; a longer one is cut and ends with `…`.
pub const MAX_SENTENCE: usize = 512;

const METHODS: [(&str, ActionName, Verb); 7] = [
    ("GET", ActionName::builtin("http.get"), Verb::Read),
    ("HEAD", ActionName::builtin("http.head"), Verb::Read),
    ("OPTIONS", ActionName::builtin("http.options"), Verb::Read),
    ("POST", ActionName::builtin("http.post"), Verb::Write),
    ("PUT", ActionName::builtin("http.put"), Verb::Write),
    ("PATCH", ActionName::builtin("http.patch"), Verb::Write),
    ("DELETE", ActionName::builtin("http.delete"), Verb::Delete),
];

/// The actions that this protocol declares, each with its verb and the shape of the context that its policies read.
#[must_use]
pub fn actions() -> Vec<(ActionName, Verb, BTreeMap<String, Field>)> {
    let known = METHODS.into_iter().map(|(_, action, verb)| (action, verb, context_shape()));
    known.chain([(OTHER, Verb::Execute, context_shape())]).collect()
}

/// The action that a method is, and its verb. Methods are compared as they are written: `get` is not `GET`.
#[must_use]
pub fn action(method: &Method) -> (ActionName, Verb) {
    let known = METHODS.into_iter().find(|(name, ..)| *name == method.as_str());
    known.map_or((OTHER, Verb::Execute), |(_, action, verb)| (action, verb))
}

/// A request to a target, as far as it is read.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request target below the target's mount, without the caller's credential.
    pub url: &'a Normal,
    /// What is sent before it: the path of the target's own URL without a slash at its end, mostly nothing.
    pub base: &'a str,
    /// The headers that will be sent ([`headers::to_target`]), without the target's credential.
    pub headers: &'a HeaderMap,
    /// The body when it was read whole (empty when there is none), `None` when it streams.
    pub body: Option<&'a [u8]>,
}

/// The call that a request is. It can be signed for only when its body is whole.
#[must_use]
pub fn call(id: CallId, target: &TargetName, request: &Request<'_>) -> Call {
    let (action, verb) = action(request.method);
    Call {
        id,
        target: target.clone(),
        accesses: Accesses::one(Access { action, verb, resource: Resource::target(target) }),
        context: context(request),
        sentence: sentence(request.method, request.url),
        heads: heads(request),
        sent: request.body.map(|body| Sent {
            arguments: serde_json::Value::Null,
            head: signed_head(request),
            body_sha256: sha256(body),
        }),
    }
}

/// The call in one line: `GET /customers/7?expand=card`. Decoded, so that personal data can be masked in it; what could be
/// taken for syntax or does not show (`&` in a value, a line break, a mark that reverses text) stays percent-encoded.
#[must_use]
pub fn sentence(method: &Method, url: &Normal) -> String {
    let mut line = String::from(method.as_str());
    line.push(' ');
    for segment in url.segments() {
        line.push('/');
        push_readable(&mut line, segment, false);
    }
    for (index, (name, value)) in url.parameters().iter().enumerate() {
        line.push(if index == 0 { '?' } else { '&' });
        push_readable(&mut line, name, false);
        if !value.is_empty() {
            line.push('=');
            push_readable(&mut line, value, true);
        }
    }
    if line.len() > MAX_SENTENCE {
        let end = line.floor_char_boundary(MAX_SENTENCE - '…'.len_utf8());
        line.truncate(end);
        line.push('…');
    }
    line
}

fn push_readable(line: &mut String, text: &str, in_value: bool) {
    for c in text.chars() {
        let shows = c.is_alphanumeric()
            || matches!(
                c,
                '-' | '.' | '_' | '~' | '@' | ':' | ',' | '!' | '$' | '\'' | '(' | ')' | '*' | '+' | ' '
            )
            || (in_value && matches!(c, '/' | '='));
        if shows {
            line.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                line.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

fn context_shape() -> BTreeMap<String, Field> {
    let values = Shape::Set(Box::new(Shape::String));
    BTreeMap::from([
        ("method".to_owned(), Field::required(Shape::String)),
        ("path".to_owned(), Field::required(Shape::String)),
        ("query".to_owned(), Field::required(Shape::Tags(Box::new(values)))),
    ])
}

fn context(request: &Request<'_>) -> Record {
    let query = grouped(request.url).into_iter().map(|(name, values)| {
        let values: std::collections::BTreeSet<_> = values.into_iter().collect();
        (name.to_owned(), Value::Set(values.into_iter().map(Value::text).collect()))
    });
    Record::from([
        ("method".to_owned(), Value::text(request.method.as_str())),
        ("path".to_owned(), Value::text(request.url.decoded_path())),
        ("query".to_owned(), Value::Tags(query.collect())),
    ])
}

/// Parameters by name, the values of each in their order.
fn grouped(url: &Normal) -> BTreeMap<&str, Vec<&str>> {
    let mut query = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in url.parameters() {
        query.entry(name.as_str()).or_default().push(value.as_str());
    }
    query
}

/// What is recorded of the request before its body, decoded so that it can be masked.
fn heads(request: &Request<'_>) -> serde_json::Value {
    json!({
        "method": request.method.as_str(),
        "path": request.url.decoded_path(),
        "query": grouped(request.url),
        "headers": headers::all_headers(request.headers),
    })
}

/// What is sent before the body, as far as a signature covers it.
fn signed_head(request: &Request<'_>) -> serde_json::Value {
    json!({
        "method": request.method.as_str(),
        "target": format!("{}{}", request.base, request.url),
        "headers": headers::signed_headers(request.headers),
    })
}

impl From<BadRequest> for Refusal {
    fn from(why: BadRequest) -> Self {
        let kind = if why.is_too_large() { RefusalKind::TooLarge } else { RefusalKind::NotUnderstood };
        Self::new(kind, why.to_string())
    }
}

impl From<BadUrl> for Refusal {
    fn from(why: BadUrl) -> Self {
        let kind = if why == BadUrl::TooLong { RefusalKind::TooLarge } else { RefusalKind::NotUnderstood };
        Self::new(kind, why.to_string())
    }
}

impl From<PreconditionUnderMask> for Refusal {
    fn from(why: PreconditionUnderMask) -> Self {
        Self::new(RefusalKind::Denied, why.to_string())
    }
}

#[cfg(test)]
mod tests;
