//! TLS towards callers, and the one crypto backend.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The crypto backend of every TLS connection here.
#[must_use]
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Why a certificate and its key cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("`{file}` cannot be served: {detail}")]
pub struct ServeError {
    file: String,
    detail: String,
}

/// What accepts TLS from callers, from PEM text: a chain, and its private key.
///
/// # Errors
/// [`ServeError`] names the file whose text is wrong, or says that they do not belong together.
pub fn acceptor(chain: (&str, &[u8]), key: (&str, &[u8])) -> Result<TlsAcceptor, ServeError> {
    let wrong = |file: &str, detail: String| ServeError { file: file.to_owned(), detail };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(chain.1)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(chain.0, format!("no PEM certificates: {error:?}")))?;
    let private =
        PrivateKeyDer::from_pem_slice(key.1).map_err(|_| wrong(key.0, "no PEM private key".to_owned()))?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(chain.0, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| wrong(chain.0, format!("it does not fit the key: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
