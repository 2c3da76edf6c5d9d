//! A head, line by line as it arrives: the request line (RFC 9112, section 3), the headers (section 5), and what they say of
//! the body (section 6).

use super::names::{self, Rule};
use super::{BadRequest, Limits};
use crate::url::{is_path_byte, is_query_byte};

const MAX_METHOD: usize = 32;
const MAX_LENGTH_DIGITS: usize = 18;
const NOT_SERVED: [&[u8]; 4] = [b"CONNECT", b"TRACE", b"TRACK", b"PRI"];

/// A head that is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Its length, the empty line included.
    pub(super) bytes: usize,
    /// Where its body ends.
    pub(super) framing: Framing,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this many bytes.
    Length(u64),
    /// After the chunk of size zero.
    Chunked,
}

/// How far a head has been looked at. Lines that were checked are not looked at again.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Whether any byte was shown.
    touched: bool,
    /// Bytes that hold no end of the current line.
    seen: usize,
    /// Where the current line begins.
    line: usize,
    version: Option<Version>,
    headers: usize,
    facts: Facts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// What the headers said so far.
#[derive(Debug, Default)]
struct Facts {
    /// Which of [`names::GOVERNED`] stood, a bit each.
    stood: u64,
    length: Option<u64>,
    chunked: bool,
    expect: bool,
    host: bool,
}

impl Scan {
    /// Looks at the lines that `input`, the head's bytes from the first, holds whole.
    pub(super) fn advance(&mut self, input: &[u8], limits: &Limits) -> Result<Option<Head>, BadRequest> {
        self.touched |= !input.is_empty();
        loop {
            let (bound, too_long) = match self.version {
                None if limits.request_line <= limits.head => {
                    (limits.request_line, BadRequest::RequestLineTooLong)
                }
                _ => (limits.head, BadRequest::HeadTooLong),
            };
            let rest = input.get(self.seen..).unwrap_or_default();
            let stop = rest.iter().position(|byte| *byte < b' ' && *byte != b'\t').map(|at| self.seen + at);
            if stop.unwrap_or(input.len()) + 2 > bound {
                return Err(too_long);
            }
            let Some(stop) = stop else {
                self.seen = input.len();
                return Ok(None);
            };
            match input.get(stop..).unwrap_or_default() {
                [b'\r', b'\n', ..] => {}
                [b'\r'] => {
                    self.seen = stop;
                    return Ok(None);
                }
                [b'\r', ..] => return Err(BadRequest::BareCr),
                [b'\n', ..] => return Err(BadRequest::BareLf),
                _ if self.version.is_none() => return Err(BadRequest::RequestLine),
                _ => return Err(BadRequest::Value),
            }
            let line = input.get(self.line..stop).unwrap_or_default();
            self.seen = stop + 2;
            self.line = self.seen;
            match self.version {
                None => self.version = Some(request_line(line)?),
                Some(version) if line.is_empty() => {
                    return Ok(Some(Head { bytes: self.seen, framing: self.facts.framing(version)? }));
                }
                Some(_) => {
                    self.headers += 1;
                    if self.headers > limits.headers {
                        return Err(BadRequest::TooManyHeaders);
                    }
                    self.facts.header(line)?;
                }
            }
        }
    }

    /// Whether no byte of the head was shown.
    pub(super) fn is_untouched(&self) -> bool {
        !self.touched
    }
}

fn request_line(line: &[u8]) -> Result<Version, BadRequest> {
    if line.is_empty() {
        return Err(BadRequest::BlankLine);
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadRequest::RequestLine);
    };
    if method.is_empty() || target.is_empty() || version.is_empty() {
        return Err(BadRequest::RequestLine);
    }
    if method.len() > MAX_METHOD || !method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-') {
        return Err(BadRequest::Method);
    }
    if NOT_SERVED.contains(&method) {
        return Err(BadRequest::MethodNotServed);
    }
    if !target.starts_with(b"/") {
        return Err(BadRequest::TargetForm);
    }
    let (path, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => target.split_at(at),
        None => (target, [].as_slice()),
    };
    if !path.iter().copied().all(is_path_byte) || !query.iter().copied().all(is_query_byte) {
        return Err(BadRequest::TargetByte);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(BadRequest::Version),
    }
}

impl Facts {
    fn header(&mut self, line: &[u8]) -> Result<(), BadRequest> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(BadRequest::Folded);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(BadRequest::Name)?;
        let (name, value) =
            (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
        if name.is_empty()
            || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(BadRequest::Name);
        }
        if !value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            return Err(BadRequest::Value);
        }
        let Some((index, known, rule)) = names::governed(name) else { return Ok(()) };
        if name.contains(&b'_') {
            return Err(BadRequest::LookAlike(known));
        }
        let bit = 1_u64 << index;
        if self.stood & bit != 0 && rule != Rule::List {
            return Err(BadRequest::Doubled(known));
        }
        self.stood |= bit;
        self.apply(rule, known, value.trim_ascii())
    }

    fn apply(&mut self, rule: Rule, known: &'static str, value: &[u8]) -> Result<(), BadRequest> {
        match rule {
            Rule::Once | Rule::List => {}
            Rule::Host if is_host(value) => self.host = true,
            Rule::Host => return Err(BadRequest::Host),
            Rule::Length => self.length = Some(length(value)?),
            Rule::Chunked if value.eq_ignore_ascii_case(b"chunked") => self.chunked = true,
            Rule::Chunked => return Err(BadRequest::TransferEncoding),
            Rule::Connection => connection(value)?,
            Rule::Expect if value.eq_ignore_ascii_case(b"100-continue") => self.expect = true,
            Rule::Expect => return Err(BadRequest::Expect),
            Rule::Upgrade => return Err(BadRequest::Upgrade),
            Rule::Trailer => return Err(BadRequest::Trailer),
            Rule::Override => return Err(BadRequest::Override(known)),
        }
        Ok(())
    }

    fn framing(&self, version: Version) -> Result<Framing, BadRequest> {
        if !self.host {
            return Err(BadRequest::NoHost);
        }
        match (version, self.chunked, self.length) {
            (Version::Http10, true, _) => Err(BadRequest::NotInHttp10("transfer-encoding")),
            (Version::Http10, ..) if self.expect => Err(BadRequest::NotInHttp10("expect")),
            (_, true, Some(_)) => Err(BadRequest::TwoLengths),
            (_, true, None) => Ok(Framing::Chunked),
            (_, false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// A number without sign, space, list or leading zero, which some readers would take for an octal one.
fn length(value: &[u8]) -> Result<u64, BadRequest> {
    let plain = value.len() <= MAX_LENGTH_DIGITS && value.iter().all(u8::is_ascii_digit);
    if !plain || (value.len() > 1 && value.starts_with(b"0")) {
        return Err(BadRequest::ContentLength);
    }
    std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or(BadRequest::ContentLength)
}

fn connection(value: &[u8]) -> Result<(), BadRequest> {
    let (mut close, mut keep) = (false, false);
    for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        match option {
            _ if option.eq_ignore_ascii_case(b"close") => close = true,
            _ if option.eq_ignore_ascii_case(b"keep-alive") => keep = true,
            _ if option.eq_ignore_ascii_case(b"te") => {}
            _ if option.eq_ignore_ascii_case(b"upgrade") => return Err(BadRequest::Upgrade),
            _ => return Err(BadRequest::Connection),
        }
    }
    if close && keep { Err(BadRequest::Connection) } else { Ok(()) }
}

/// A name, an IPv4 address or a bracketed IPv6 address, and a port if there is a colon.
fn is_host(value: &[u8]) -> bool {
    let (host_is_good, port) = match value.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let (host, port) = rest.split_at(end);
            let host = std::str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
            (host, port.get(1..).unwrap_or_default())
        }
        None => {
            let end = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
            let (host, port) = value.split_at(end);
            let label = |label: &[u8]| {
                !label.is_empty()
                    && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            };
            (host.len() <= 253 && host.split(|byte| *byte == b'.').all(label), port)
        }
    };
    host_is_good && (port.is_empty() || is_port(port))
}

fn is_port(port: &[u8]) -> bool {
    let Some(digits) = port.strip_prefix(b":") else { return false };
    digits.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).is_ok_and(|digits| digits.len() <= 5 && digits.parse::<u16>().is_ok())
}
