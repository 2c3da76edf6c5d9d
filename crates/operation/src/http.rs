//! The HTTP request behind an operation: a template, checked once, and its binding to arguments.
//!
//! Each value is encoded for its place, and refused where no encoding is safe. **Path**: a value becomes one segment or part
//! of one. Empty values, `.` and `..`, slashes and backslashes, control characters and what is percent-encoded already are
//! refused, because servers that decode before they route would read another path. **Query**: everything but RFC 3986's
//! unreserved characters is percent-encoded; a list repeats its name; what is absent or null is left out. **Headers**:
//! visible ASCII and inner spaces. **Body**: JSON in which a value takes the place of `"{parameter}"` with its type.

use std::collections::BTreeSet;

use model::Verb;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::body::BodyTemplate;
use crate::headers;
use crate::parameters::Parameters;
use crate::schema::{Kind, Member, Object};
use crate::template::{Piece, Template};
use crate::{Arguments, OperationError, RawOperation};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest path and query together, and the longest template of a path.
const MAX_TARGET: usize = 8 << 10;

/// An HTTP request with places for arguments.
#[derive(Debug, Clone)]
pub struct HttpTemplate {
    method: String,
    /// One template a segment.
    path: Vec<Template>,
    /// Names are encoded already.
    query: Vec<(String, Template)>,
    /// Names are in lower case.
    headers: Vec<(String, Template)>,
    content_type: String,
    body: Option<BodyTemplate>,
}

/// A request, bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpParts {
    /// The method.
    pub method: String,
    /// The path, absolute and percent-encoded.
    pub path: String,
    /// The query without its `?`, percent-encoded; `None` where nothing is in it.
    pub query: Option<String>,
    /// Headers with names in lower case, without the body's.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<HttpBody>,
}

/// A bound body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBody {
    /// `application/json`, or what the template says.
    pub content_type: String,
    /// The bytes that are sent.
    pub bytes: Vec<u8>,
}

/// The key of a declaration, and what is wrong with it.
type Wrong = (String, String);

impl HttpTemplate {
    pub(crate) fn parse(raw: &RawOperation, parameters: &Parameters) -> Result<Self, Wrong> {
        let mut places = Places { object: parameters.object(), used: BTreeSet::new() };
        let method = method(&raw.method).map_err(|reason| ("method".to_owned(), reason))?;
        let path = path(&raw.path, &mut places).map_err(|reason| ("path".to_owned(), reason))?;
        let mut query = Vec::with_capacity(raw.query.len());
        for (name, text) in &raw.query {
            let template =
                query_value(name, text, &mut places).map_err(|reason| (format!("query.{name}"), reason))?;
            query.push((encode(name), template));
        }
        let mut headers = Vec::with_capacity(raw.headers.len());
        let mut content_type = None;
        for (name, text) in &raw.headers {
            let wrong = |reason| (format!("headers.{name}"), reason);
            let lower = name.to_ascii_lowercase();
            if lower == "content-type" {
                content_type = Some(headers::content_type(text).map_err(wrong)?);
                continue;
            }
            headers::name(&lower).map_err(wrong)?;
            if headers.iter().any(|(known, _)| *known == lower) {
                return Err(wrong("it is declared twice".to_owned()));
            }
            headers.push((lower, header_value(text, &mut places).map_err(wrong)?));
        }
        let body = raw.body.as_ref().map(|body| {
            if matches!(method.as_str(), "GET" | "HEAD") {
                return Err(format!("a `{method}` request has no body: use `query`"));
            }
            BodyTemplate::parse(body, &mut |name| places.take(name).map(|_| ()))
        });
        let body = body.transpose().map_err(|reason| ("body".to_owned(), reason))?;
        if content_type.is_some() && body.is_none() {
            return Err((
                "headers.content-type".to_owned(),
                "there is no body that it could be of".to_owned(),
            ));
        }
        places.all_used()?;
        let content_type = content_type.unwrap_or_else(|| "application/json".to_owned());
        Ok(Self { method, path, query, headers, content_type, body })
    }

    /// Puts the arguments into the request.
    ///
    /// # Errors
    /// [`OperationError::Unbindable`] for a value that its place cannot hold, [`OperationError::TooLong`] when the path and
    /// the query are longer than 8 KiB.
    pub fn bind(&self, args: &Arguments) -> Result<HttpParts, OperationError> {
        let mut path = String::new();
        for segment in &self.path {
            path.push('/');
            path.push_str(&bind_segment(segment, args)?);
        }
        let query = self.bind_query(args)?;
        if path.len() + query.as_ref().map_or(0, String::len) > MAX_TARGET {
            return Err(OperationError::TooLong { limit: MAX_TARGET });
        }
        let body = self.body.as_ref().and_then(|body| body.bind(args));
        Ok(HttpParts {
            method: self.method.clone(),
            path,
            query,
            headers: self.bind_headers(args)?,
            body: body.map(|body| HttpBody {
                content_type: self.content_type.clone(),
                bytes: body.to_string().into_bytes(),
            }),
        })
    }

    fn bind_query(&self, args: &Arguments) -> Result<Option<String>, OperationError> {
        let mut pairs = Vec::new();
        for (name, template) in &self.query {
            match template.alone().map(|parameter| args.json.get(parameter)) {
                Some(None | Some(Value::Null)) => {}
                Some(Some(Value::Array(items))) => {
                    pairs.extend(items.iter().map(|item| format!("{name}={}", encode(&text(item)))));
                }
                Some(Some(_)) | None => {
                    pairs.push(format!("{name}={}", encode(&fill(template, args, "query")?)))
                }
            }
        }
        Ok(if pairs.is_empty() { None } else { Some(pairs.join("&")) })
    }

    fn bind_headers(&self, args: &Arguments) -> Result<Vec<(String, String)>, OperationError> {
        let mut bound = Vec::with_capacity(self.headers.len());
        for (name, template) in &self.headers {
            if let Some(None | Some(Value::Null)) = template.alone().map(|parameter| args.json.get(parameter))
            {
                continue;
            }
            let value = fill(template, args, "header")?;
            headers::value(&value).map_err(|reason| OperationError::Unbindable {
                parameter: template.parameters().next().unwrap_or(name).to_owned(),
                place: "header",
                reason,
            })?;
            bound.push((name.clone(), value));
        }
        Ok(bound)
    }

    /// The verb that the method has by itself (RFC 9110, section 9.2.1), if it has one.
    pub(crate) fn default_verb(&self) -> Option<Verb> {
        match self.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => Some(Verb::Read),
            "POST" | "PUT" | "PATCH" => Some(Verb::Write),
            "DELETE" => Some(Verb::Delete),
            _ => None,
        }
    }

    /// Whether sending it twice means what sending it once does (RFC 9110, section 9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
    }
}

/// Which parameters there are, and which have found their place.
struct Places<'a> {
    object: &'a Object,
    used: BTreeSet<String>,
}

impl<'a> Places<'a> {
    fn take(&mut self, name: &str) -> Result<&'a Member, String> {
        let member = self.object.get(name).ok_or_else(|| format!("`{{{name}}}` is no declared parameter"))?;
        self.used.insert(name.to_owned());
        Ok(member)
    }

    /// A parameter that becomes part of a text.
    fn take_text(&mut self, name: &str) -> Result<(), String> {
        let member = self.take(name)?;
        if !matches!(member.kind, Kind::Scalar(_)) {
            return Err(format!("`{{{name}}}` has parts: only a body can hold it"));
        }
        if !member.required || member.nullable {
            return Err(format!("`{{{name}}}` may be absent: here it must be required and not null"));
        }
        Ok(())
    }

    fn all_used(&self) -> Result<(), Wrong> {
        match self.object.members.iter().find(|(name, _)| !self.used.contains(name)) {
            None => Ok(()),
            Some((name, _)) => Err((
                format!("parameters.properties.{name}"),
                "it has no place in the request: policy would decide on what is not sent".to_owned(),
            )),
        }
    }
}

fn method(method: &str) -> Result<String, String> {
    let fits =
        (1..=20).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    match method {
        "CONNECT" | "TRACE" => Err(format!("`{method}` cannot be an operation")),
        _ if fits => Ok(method.to_owned()),
        _ => Err(format!("`{}` is no method: capitals are expected, such as `GET`", method.escape_debug())),
    }
}

fn path(text: &str, places: &mut Places<'_>) -> Result<Vec<Template>, String> {
    if text.len() > MAX_TARGET {
        return Err(format!("it is longer than {MAX_TARGET} bytes"));
    }
    let segments = text.strip_prefix('/').ok_or_else(|| format!("`{text}` must begin with `/`"))?;
    let segments: Vec<&str> = segments.split('/').collect();
    let last = segments.len() - 1;
    let parse = |(index, segment): (usize, &&str)| {
        let template = Template::parse(segment)?;
        template.parameters().try_for_each(|name| places.take_text(name))?;
        for piece in template.pieces() {
            if let Piece::Literal(literal) = piece
                && let Some(bad) = literal.chars().find(|c| !is_literal(*c))
            {
                return Err(format!(
                    "`{}` cannot stand in a path here: use letters, digits and -._~!$&'()*+,=:@ (and `query` for what follows a `?`)",
                    bad.escape_debug()
                ));
            }
        }
        match *segment {
            "" if index < last => Err(format!("`{text}` has an empty segment")),
            "." | ".." => Err(format!("`{text}` has a dot segment")),
            _ => Ok(template),
        }
    };
    segments.iter().enumerate().map(parse).collect()
}

/// RFC 3986's `pchar` without percent-encoding and without `;`, which some servers strip with what follows it.
fn is_literal(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@".contains(c)
}

fn query_value(name: &str, text: &str, places: &mut Places<'_>) -> Result<Template, String> {
    if name.is_empty() || name.len() > 128 {
        return Err("a query parameter's name has 1 to 128 bytes".to_owned());
    }
    let template = Template::parse(text)?;
    match template.alone() {
        Some(name) => match places.take(name)?.kind {
            Kind::Scalar(_) | Kind::Set(_) => Ok(template),
            Kind::Record(_) => Err(format!("`{{{name}}}` is an object: only a body can hold it")),
        },
        None => {
            template.parameters().try_for_each(|name| places.take_text(name))?;
            Ok(template)
        }
    }
}

fn header_value(text: &str, places: &mut Places<'_>) -> Result<Template, String> {
    let template = Template::parse(text)?;
    for piece in template.pieces() {
        if let Piece::Literal(literal) = piece
            && !literal.bytes().all(|b| (b' '..=b'~').contains(&b))
        {
            return Err("a header holds visible ASCII only".to_owned());
        }
    }
    match template.alone() {
        Some(name) => match places.take(name)?.kind {
            Kind::Scalar(_) => Ok(template),
            Kind::Set(_) | Kind::Record(_) => Err(format!("`{{{name}}}` has parts: only a body can hold it")),
        },
        None => {
            template.parameters().try_for_each(|name| places.take_text(name))?;
            Ok(template)
        }
    }
}

/// One segment, encoded: what it decodes to is one segment for every server.
fn bind_segment(template: &Template, args: &Arguments) -> Result<String, OperationError> {
    let mut encoded = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Literal(literal) => encoded.push_str(literal),
            Piece::Parameter(name) => {
                let refused =
                    |reason| OperationError::Unbindable { parameter: name.clone(), place: "path", reason };
                let value = argument(name, args, "path")?;
                path_value(&value).map_err(refused)?;
                encoded.push_str(&encode(&value));
                if encoded == "." || encoded == ".." {
                    return Err(refused("it would make a dot segment"));
                }
            }
        }
    }
    Ok(encoded)
}

fn path_value(value: &str) -> Result<(), &'static str> {
    match value {
        "" => Err("it is empty"),
        "." | ".." => Err("it would make a dot segment"),
        _ if value.contains(['/', '\\']) => {
            Err("it holds a slash, which servers read as the end of a segment")
        }
        _ if value.chars().any(char::is_control) => Err("it holds control characters"),
        _ if !percent_decode_str(value).eq(value.bytes()) => {
            Err("it is percent-encoded already, which servers may decode twice")
        }
        _ => Ok(()),
    }
}

/// A text with its arguments in it, not encoded.
fn fill(template: &Template, args: &Arguments, place: &'static str) -> Result<String, OperationError> {
    let mut filled = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Literal(literal) => filled.push_str(literal),
            Piece::Parameter(name) => filled.push_str(&argument(name, args, place)?),
        }
    }
    Ok(filled)
}

fn argument(name: &str, args: &Arguments, place: &'static str) -> Result<String, OperationError> {
    let absent = || OperationError::Unbindable { parameter: name.to_owned(), place, reason: "it is absent" };
    args.json.get(name).map(text).ok_or_else(absent)
}

/// A scalar as text; numbers without an exponent.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
