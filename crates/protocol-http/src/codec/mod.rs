//! The guard of the raw bytes: it checks what a caller sends before the HTTP reader sees a byte of it.
//!
//! An HTTP reader is made to be lenient, and two lenient readers disagree about where a message ends: that is request
//! smuggling. The [`Guard`] is strict instead. What it passes has one reading only (RFC 9112 without its tolerances), so that
//! the reader behind it, a proxy before it and the target after it see the same method, target, headers and body. What it
//! does not know it refuses; it repairs nothing and changes no byte.
//!
//! It does no input or output, holds no bytes and allocates nothing: the caller keeps what was not passed yet and shows it
//! again with more. For any cutting of the stream it passes the same bytes and ends in the same refusal.
//!
//! Decisions where the specification leaves a choice:
//! - Lines end with CRLF. A blank line before a request, which RFC 9112, section 2.2 lets a server skip, is refused.
//! - Methods are upper case: `get` is another method than `GET` to some targets and the same to others. `CONNECT`, `TRACE`,
//!   `TRACK` and the preface of HTTP/2 are refused.
//! - Targets are in origin form. The absolute form could name another host than `Host` does, and `OPTIONS *` names nothing
//!   that stands behind the gateway.
//! - Header names are letters, digits and `-`. A `_` is allowed except where the name would be one that the gateway governs
//!   if it were read as `-`, as CGI-like targets read it. Values are ASCII, since beyond that readers differ in the charset.
//! - HTTP/1.0 is read as long as its body has a length: without `Transfer-Encoding` and without `Expect`.
//! - `TE` and `Keep-Alive` pass here and are removed before anything is sent; `Upgrade`, `HTTP2-Settings` and `Trailer` ask
//!   for what the gateway does not do, and are refused.
//! - Chunks have no extensions and are followed by no trailers.

mod body;
mod head;
mod names;

use self::body::{Chunked, Eaten};
use self::head::{Framing, Head, Scan};

/// How large a head may be. Bodies are bounded by whoever reads them in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request line, its CRLF included.
    pub request_line: usize,
    /// Bytes of the whole head, from the method to the empty line.
    pub head: usize,
    /// Header lines.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_line: 8 * 1024, head: 32 * 1024, headers: 100 }
    }
}

/// What the bytes that were shown are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing can be said yet. Show the same bytes again, with more behind them.
    NeedMore,
    /// The first `bytes` of what was shown are checked and may be handed on; do not show them again.
    Pass {
        /// How many; never zero.
        bytes: usize,
        /// Whether the message ends with them. What follows belongs to the next one.
        boundary: bool,
    },
    /// Not one message in one reading. The connection is of no further use: every later call says the same.
    Refuse(BadRequest),
}

/// Why bytes are no request that everybody reads alike. It says which part, and never holds the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// The request line is longer than its limit.
    #[error("the request line is too long")]
    RequestLineTooLong,
    /// The head is longer than its limit.
    #[error("the request's head is too long")]
    HeadTooLong,
    /// More header lines than the limit.
    #[error("the request has too many headers")]
    TooManyHeaders,
    /// A line feed without a carriage return before it.
    #[error("a line ends with a bare line feed")]
    BareLf,
    /// A carriage return without a line feed after it.
    #[error("a carriage return stands alone")]
    BareCr,
    /// An empty line where a request should begin.
    #[error("an empty line stands before the request")]
    BlankLine,
    /// Not a method, a target and a version, with one space between.
    #[error("the request line is not a method, a target and a version with one space between")]
    RequestLine,
    /// A method that is not 1 to 32 upper-case letters and hyphens.
    #[error("the method is not 1 to 32 upper-case letters and hyphens")]
    Method,
    /// `CONNECT`, `TRACE` or a like of them.
    #[error("the method is not served here")]
    MethodNotServed,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    #[error("the version is neither HTTP/1.1 nor HTTP/1.0")]
    Version,
    /// A target in another form than a path with a query.
    #[error("the request's target must be a path that begins with `/`")]
    TargetForm,
    /// A byte in the target that must be percent-encoded.
    #[error("the request's target holds a character that must be percent-encoded")]
    TargetByte,
    /// A header that is continued on the next line.
    #[error("a header is folded over two lines")]
    Folded,
    /// A header line without a name of letters, digits, `-` and `_` right before its colon.
    #[error("a header's name is empty or holds other characters than letters, digits, `-` and `_`")]
    Name,
    /// A name that is another once `_` is read as `-`.
    #[error("a header's name would be `{0}` if `_` were read as `-`")]
    LookAlike(&'static str),
    /// A control character or a byte beyond ASCII in a header's value.
    #[error("a header's value holds a control character or is not ASCII")]
    Value,
    /// A header that may stand once only.
    #[error("the header `{0}` stands twice")]
    Doubled(&'static str),
    /// A header that asks for another method, path or body than what is decided on.
    #[error("the header `{0}` asks for another request than the one that is decided on")]
    Override(&'static str),
    /// No `Host`.
    #[error("the header `host` is missing")]
    NoHost,
    /// A `Host` that is not a name or address with an optional port.
    #[error("the header `host` is not a host with an optional port")]
    Host,
    /// A length that is not a plain decimal number of at most 18 digits.
    #[error("the header `content-length` is not a plain decimal number")]
    ContentLength,
    /// Anything but `chunked`.
    #[error("the header `transfer-encoding` is not `chunked` alone")]
    TransferEncoding,
    /// A body with two lengths.
    #[error("`content-length` and `transfer-encoding` stand together")]
    TwoLengths,
    /// A feature of HTTP/1.1 in a request of HTTP/1.0.
    #[error("HTTP/1.0 has no `{0}`")]
    NotInHttp10(&'static str),
    /// Another protocol is asked for.
    #[error("another protocol is asked for, and none is served here")]
    Upgrade,
    /// `Connection` says other than `close`, `keep-alive` and `te`, or both of the first two.
    #[error("the header `connection` says other than `close`, `keep-alive` or `te`")]
    Connection,
    /// `Expect` says other than `100-continue`.
    #[error("the header `expect` says other than `100-continue`")]
    Expect,
    /// Trailers are announced or sent.
    #[error("trailers are not served here")]
    Trailer,
    /// A chunk whose size is not 1 to 8 hexadecimal digits and CRLF.
    #[error("a chunk's size is not 1 to 8 hexadecimal digits on a line of their own")]
    ChunkSize,
    /// A chunk that does not end where its size says.
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
}

impl BadRequest {
    /// Whether a limit was passed, as opposed to something that cannot be understood.
    #[must_use]
    pub fn is_too_large(self) -> bool {
        matches!(self, Self::RequestLineTooLong | Self::HeadTooLong | Self::TooManyHeaders)
    }
}

/// The state of one connection's bytes.
#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Scan),
    Length(u64),
    Chunked(Chunked),
    Refused(BadRequest),
}

impl Guard {
    /// A guard at the beginning of a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: State::Head(Scan::default()) }
    }

    /// Says what may be handed on of `input`: the bytes that were not passed yet, from the first of them. A head is passed
    /// whole or not at all, and never with bytes of another message.
    pub fn next(&mut self, input: &[u8]) -> Step {
        let step = self.look(input);
        if let Step::Refuse(why) = step {
            self.state = State::Refused(why);
        } else if matches!(step, Step::Pass { boundary: true, .. }) {
            self.state = State::Head(Scan::default());
        }
        step
    }

    /// Whether everything that was passed is whole messages and no byte of another was shown: where a connection may end.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        matches!(&self.state, State::Head(scan) if scan.is_untouched())
    }

    /// Whether the next byte to pass is a head's: a refusal now is about a request that the HTTP reader knows nothing of yet,
    /// whether or not some of its bytes were shown before.
    #[must_use]
    pub fn is_at_head(&self) -> bool {
        matches!(self.state, State::Head(_))
    }

    fn look(&mut self, input: &[u8]) -> Step {
        match &mut self.state {
            State::Refused(why) => Step::Refuse(*why),
            State::Head(scan) => match scan.advance(input, &self.limits) {
                Ok(None) => Step::NeedMore,
                Ok(Some(Head { bytes, framing })) => {
                    let boundary = framing == Framing::Length(0);
                    self.state = match framing {
                        Framing::Length(length) => State::Length(length),
                        Framing::Chunked => State::Chunked(Chunked::default()),
                    };
                    Step::Pass { bytes, boundary }
                }
                Err(why) => Step::Refuse(why),
            },
            State::Length(left) => {
                let bytes = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= bytes as u64;
                if bytes == 0 { Step::NeedMore } else { Step::Pass { bytes, boundary: *left == 0 } }
            }
            State::Chunked(chunked) => match chunked.advance(input) {
                Ok(Eaten { bytes: 0, .. }) => Step::NeedMore,
                Ok(Eaten { bytes, end }) => Step::Pass { bytes, boundary: end },
                Err(why) => Step::Refuse(why),
            },
        }
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
