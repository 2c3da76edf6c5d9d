//! The protocols that this gateway speaks: one line each.

use gate::Protocol;

/// Every protocol.
pub(crate) const PROTOCOLS: &[&dyn Protocol] = &[&protocol_http::Http];

/// The protocol of this name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.name() == name)
}
