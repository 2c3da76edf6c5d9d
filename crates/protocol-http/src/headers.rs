//! Which headers go which way: to the target ([`to_target`], [`for_masked_answer`]), under a signature ([`signed_headers`]) and
//! back to the caller ([`to_caller`]).
//!
//! To the target goes what the caller means for it, and nothing that speaks for the caller's connection, its identity or
//! the way it came: those are the gateway's to say, and it says nothing. Names are compared as a CGI-like target reads them,
//! with `_` as `-`.
//!
//! Back to the caller goes what cannot undo the gateway's work. Every value that a target chose is [`Shown::Text`], to be
//! masked, unless its form leaves no room for anything (a date, a known type); what leads around the gateway (`Alt-Svc`,
//! `Refresh`, `X-Accel-*`), speaks for the gateway's own origin (`Set-Cookie`, `Strict-Transport-Security`, `Clear-Site-Data`),
//! asks for the caller's credential (`WWW-Authenticate`) or lets a cache answer in the gateway's place is left out.

mod answer;
mod link;

use gate::model::Verb;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

pub use self::answer::{Content, Shown, Withheld, content_of, other_readings, to_caller, withheld};
pub use self::link::Mount;

/// A write that depends on what the target holds, where the answer would be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the header `{0}` makes this change depend on a version of the target's data, which answers that are masked do not \
     tell: leave it out, or ask for a policy that permits `readUnmasked`"
)]
pub struct PreconditionUnderMask(pub &'static str);

/// The headers that are sent for what the caller sent: without those of one connection (RFC 9110, section 7.6.1) and those
/// that `Connection` names, without credentials, cookies and claims of where the call came from, without any in `removed`
/// (the injected credential's, the slot of the caller's token, the target's `unsigned_headers`), with the target's `host`,
/// and asking for no encoding, because what is encoded cannot be searched.
///
/// `Content-Length` and `Transfer-Encoding` are the connection's own: whoever sends the body says its length.
#[must_use]
pub fn to_target(caller: &HeaderMap, host: &HeaderValue, removed: &[HeaderName]) -> HeaderMap {
    let removed: Vec<_> = removed.iter().map(dashed).chain(named_by_connection(caller)).collect();
    let mut sent = HeaderMap::with_capacity(caller.len() + 1);
    sent.insert(header::HOST, host.clone());
    for (name, value) in caller {
        let plain = dashed(name);
        if !is_of_connection(&plain) && !is_gateways_to_say(&plain) && !removed.contains(&plain) {
            sent.append(name, value.clone());
        }
    }
    sent.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    sent
}

/// Takes out what would make a masked answer partial or conditional: answers put together from ranges, or told apart by
/// validators, show what the mask hides.
///
/// # Errors
/// [`PreconditionUnderMask`] where the condition protects a change: without it another call would run than the caller
/// meant, so the call is refused instead.
pub fn for_masked_answer(sent: &mut HeaderMap, verb: Verb) -> Result<(), PreconditionUnderMask> {
    const CONDITIONS: [&str; 4] = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since"];
    for name in CONDITIONS {
        if sent.remove(name).is_some() && verb.has_effect() {
            return Err(PreconditionUnderMask(name));
        }
    }
    sent.remove(header::RANGE);
    sent.remove(header::IF_RANGE);
    Ok(())
}

/// The headers that a signature covers, of those that are sent: all but the volatile ones, which differ from one try to the
/// next, and those that are in no digest (`Prefer`, `Idempotency-Key`).
#[must_use]
pub fn signed_headers(sent: &HeaderMap) -> Value {
    json_of(sent, |name| {
        !is_volatile(&dashed(name)) && !matches!(name.as_str(), "prefer" | "idempotency-key")
    })
}

/// All headers, for the record.
#[must_use]
pub fn all_headers(headers: &HeaderMap) -> Value {
    json_of(headers, |_| true)
}

/// Whether a header differs between two tries of the same call: what a client, its library or a trace says of itself.
#[must_use]
pub fn is_volatile_header(name: &HeaderName) -> bool {
    is_volatile(&dashed(name))
}

/// Values by name, a list where there are several. A byte beyond ASCII becomes the character of its number, so that two
/// heads that differ never look the same.
fn json_of(headers: &HeaderMap, covers: impl Fn(&HeaderName) -> bool) -> Value {
    let text =
        |value: &HeaderValue| Value::String(value.as_bytes().iter().map(|byte| char::from(*byte)).collect());
    let mut names: Vec<_> = headers.keys().filter(|name| covers(name)).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    let mut all = Map::with_capacity(names.len());
    for name in names {
        let mut values: Vec<_> = headers.get_all(name).iter().map(text).collect();
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        all.insert(name.as_str().to_owned(), value);
    }
    Value::Object(all)
}

/// The name as a CGI-like reader sees it.
fn dashed(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

/// What `Connection` names beside itself, in the same form.
fn named_by_connection(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let values = headers.get_all(header::CONNECTION).iter();
    let options = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.map(|option| String::from_utf8_lossy(option.trim_ascii()).to_ascii_lowercase().replace('_', "-"))
}

/// Headers of one connection and not of the message.
fn is_of_connection(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-authentication-info",
        "te",
        "trailer",
        "transfer-encoding",
        "content-length",
        "upgrade",
        "http2-settings",
        "expect",
        "host",
    ];
    NAMES.contains(&name)
}

/// Headers in which the caller would speak with the gateway's voice: who calls, from where and how the call came.
fn is_gateways_to_say(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "authorization",
        "cookie",
        "cookie2",
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "remote-user",
        "x-authenticated-user",
        "x-ssl-client-cert",
        "client-cert",
        "client-cert-chain",
        // Holds the gateway's own addresses, and with them whatever a caller put into a URL.
        "referer",
        // Says how long to wait for an approval: it is for the gateway.
        "prefer",
    ];
    // Claims of proxies that sign people in, and of meshes; the delta encoding of RFC 3229 cannot be searched.
    const PREFIXES: [&str; 9] = [
        "x-forwarded-",
        "x-remote-",
        "x-auth-request-",
        "x-webauth-",
        "x-amzn-oidc-",
        "x-goog-authenticated-user-",
        "x-ms-client-principal",
        "x-envoy-",
        "x-original-",
    ];
    NAMES.contains(&name) || name == "a-im" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_volatile(name: &str) -> bool {
    const NAMES: [&str; 26] = [
        "user-agent",
        "accept-encoding",
        "date",
        "traceparent",
        "tracestate",
        "baggage",
        "b3",
        "sentry-trace",
        "uber-trace-id",
        "newrelic",
        "elastic-apm-traceparent",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "grpc-trace-bin",
        "x-request-id",
        "x-correlation-id",
        "x-client-request-id",
        "x-ms-client-request-id",
        "x-ms-useragent",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "x-amz-user-agent",
        "x-goog-api-client",
        "x-stripe-client-user-agent",
        "x-stripe-client-telemetry",
        "x-github-client",
    ];
    const PREFIXES: [&str; 4] = ["x-stainless-", "x-b3-", "x-datadog-", "sec-ch-ua"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests;
