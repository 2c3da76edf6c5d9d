//! The discovery document (OpenID Connect Discovery 1.0, section 4): the one thing read of it is where the key set is.

use model::{JsonLimits, parse_strict_json};
use serde_json::Value;
use url::Url;

use crate::IssuerSettings;
use crate::settings::is_loopback;

/// What a discovery document may be.
pub(crate) const LIMITS: JsonLimits = JsonLimits { bytes: 64 << 10, depth: 16 };

/// Where the issuer's key set is. The document must name the configured issuer, byte for byte (section 4.3), and a key set
/// without TLS is believed only of an issuer that is itself on loopback.
pub(crate) fn key_set_url(document: &[u8], settings: &IssuerSettings) -> Result<Url, String> {
    let document = parse_strict_json(document, LIMITS).map_err(|error| error.to_string())?;
    if document.get("issuer").and_then(Value::as_str) != Some(settings.issuer.as_str()) {
        return Err(format!("its `issuer` is not `{}`, as it must be byte for byte", settings.issuer));
    }
    let text = document.get("jwks_uri").and_then(Value::as_str).ok_or("it has no `jwks_uri`")?;
    let url = Url::parse(text).map_err(|error| format!("its `jwks_uri` is no URL: {error}"))?;
    let plain = settings.is_plain() && url.scheme() == "http" && is_loopback(&url);
    if (url.scheme() == "https" || plain) && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err("its `jwks_uri` must be `https` and name no user".to_owned())
    }
}
