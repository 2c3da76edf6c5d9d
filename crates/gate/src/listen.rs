//! Accepting callers: a listener with TLS or on loopback, a bound on connections, a deadline on handshakes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream::{CallerStream, Transport};

/// Connections at once; a further one waits to be accepted.
const CONNECTIONS: usize = 20_000;

/// How long a TLS handshake may take. It runs on the worker, never in the accept loop.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why nothing can listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A bearer token off loopback needs TLS.
    #[error(
        "listening on {0} needs `tls.cert` and `tls.key`: a bearer token off loopback travels by TLS only"
    )]
    NeedsTls(SocketAddr),
}

/// A listener for callers.
#[derive(Clone)]
pub struct Listener {
    tcp: Arc<TcpListener>,
    tls: Arc<ArcSwapOption<Acceptor>>,
    room: Arc<Semaphore>,
}

struct Acceptor(TlsAcceptor);

/// A connection that was accepted and has not spoken yet.
pub struct Accepted {
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    _room: OwnedSemaphorePermit,
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// [`ListenError`] when it cannot be bound, or is not loopback and has no TLS.
    pub async fn bind(address: SocketAddr, tls: Option<TlsAcceptor>) -> Result<Self, ListenError> {
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(ListenError::NeedsTls(address));
        }
        let tcp = TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })?;
        Ok(Self {
            tcp: Arc::new(tcp),
            tls: Arc::new(ArcSwapOption::from_pointee(tls.map(Acceptor))),
            room: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves new connections with this certificate from now on. Plain listeners stay plain.
    pub fn renew(&self, tls: TlsAcceptor) {
        if self.tls.load().is_some() {
            self.tls.store(Some(Arc::new(Acceptor(tls))));
        }
    }

    /// The next connection, before any handshake: that belongs on a worker.
    pub async fn accept(&self) -> Accepted {
        loop {
            let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { std::future::pending().await };
            match self.tcp.accept().await {
                Ok((tcp, peer)) => {
                    let tls = self.tls.load().as_ref().map(|acceptor| acceptor.0.clone());
                    return Accepted { tcp, peer, tls, _room: room };
                }
                Err(error) => {
                    // Out of descriptors, or a connection that is gone already: neither may stop the listener.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Accepted {
    /// Moves the connection to the runtime that this is called on, and shakes hands where TLS is spoken. `None` when the
    /// caller did not shake hands properly or in time.
    pub async fn open(self) -> Option<(CallerStream, OwnedSemaphorePermit)> {
        let moved = self.tcp.into_std().and_then(TcpStream::from_std);
        let tcp = moved.ok()?;
        tcp.set_nodelay(true).ok()?;
        let transport = match self.tls {
            None => Transport::Plain(tcp),
            Some(tls) => Transport::Server(Box::new(timeout(HANDSHAKE, tls.accept(tcp)).await.ok()?.ok()?)),
        };
        Some((CallerStream::new(transport, self.peer), self._room))
    }
}
