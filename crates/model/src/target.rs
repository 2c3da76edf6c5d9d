//! Where a target is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a target is spoken to underneath its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain TCP.
    Plain,
    /// TLS over TCP, the name verified.
    Tls,
}

/// Text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address: expected a host name or an IP address without user, path or query")]
pub struct BadAddress(pub String);

/// A host, a port and whether TLS is spoken. Hosts are lower case; an IPv6 address stands without brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Plain or TLS.
    pub scheme: Scheme,
    /// The name or IP address that is dialled, and verified where TLS is spoken.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Makes an address of a host that was parsed from a URL.
    ///
    /// # Errors
    /// [`BadAddress`] when the host is empty or holds anything but the characters of host names and IP addresses.
    pub fn new(scheme: Scheme, host: &str, port: u16) -> Result<Self, BadAddress> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'_');
        if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
            return Err(BadAddress(host));
        }
        Ok(Self { scheme, host, port })
    }

    /// Whether the host is this machine by its very form.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What a target proves about itself: the name that is verified and the anchors it must lead to. Not the certificate,
/// which may be renewed under a signature that still stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TlsIdentity {
    /// Nothing: plain TCP.
    None,
    /// A verified name.
    Verified {
        /// The name in the certificate.
        name: String,
        /// SHA-256, in hex, of the trust anchors' file; `system` for the machine's own.
        anchors: String,
    },
}
