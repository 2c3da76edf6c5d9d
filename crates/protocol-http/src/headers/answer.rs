//! What comes back: which of a target's headers a caller sees, which answers cannot be shown at all, and how a body is read.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::{Mount, dashed, is_of_connection, named_by_connection};

/// One header of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Its form leaves no room for data: it is written as it is.
    Structure(HeaderName, HeaderValue),
    /// The target chose its value: it is masked before it is written. Where a mask would change one of
    /// [`other_readings`], the header is left out.
    Text(HeaderName, HeaderValue),
}

/// Why an answer cannot be shown, whatever its body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// The body is encoded although none of the encodings was asked for: it cannot be searched.
    #[error("the target encoded its answer although it was asked not to")]
    Encoded,
    /// A part, a difference or "not modified" that nobody asked for: several of them could be put together.
    #[error("the target answered with a part or a difference that was not asked for")]
    Unasked,
    /// Another protocol.
    #[error("the target switched to another protocol")]
    Switched,
    /// More than one type: two readers could choose two.
    #[error("the target gave its answer more than one content type")]
    TwoTypes,
}

/// How a body is read to be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// JSON in UTF-8: `application/json`, `text/json` or a type that ends with `+json`.
    Json,
    /// `text/plain` in UTF-8.
    Text,
    /// `text/event-stream`, which is always UTF-8.
    EventStream,
    /// Anything else, other charsets and no type at all: it cannot be searched for classes.
    Other,
}

/// The headers of an answer that go to the caller, in the target's order, and behind them the gateway's own: no cache may
/// answer in its place, and nothing that a target serves runs as a script of the gateway's origin.
///
/// Where the answer is `masked`, what describes the bytes before the mask is left out too: validators, lengths, ranges,
/// digests and signatures.
#[must_use]
pub fn to_caller(answer: &HeaderMap, mount: &Mount<'_>, masked: bool) -> Vec<Shown> {
    let named: Vec<_> = named_by_connection(answer).collect();
    let mut shown = Vec::with_capacity(answer.len() + 3);
    for (name, value) in answer {
        let plain = dashed(name);
        let is_length = name == header::CONTENT_LENGTH;
        let dropped = (is_of_connection(&plain) && !is_length)
            || named.contains(&plain)
            || is_kept_from_callers(&plain)
            || (masked && describes_the_bytes(&plain));
        if !dropped {
            shown.extend(show(name, value, answer, mount));
        }
    }
    let ours = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
    ];
    shown.extend(ours.map(|(name, value)| Shown::Structure(name, HeaderValue::from_static(value))));
    shown
}

/// What else the header may be read as, and must be searched for too: its name, and its value without percent-encoding.
#[must_use]
pub fn other_readings(name: &HeaderName, value: &HeaderValue) -> Vec<String> {
    let mut readings = vec![name.as_str().to_owned()];
    let text = String::from_utf8_lossy(value.as_bytes());
    if text.contains(['%', '+']) {
        readings.push(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned());
    }
    readings
}

/// Whether an answer must be withheld for its head alone. `sent` are the headers with which it was asked for.
#[must_use]
pub fn withheld(status: StatusCode, answer: &HeaderMap, sent: &HeaderMap) -> Option<Withheld> {
    let is_unasked = match status {
        StatusCode::PARTIAL_CONTENT => !sent.contains_key(header::RANGE),
        StatusCode::NOT_MODIFIED => {
            !sent.contains_key(header::IF_NONE_MATCH) && !sent.contains_key(header::IF_MODIFIED_SINCE)
        }
        StatusCode::IM_USED => true,
        _ => false,
    };
    let is_encoded = |name, plain: &str| {
        let values = answer.get_all(name).iter();
        values
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(plain.as_bytes()))
    };
    if status.is_informational() {
        Some(Withheld::Switched)
    } else if is_unasked {
        Some(Withheld::Unasked)
    } else if is_encoded(header::CONTENT_ENCODING, "identity")
        || is_encoded(header::TRANSFER_ENCODING, "chunked")
    {
        Some(Withheld::Encoded)
    } else if answer.get_all(header::CONTENT_TYPE).iter().count() > 1 {
        Some(Withheld::TwoTypes)
    } else {
        None
    }
}

/// How a body with these headers is read.
#[must_use]
pub fn content_of(headers: &HeaderMap) -> Content {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Content::Other };
    let Ok(value) = value.to_str() else { return Content::Other };
    let value = value.to_ascii_lowercase();
    let mut parts = value.split(';').map(|part| part.trim_matches([' ', '\t']));
    let kind = match parts.next().unwrap_or_default() {
        "application/json" | "text/json" => Content::Json,
        "text/plain" => Content::Text,
        "text/event-stream" => Content::EventStream,
        other if is_json_suffixed(other) => Content::Json,
        _ => return Content::Other,
    };
    let mut charsets = 0;
    for part in parts.filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else { return Content::Other };
        if name.trim_matches([' ', '\t']) == "charset" {
            charsets += 1;
            if name != "charset" || !matches!(value.trim_matches('"'), "utf-8" | "utf8" | "us-ascii") {
                return Content::Other;
            }
        }
    }
    if charsets > 1 { Content::Other } else { kind }
}

fn is_json_suffixed(kind: &str) -> bool {
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let Some((kind, subtype)) = kind.split_once('/') else { return false };
    token(kind) && subtype.strip_suffix("+json").is_some_and(token)
}

fn show(name: &HeaderName, value: &HeaderValue, answer: &HeaderMap, mount: &Mount<'_>) -> Option<Shown> {
    // What is not UTF-8 cannot be searched.
    let text = std::str::from_utf8(value.as_bytes()).ok()?;
    let rewritten = match *name {
        header::LOCATION | header::CONTENT_LOCATION => {
            // Two of them: readers differ in which one they follow.
            (answer.get_all(name).iter().count() == 1).then(|| mount.rewrite(text))??
        }
        header::LINK => mount.rewrite_links(text)?,
        _ if is_structure(name, text) => return Some(Shown::Structure(name.clone(), value.clone())),
        _ => return Some(Shown::Text(name.clone(), value.clone())),
    };
    Some(Shown::Text(name.clone(), HeaderValue::from_str(&rewritten).ok()?))
}

/// Whether a value's form leaves no room for data.
fn is_structure(name: &HeaderName, value: &str) -> bool {
    let digits =
        |most| !value.is_empty() && value.len() <= most && value.bytes().all(|byte| byte.is_ascii_digit());
    match *name {
        // Twelve digits are fewer than any card has.
        header::CONTENT_LENGTH => digits(12),
        header::RETRY_AFTER => digits(5),
        header::DATE => is_date(value),
        header::ACCEPT_RANGES => matches!(value, "bytes" | "none"),
        header::ALLOW => value.split(',').all(|method| {
            matches!(method.trim(), "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" | "PATCH" | "DELETE")
        }),
        header::CONTENT_TYPE => {
            let plain = value.strip_suffix("; charset=utf-8").unwrap_or(value);
            matches!(
                plain,
                "application/json" | "application/problem+json" | "text/plain" | "text/event-stream"
            )
        }
        _ => false,
    }
}

/// The shape of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn is_date(value: &str) -> bool {
    const SHAPE: &[u8] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    value.len() == SHAPE.len()
        && value.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_lowercase(),
            b'A' => byte.is_ascii_uppercase(),
            other => byte == *other,
        })
}

/// What a target may not tell a caller through the gateway.
fn is_kept_from_callers(name: &str) -> bool {
    const NAMES: [&str; 26] = [
        // Speaks for the gateway's own origin.
        "set-cookie",
        "set-cookie2",
        "clear-site-data",
        "service-worker-allowed",
        "strict-transport-security",
        "public-key-pins",
        "public-key-pins-report-only",
        "content-security-policy-report-only",
        // Leads around the gateway, or reports to elsewhere.
        "alt-svc",
        "refresh",
        "sourcemap",
        "x-sourcemap",
        "nel",
        "report-to",
        "reporting-endpoints",
        "x-sendfile",
        // Asks for a credential, which is the gateway's to give.
        "www-authenticate",
        "authentication-info",
        // Lets a cache answer in the gateway's place.
        "cache-control",
        "cdn-cache-control",
        "surrogate-control",
        "expires",
        "age",
        "pragma",
        "vary",
        // Is always identity here.
        "content-encoding",
    ];
    NAMES.contains(&name) || name == "x-content-type-options" || name.starts_with("x-accel-")
}

/// What describes the bytes as they were before a mask.
fn describes_the_bytes(name: &str) -> bool {
    const NAMES: [&str; 4] = ["content-length", "content-range", "accept-ranges", "last-modified"];
    const PARTS: [&str; 8] = ["etag", "digest", "checksum", "signature", "hash", "md5", "sha1", "sha256"];
    NAMES.contains(&name) || PARTS.iter().any(|part| name.contains(part))
}
