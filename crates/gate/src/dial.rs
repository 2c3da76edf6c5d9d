//! Dialling targets: TCP, and TLS with the name verified. The only place that opens a connection to a target.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use model::{Address, Scheme, TlsIdentity, sha256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::stream::{TargetStream, Transport};

/// How long a connection and its handshake may take, together.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why a target cannot be dialled.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The connection failed.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: Address,
        /// What the operating system said.
        source: io::Error,
    },
    /// The handshake failed: an untrusted certificate, another name, a protocol error.
    #[error("the TLS handshake with {address} failed: {source}")]
    Handshake {
        /// Where to.
        address: Address,
        /// What failed.
        source: io::Error,
    },
    /// Too slow.
    #[error("no connection to {0} within 10 seconds")]
    TimedOut(Address),
}

/// Why a target's trust anchors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read or holds no certificate.
    #[error("`{file}` holds no usable PEM certificates: {detail}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The name cannot be verified.
    #[error("`{0}` is no name that a certificate can prove")]
    Name(String),
    /// The machine has no roots.
    #[error("this machine has no trusted root certificates: install them, or name a `ca_file`")]
    NoRoots,
}

/// A target's address and what it must prove.
#[derive(Clone)]
pub struct Dialer {
    address: Address,
    identity: TlsIdentity,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialer {
    /// A dialler for `address`. With TLS, `anchors` is the PEM text of the trust anchors, and its file for errors; `None`
    /// means the machine's own roots.
    ///
    /// # Errors
    /// [`TrustError`] when the anchors or the name cannot be used.
    pub fn new(address: Address, anchors: Option<(&str, &[u8])>) -> Result<Self, TrustError> {
        if address.scheme == Scheme::Plain {
            return Ok(Self { address, identity: TlsIdentity::None, tls: None });
        }
        let name =
            ServerName::try_from(address.host.clone()).map_err(|_| TrustError::Name(address.host.clone()))?;
        let (roots, fingerprint) = match anchors {
            Some((file, pem)) => (roots_of(file, pem)?, hex(&sha256(pem))),
            None => (system_roots()?, "system".to_owned()),
        };
        let config = rustls::ClientConfig::builder_with_provider(crate::tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TrustError::Name(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let identity = TlsIdentity::Verified { name: address.host.clone(), anchors: fingerprint };
        Ok(Self { address, identity, tls: Some((TlsConnector::from(Arc::new(config)), name)) })
    }

    /// Where it dials.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What the target must prove; part of every digest.
    #[must_use]
    pub fn identity(&self) -> &TlsIdentity {
        &self.identity
    }

    /// Opens one connection. Dropping the future closes it.
    pub(crate) async fn dial(&self) -> Result<TargetStream, DialError> {
        let dialled = timeout(DEADLINE, self.connect()).await;
        dialled.map_err(|_| DialError::TimedOut(self.address.clone()))?
    }

    async fn connect(&self) -> Result<TargetStream, DialError> {
        let failed = |source| DialError::Connect { address: self.address.clone(), source };
        let tcp =
            TcpStream::connect((self.address.host.as_str(), self.address.port)).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        let Some((connector, name)) = &self.tls else { return Ok(TargetStream(Transport::Plain(tcp))) };
        let failed = |source| DialError::Handshake { address: self.address.clone(), source };
        let tls = connector.connect(name.clone(), tcp).await.map_err(failed)?;
        Ok(TargetStream(Transport::Client(Box::new(tls))))
    }
}

fn roots_of(file: &str, pem: &[u8]) -> Result<rustls::RootCertStore, TrustError> {
    let wrong = |detail: String| TrustError::File { file: file.to_owned(), detail };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(format!("{error:?}")))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(roots) }
}

fn system_roots() -> Result<rustls::RootCertStore, TrustError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::NoRoots) } else { Ok(roots) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
