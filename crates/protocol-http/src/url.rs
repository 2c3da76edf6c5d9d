//! The request target, normalised once: this form is what policy sees, what is signed for and what is sent.
//!
//! A [`Normal`] is an origin-form target (RFC 9112, section 3.2.1) that every reader splits and decodes alike. Its spelling
//! is that of RFC 3986, section 6.2.2: percent-encoded unreserved characters are decoded, hexadecimal digits are upper case.
//! An encoded reserved character stays encoded, because to many targets `%3A` or `%2C` is data where `:` or `,` is syntax.
//! Policies read the decoded path and parameters, so no spelling dodges a rule.
//!
//! In a query `+` is read as a space, as forms mean it, and is sent as `%20`, which means a space to everybody; a plus is
//! `%2B`. Characters that are not allowed in a query but that browsers send there (`[ ] { } | ^` and the backtick) are sent
//! encoded. An empty query is dropped; the order of parameters, their repetition and a missing `=` stay.
//!
//! Case and a slash at the end are kept, because to most targets they mean something: where a target ignores them, a policy
//! that forbids one spelling leaves the others, and one that permits what is meant does not.
//!
//! Refused, not repaired: dot segments in any encoding, empty segments, `;` in a path (encoded too) or bare in a query,
//! backslashes and encoded slashes in a path, control characters (in a query's values tab and line breaks are text), what is
//! encoded twice, bytes that are not UTF-8, fragments, parameters without a name, and parameters that override the method.

use std::fmt;

/// The longest target that is read, and the longest normal form that is sent, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// Why a request target has no normal form. It never holds the target, which may hold a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadUrl {
    /// Absolute form, authority form, asterisk form or nothing at all.
    #[error("the target must begin with `/`")]
    Form,
    /// Longer than [`MAX_LENGTH`], as given or once normalised.
    #[error("the target is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A `#`.
    #[error("a request carries no fragment")]
    Fragment,
    /// A byte that must be percent-encoded.
    #[error("the target holds a character that must be percent-encoded")]
    Raw,
    /// A `%` without two hexadecimal digits.
    #[error("a `%` is not followed by two hexadecimal digits")]
    Percent,
    /// Percent-encoded text that is not UTF-8, overlong forms included.
    #[error("percent-encoded text is not UTF-8")]
    Utf8,
    /// A control character.
    #[error("the target holds a control character")]
    Control,
    /// Percent-encoding inside percent-encoding.
    #[error("the target is percent-encoded twice")]
    TwiceEncoded,
    /// `.` or `..` as a segment.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `//` in the path.
    #[error("the path holds an empty segment")]
    EmptySegment,
    /// A backslash, or an encoded slash in the path.
    #[error("the path holds a backslash or an encoded slash")]
    Separator,
    /// A `;`, which begins a path parameter for some readers and separates query parameters for others.
    #[error("the target holds a `;`")]
    Semicolon,
    /// A query parameter without a name.
    #[error("a query parameter has no name")]
    NoName,
    /// `_method` or `_HttpMethod`: some targets would run another method than the one that was decided on.
    #[error("a query parameter overrides the method")]
    MethodOverride,
}

/// A request target in its normal form. `Display` writes what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Normal {
    path: String,
    segments: Vec<String>,
    query: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Normal {
    /// Reads a target in origin form: a path, and after `?` a query.
    ///
    /// # Errors
    /// [`BadUrl`] when two readers could read the target in two ways.
    pub fn parse(origin_form: &str) -> Result<Self, BadUrl> {
        if origin_form.len() > MAX_LENGTH {
            return Err(BadUrl::TooLong);
        }
        if origin_form.contains('#') {
            return Err(BadUrl::Fragment);
        }
        let (path, query) = match origin_form.split_once('?') {
            Some((path, query)) => (path, query),
            None => (origin_form, ""),
        };
        let (path, segments) = parse_path(path)?;
        let (query, parameters) = parse_query(query)?;
        let normal = Self { path, segments, query, parameters };
        if normal.path.len() + normal.query.as_ref().map_or(0, |query| query.len() + 1) > MAX_LENGTH {
            return Err(BadUrl::TooLong);
        }
        Ok(normal)
    }

    /// The path as it is sent, beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path decoded, as policies read it. No segment holds a slash, so it splits in one way only.
    #[must_use]
    pub fn decoded_path(&self) -> String {
        self.segments
            .iter()
            .fold(String::with_capacity(self.path.len()), |path, segment| path + "/" + segment)
    }

    /// The path's segments, decoded. The last is empty when the path ends with a slash; no other is.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The query as it is sent, without its `?`. `None` when there are no parameters.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The query's parameters, decoded, in order and with repetitions. A parameter without `=` has an empty value.
    #[must_use]
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The same target without its first `count` segments: `/t/crm/customers?q=1` below 2 is `/customers?q=1`, and both
    /// `/t/crm` and `/t/crm/` are `/`. `None` when there are fewer segments.
    #[must_use]
    pub fn below(&self, count: usize) -> Option<Self> {
        let mut segments = self.segments.get(count..)?.to_vec();
        let path = match self.path.match_indices('/').nth(count) {
            Some((start, _)) => self.path.get(start..)?.to_owned(),
            None => "/".to_owned(),
        };
        if segments.is_empty() {
            segments.push(String::new());
        }
        Some(Self { path, segments, query: self.query.clone(), parameters: self.parameters.clone() })
    }

    /// The same target without the parameters of this name: where a caller's own credential rides in a query parameter, it
    /// is taken out before anything else reads the target.
    #[must_use]
    pub fn without_parameter(&self, name: &str) -> Self {
        let spelled = self.query.as_deref().unwrap_or_default().split('&');
        let kept: Vec<_> = spelled
            .zip(&self.parameters)
            .filter(|(_, (given, _))| !given.eq_ignore_ascii_case(name))
            .collect();
        let query = kept.iter().map(|(spelled, _)| *spelled).collect::<Vec<_>>().join("&");
        Self {
            path: self.path.clone(),
            segments: self.segments.clone(),
            query: Some(query).filter(|query| !query.is_empty()),
            parameters: kept.into_iter().map(|(_, parameter)| parameter.clone()).collect(),
        }
    }
}

impl fmt::Display for Normal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Whether a byte may stand in a path as it is: `pchar` of RFC 3986, `/`, and the `%` of an escape.
pub(crate) fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte) || matches!(byte, b':' | b'@' | b'/' | b'%')
}

/// Whether a byte may stand in a query as it came: what may stand there, and what browsers send there all the same.
pub(crate) fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || byte == b'?' || is_encoded_in_queries(byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_sub_delim(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

fn is_encoded_in_queries(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'`')
}

fn parse_path(raw: &str) -> Result<(String, Vec<String>), BadUrl> {
    let rest = raw.strip_prefix('/').ok_or(BadUrl::Form)?;
    let mut path = String::with_capacity(raw.len());
    let mut segments = Vec::new();
    let mut parts = rest.split('/').peekable();
    while let Some(part) = parts.next() {
        let segment = decode(part, Place::Segment)?;
        if segment.text.is_empty() && parts.peek().is_some() {
            return Err(BadUrl::EmptySegment);
        }
        if matches!(segment.text.as_str(), "." | "..") {
            return Err(BadUrl::DotSegment);
        }
        path.push('/');
        path.push_str(&segment.spelled);
        segments.push(segment.text);
    }
    Ok((path, segments))
}

type Query = (Option<String>, Vec<(String, String)>);

fn parse_query(raw: &str) -> Result<Query, BadUrl> {
    if raw.is_empty() {
        return Ok((None, Vec::new()));
    }
    let mut query = String::with_capacity(raw.len());
    let mut parameters = Vec::new();
    for part in raw.split('&') {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        };
        let name = decode(name, Place::Name)?;
        if name.text.is_empty() {
            return Err(BadUrl::NoName);
        }
        if ["_method", "_httpmethod"].iter().any(|known| name.text.eq_ignore_ascii_case(known)) {
            return Err(BadUrl::MethodOverride);
        }
        if !parameters.is_empty() {
            query.push('&');
        }
        query.push_str(&name.spelled);
        let mut text = String::new();
        if let Some(value) = value {
            let value = decode(value, Place::Value)?;
            query.push('=');
            query.push_str(&value.spelled);
            text = value.text;
        }
        parameters.push((name.text, text));
    }
    Ok((Some(query), parameters))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Segment,
    Name,
    Value,
}

struct Part {
    /// What it says.
    text: String,
    /// How it is sent.
    spelled: String,
}

fn decode(raw: &str, place: Place) -> Result<Part, BadUrl> {
    let mut text = Vec::with_capacity(raw.len());
    let mut spelled = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = bytes.next().and_then(hex_digit).ok_or(BadUrl::Percent)?;
                let low = bytes.next().and_then(hex_digit).ok_or(BadUrl::Percent)?;
                let byte = high << 4 | low;
                text.push(byte);
                if is_unreserved(byte) {
                    spelled.push(char::from(byte))
                } else {
                    push_encoded(&mut spelled, byte)
                }
            }
            b'\\' => return Err(BadUrl::Separator),
            b';' => return Err(BadUrl::Semicolon),
            0..0x20 | 0x7f => return Err(BadUrl::Control),
            b'+' if place != Place::Segment => {
                text.push(b' ');
                spelled.push_str("%20");
            }
            byte if is_path_byte(byte) || (byte == b'?' && place != Place::Segment) => {
                text.push(byte);
                spelled.push(char::from(byte));
            }
            byte if is_encoded_in_queries(byte) && place != Place::Segment => {
                text.push(byte);
                push_encoded(&mut spelled, byte);
            }
            _ => return Err(BadUrl::Raw),
        }
    }
    let text = String::from_utf8(text).map_err(|_| BadUrl::Utf8)?;
    check(&text, place)?;
    Ok(Part { text, spelled })
}

/// What decoded text may not hold.
fn check(text: &str, place: Place) -> Result<(), BadUrl> {
    let is_text = |c| place == Place::Value && matches!(c, '\t' | '\n' | '\r');
    if text.chars().any(|c| c.is_control() && !is_text(c)) {
        return Err(BadUrl::Control);
    }
    if place == Place::Segment {
        if text.contains(['/', '\\']) {
            return Err(BadUrl::Separator);
        }
        if text.contains(';') {
            return Err(BadUrl::Semicolon);
        }
    }
    let twice = |window: &[u8]| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    if text.as_bytes().windows(3).any(twice) {
        return Err(BadUrl::TwiceEncoded);
    }
    Ok(())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| DIGITS.get(usize::from(*digit))));
}

// Spelled out, because the fuzz targets take this file in by its path.
#[cfg(test)]
#[path = "url/tests.rs"]
mod tests;
