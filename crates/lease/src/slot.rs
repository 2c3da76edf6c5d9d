//! Where a credential goes in a request, and how it looks there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Secret;
use zeroize::Zeroizing;

use crate::{Injection, LeaseError, RawCredential};

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A header, with what stands before the credential in it.
    Header { name: String, prefix: String },
    /// A query parameter.
    Query { name: String },
    /// HTTP basic authentication (RFC 7617), the credential being the password.
    Basic { user: String },
}

/// Headers that say where a message ends or whom a connection is for: no credential goes there.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Slot {
    pub(crate) fn parse(raw: &RawCredential) -> Result<Self, LeaseError> {
        let slot = match (&raw.header, &raw.query, &raw.basic_user) {
            (Some(name), None, None) => return Self::header(name, raw.prefix.as_deref().unwrap_or_default()),
            (None, Some(name), None) => Self::Query { name: query_name(name)? },
            (None, None, Some(user)) => Self::Basic { user: basic_user(user)? },
            _ => return Err(LeaseError::OneSlot),
        };
        if raw.prefix.is_some() {
            return Err(LeaseError::BadValue { key: "prefix", rule: "stands only beside `header`" });
        }
        Ok(slot)
    }

    pub(crate) fn header(name: &str, prefix: &str) -> Result<Self, LeaseError> {
        let name = name.to_ascii_lowercase();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty()
            || name.len() > 128
            || !name.bytes().all(is_token)
            || FRAMING.contains(&name.as_str())
        {
            let rule = "must be the name of a header, and of none that frames a message";
            return Err(LeaseError::BadValue { key: "header", rule });
        }
        let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if prefix.len() > 64 || prefix.starts_with(' ') || !prefix.bytes().all(is_visible) {
            let rule = "must be at most 64 visible characters and spaces, and not begin with a space";
            return Err(LeaseError::BadValue { key: "prefix", rule });
        }
        Ok(Self::Header { name, prefix: prefix.to_owned() })
    }

    pub(crate) fn header_name(&self) -> Option<&str> {
        match self {
            Self::Header { name, .. } => Some(name),
            Self::Query { .. } => None,
            Self::Basic { .. } => Some("authorization"),
        }
    }

    pub(crate) fn query_name(&self) -> Option<&str> {
        match self {
            Self::Query { name } => Some(name),
            Self::Header { .. } | Self::Basic { .. } => None,
        }
    }

    /// The credential in its place.
    pub(crate) fn inject(&self, credential: &Secret) -> Injection {
        match self {
            Self::Header { name, prefix } => Injection::Header {
                name: name.clone(),
                value: joined(prefix.as_bytes(), credential.expose()),
            },
            Self::Query { name } => Injection::Query { name: name.clone(), value: credential.clone() },
            Self::Basic { user } => {
                let value = joined(b"Basic ", basic_pair(user, credential).expose());
                Injection::Header { name: "authorization".to_owned(), value }
            }
        }
    }

    /// The forms in which the credential can be echoed from this place.
    pub(crate) fn needles(&self, credential: &Secret) -> Vec<Secret> {
        let mut needles = vec![credential.clone()];
        match self {
            // A secret may be kept with its scheme, and a target that parses it echoes what follows.
            Self::Header { .. } => needles.extend(without_scheme(credential)),
            Self::Query { .. } => {}
            Self::Basic { user } => needles.push(basic_pair(user, credential)),
        }
        needles
    }
}

fn query_name(name: &str) -> Result<String, LeaseError> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty() || name.len() > 128 || !name.bytes().all(is_unreserved) {
        let rule = "must be 1 to 128 letters, digits, `-`, `.`, `_` and `~`";
        return Err(LeaseError::BadValue { key: "query", rule });
    }
    Ok(name.to_owned())
}

fn basic_user(user: &str) -> Result<String, LeaseError> {
    if user.len() > 256 || user.contains(':') || user.chars().any(char::is_control) {
        let rule = "must be at most 256 bytes without `:` and control characters";
        return Err(LeaseError::BadValue { key: "basic_user", rule });
    }
    Ok(user.to_owned())
}

fn without_scheme(credential: &Secret) -> Option<Secret> {
    let text = credential.expose();
    let space = text.iter().position(|byte| *byte == b' ')?;
    let rest = text.get(space + 1..)?.trim_ascii_start();
    (rest.len() >= crate::secrets::MIN_SECRET).then(|| Secret::new(rest.to_vec()))
}

fn basic_pair(user: &str, password: &Secret) -> Secret {
    let pair = joined(format!("{user}:").as_bytes(), password.expose());
    let mut encoded = Zeroizing::new(vec![0; pair.expose().len().div_ceil(3) * 4]);
    // The buffer has exactly the encoded length, so that no part of the secret is left in a reallocated one.
    let written = STANDARD.encode_slice(pair.expose(), &mut encoded).unwrap_or_default();
    Secret::new(encoded.get(..written).unwrap_or_default().to_vec())
}

fn joined(before: &[u8], secret: &[u8]) -> Secret {
    let mut bytes = Vec::with_capacity(before.len() + secret.len());
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(secret);
    Secret::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn texts(secrets: &[Secret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.expose_str().unwrap()).collect()
    }

    #[test]
    fn a_header_carries_prefix_and_secret_and_each_form_is_searched_for() {
        let slot = Slot::header("X-Api-Key", "Bearer ").unwrap();
        let Injection::Header { name, value } = slot.inject(&secret("k-123456")) else { panic!("no header") };
        assert_eq!((name.as_str(), value.expose_str()), ("x-api-key", Some("Bearer k-123456")));
        assert_eq!(texts(&slot.needles(&secret("k-123456"))), ["k-123456"]);
        assert_eq!(texts(&slot.needles(&secret("Token k-123456"))), ["Token k-123456", "k-123456"]);
    }

    #[test]
    fn basic_authentication_is_that_of_rfc_7617() {
        let slot = Slot::Basic { user: "Aladdin".to_owned() };
        let Injection::Header { name, value } = slot.inject(&secret("open sesame")) else {
            panic!("no header")
        };
        assert_eq!(
            (name.as_str(), value.expose_str()),
            ("authorization", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
        );
        assert_eq!(
            texts(&slot.needles(&secret("open sesame"))),
            ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]
        );
    }

    #[test]
    fn a_query_parameter_carries_the_secret_before_encoding() {
        let slot = Slot::Query { name: "key".to_owned() };
        let Injection::Query { name, value } = slot.inject(&secret("a b&c=12")) else { panic!("no query") };
        assert_eq!((name.as_str(), value.expose_str()), ("key", Some("a b&c=12")));
    }
}
