//! An origin that a test scripts byte by byte: it keeps what reached it, and answers with whatever a hostile or careless
//! target could write. It runs on threads of its own, so that a test that waits does not stop it.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long a test waits for something that will happen.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A request as it reached the origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Which connection it came over, counted from 0.
    pub(crate) connection: usize,
}

impl Seen {
    /// The values of a header, by its name in any case.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let same = |header: &&(String, String)| header.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What both plain and TLS connections are.
trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// One request, and the connection to answer it on.
pub(crate) struct Talk<'a> {
    pub(crate) request: Seen,
    stream: &'a mut BufReader<Box<dyn Duplex>>,
    log: &'a Log,
    entry: usize,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
}

type Handler = dyn Fn(Talk<'_>) -> io::Result<After> + Send + Sync;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    more: Condvar,
}

/// A running origin. Its threads end with the test's process.
#[derive(Clone)]
pub(crate) struct Origin {
    address: SocketAddr,
    log: Arc<Log>,
}

impl Origin {
    /// An origin whose every request `handler` answers by hand.
    pub(crate) fn with(handler: impl Fn(Talk<'_>) -> io::Result<After> + Send + Sync + 'static) -> Self {
        Self::over(|tcp| Ok(Box::new(tcp)), handler)
    }

    /// An origin that reads each request whole and answers with these bytes.
    pub(crate) fn answering(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::with(move |mut talk| {
            talk.read_body()?;
            let bytes = answer(&talk.request);
            talk.send(&bytes)?;
            Ok(After::Keep)
        })
    }

    /// The same behind TLS.
    pub(crate) fn tls(
        config: rustls::ServerConfig,
        answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config);
        let accept = move |tcp: TcpStream| -> io::Result<Box<dyn Duplex>> {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let mut stream = rustls::StreamOwned::new(session, tcp);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock)?;
            }
            Ok(Box::new(stream))
        };
        Self::over(accept, move |mut talk| {
            talk.read_body()?;
            let bytes = answer(&talk.request);
            talk.send(&bytes)?;
            Ok(After::Keep)
        })
    }

    fn over(
        accept: impl Fn(TcpStream) -> io::Result<Box<dyn Duplex>> + Send + Sync + 'static,
        handler: impl Fn(Talk<'_>) -> io::Result<After> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let (handler, accept): (Arc<Handler>, _) = (Arc::new(handler), Arc::new(accept));
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for (connection, tcp) in listener.incoming().enumerate() {
                let (log, handler, accept) = (Arc::clone(&shared), Arc::clone(&handler), Arc::clone(&accept));
                // A connection that breaks is a test's business only where it looks at what was seen.
                std::thread::spawn(move || {
                    let stream = tcp.and_then(|tcp| accept(tcp));
                    stream.and_then(|stream| serve(BufReader::new(stream), connection, &log, &*handler))
                });
            }
        });
        Self { address, log }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request whose head has arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    /// The only request that has arrived.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request was to reach the target: {seen:#?}");
        seen[0].clone()
    }

    /// Waits until a request satisfies `wanted`.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let seen = self.log.seen.lock().unwrap();
        let missing = |seen: &mut Vec<Seen>| !seen.iter().any(&wanted);
        let (seen, waited) = self.log.more.wait_timeout_while(seen, SOON, missing).unwrap();
        assert!(!waited.timed_out(), "no such request reached the target, but {seen:#?}");
        seen.iter().find(|seen| wanted(seen)).unwrap().clone()
    }
}

fn serve(
    mut stream: BufReader<Box<dyn Duplex>>,
    connection: usize,
    log: &Log,
    handler: &Handler,
) -> io::Result<()> {
    while let Some(request) = read_head(&mut stream, connection)? {
        let entry = {
            let mut seen = log.seen.lock().unwrap();
            seen.push(request.clone());
            log.more.notify_all();
            seen.len() - 1
        };
        if handler(Talk { request, stream: &mut stream, log, entry })? == After::Close {
            break;
        }
    }
    Ok(())
}

fn read_head(stream: &mut impl io::BufRead, connection: usize) -> io::Result<Option<Seen>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    Ok(Some(Seen {
        method: request.next().unwrap_or_default(),
        target: request.next().unwrap_or_default(),
        headers: lines.filter_map(header).collect(),
        body: Vec::new(),
        connection,
    }))
}

impl Talk<'_> {
    /// Reads the body to its end, and keeps it in what was seen.
    pub(crate) fn read_body(&mut self) -> io::Result<()> {
        while self.read_some()? {}
        Ok(())
    }

    /// Reads the next piece of the body; `false` at its end.
    pub(crate) fn read_some(&mut self) -> io::Result<bool> {
        let piece = match self.request.header("content-length") {
            Some(length) => {
                let left = length.parse::<usize>().unwrap_or(0) - self.request.body.len();
                let ready = if left == 0 { 0 } else { self.stream.fill_buf()?.len() };
                self.take(ready.min(left))?
            }
            None if self.request.header("transfer-encoding").is_some() => self.read_chunk()?,
            None => Vec::new(),
        };
        self.request.body.extend_from_slice(&piece);
        let mut seen = self.log.seen.lock().unwrap();
        seen[self.entry].body.clone_from(&self.request.body);
        self.log.more.notify_all();
        Ok(!piece.is_empty())
    }

    fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut size = String::new();
        self.stream.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let piece = self.take(size)?;
        self.take(2)?;
        Ok(piece)
    }

    fn take(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; bytes];
        self.stream.read_exact(&mut piece)?;
        Ok(piece)
    }

    /// Writes bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())?;
        self.stream.get_mut().flush()
    }

    /// Writes a body in chunks of one byte each, with its end.
    pub(crate) fn send_byte_by_byte(&mut self, body: &[u8]) -> io::Result<()> {
        for byte in body {
            self.send([b"1\r\n", &[*byte][..], b"\r\n"].concat())?;
        }
        self.send("0\r\n\r\n")
    }
}

/// An answer with a length.
pub(crate) fn answer(status: u16, media: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    answer_with(status, &[("content-type", media)], body)
}

/// An answer with a length and these headers.
pub(crate) fn answer_with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// JSON with status 200.
pub(crate) fn json(body: &serde_json::Value) -> Vec<u8> {
    answer(200, "application/json", body.to_string())
}

/// The head of an answer whose body comes in chunks.
pub(crate) fn chunked(media: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n")
}

/// One chunk.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
