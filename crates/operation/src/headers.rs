//! What an operation may say in headers. Those that frame the message, name the host, carry a credential, describe the
//! connection or change what of an answer comes back belong to the gateway.

/// Headers that the gateway alone sets or removes.
const RESERVED: [&str; 28] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "prefer",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method-override",
];

/// Checks a header's name, in lower case.
pub(crate) fn name(lower: &str) -> Result<(), String> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if lower.is_empty() || lower.len() > 128 || !lower.bytes().all(is_token) {
        return Err("a header's name is letters, digits, `-` and `_`".to_owned());
    }
    // Servers that hand headers on as variables read `_` as `-`.
    let read = lower.replace('_', "-");
    if RESERVED.contains(&read.as_str())
        || read.starts_with("x-forwarded-")
        || read.starts_with("x-method-override")
    {
        return Err("this header is the gateway's own".to_owned());
    }
    Ok(())
}

/// Checks the type of a body, which is JSON.
pub(crate) fn content_type(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let is_type = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'-' | b'.');
    let is_json =
        lower == "application/json" || (lower.starts_with("application/") && lower.ends_with("+json"));
    if is_json && lower.bytes().all(is_type) {
        return Ok(lower);
    }
    Err("a body is JSON: `application/json` or `application/…+json` is expected".to_owned())
}

/// Checks a bound value: visible ASCII, with spaces only inside.
pub(crate) fn value(value: &str) -> Result<(), &'static str> {
    if value.len() > 4096 {
        return Err("it is longer than 4096 bytes");
    }
    if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err("it holds other characters than visible ASCII");
    }
    if value.trim_matches(' ') != value {
        return Err("it begins or ends with a space, which servers strip");
    }
    Ok(())
}
