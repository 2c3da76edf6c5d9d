//! An HTTP/1.1 client that sends exactly what it is told and reads exactly what comes: one connection a request, no
//! redirects, no normalisation, nothing tried twice.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::wait::DEADLINE;

/// A request that is being put together.
#[derive(Debug, Clone)]
#[must_use = "it goes out with `send`"]
pub struct Outgoing {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers as they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: Vec<u8>,
    /// Whether the body came to the end that its head promised.
    pub whole: bool,
}

impl Outgoing {
    /// A request for `path`, to be sent to `address`.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let headers = vec![("host".to_owned(), address.to_string())];
        Self { address, method: method.to_owned(), path: path.to_owned(), headers, body: None }
    }

    /// Adds a header; `host` is replaced.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("host") {
            self.headers.retain(|(name, _)| name != "host");
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Says how many seconds to wait for a signature.
    pub fn wait(self, seconds: u32) -> Self {
        self.header("prefer", &format!("wait={seconds}"))
    }

    /// Gives it a body of this type.
    pub fn body(mut self, media: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self.header("content-type", media)
    }

    /// Gives it a JSON body.
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Sends it and reads the answer.
    ///
    /// # Panics
    /// When no answer with a head comes within the deadline.
    #[expect(clippy::panic, reason = "for tests: a request that must be answered and is not fails the test")]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        self.try_send().unwrap_or_else(|error| panic!("`{asked}` was not answered: {error}"))
    }

    /// Sends it and reads the answer, for tests in which the gateway may die.
    ///
    /// # Errors
    /// When the connection fails, or ends before the head of an answer is whole.
    pub fn try_send(self) -> io::Result<Answer> {
        let mut stream = connect(self.address)?;
        stream.write_all(&self.bytes())?;
        let mut received = Vec::new();
        loop {
            if let Some((answer, true)) = parse(&received, self.method == "HEAD", false)? {
                return Ok(answer);
            }
            let mut chunk = [0; 16 << 10];
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => received.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if parse(&received, false, true)?.is_none() => return Err(error),
                Err(_) => break,
            }
        }
        let ended = || io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before an answer");
        parse(&received, self.method == "HEAD", true)?.map(|(answer, _)| answer).ok_or_else(ended)
    }

    /// The request as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Answer {
    /// The values of a header, joined as HTTP joins them; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A text member of the JSON body, found by JSON pointer; empty when it is not there.
    #[must_use]
    pub fn at(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// Sends bytes as they are, and reads until the peer closes or says nothing for `silence`.
///
/// # Panics
/// When nobody listens at `address`.
#[expect(clippy::expect_used, reason = "for tests: the peer was started by the test")]
#[must_use]
pub fn exchange_raw(address: SocketAddr, bytes: &[u8], silence: Duration) -> Vec<u8> {
    let mut stream = connect(address).expect("the peer listens");
    stream.set_read_timeout(Some(silence)).expect("a socket takes a timeout");
    // A peer that refuses early may close before all is written; what it said is still there to be read.
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    let mut chunk = [0; 16 << 10];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    let _ = stream.shutdown(Shutdown::Both);
    received
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE * 2))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The answer in these bytes, as far as it is there; `true` with it when it is whole.
fn parse(received: &[u8], bodiless: bool, closed: bool) -> io::Result<Option<(Answer, bool)>> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(received).map_err(|error| wrong(error.to_string()))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let rest = received.get(length..).unwrap_or_default();
    let status = head.code.unwrap_or_default();
    if (100..200).contains(&status) {
        return parse(rest, bodiless, closed);
    }
    let headers = head.headers.iter();
    let headers = headers
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
    let mut answer = Answer { status, headers: headers.collect(), body: Vec::new(), whole: true };
    if bodiless || matches!(status, 204 | 304) {
        return Ok(Some((answer, true)));
    }
    answer.whole = if answer.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        dechunk(rest, &mut answer.body).map_err(wrong)?
    } else if let Ok(length) = answer.header("content-length").parse::<usize>() {
        answer.body = rest.get(..length).unwrap_or(rest).to_vec();
        answer.body.len() == length
    } else {
        answer.body = rest.to_vec();
        closed
    };
    let whole = answer.whole;
    Ok(Some((answer, whole)))
}

/// Takes the chunks apart; `true` when the last one was there.
fn dechunk(mut rest: &[u8], body: &mut Vec<u8>) -> Result<bool, String> {
    loop {
        let (at, length) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((at, length))) => {
                (at, usize::try_from(length).unwrap_or(usize::MAX))
            }
            Ok(httparse::Status::Partial) => return Ok(false),
            Err(_) => return Err("a chunk has no size".to_owned()),
        };
        let chunk = rest.get(at..).unwrap_or_default();
        if length == 0 {
            return Ok(chunk.starts_with(b"\r\n"));
        }
        let data = chunk.get(..length).unwrap_or(chunk);
        body.extend_from_slice(data);
        match chunk.get(data.len()..).and_then(|after| after.strip_prefix(b"\r\n")) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_only_at_the_end_that_its_head_promised() {
        let whole =
            |bytes: &[u8]| parse(bytes, false, true).unwrap().map(|(answer, whole)| (answer.text(), whole));
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), Some(("ok".to_owned(), true)));
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok"), Some(("ok".to_owned(), false)));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n";
        assert_eq!(whole(chunked), Some(("ok".to_owned(), true)));
        assert_eq!(whole(&chunked[..chunked.len() - 5]), Some(("ok".to_owned(), false)));
        assert_eq!(
            whole(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"),
            Some((String::new(), true))
        );
        assert_eq!(whole(b"HTTP/1.1 200"), None);
    }
}
