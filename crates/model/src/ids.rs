//! Identities that the gateway makes. A call's id is a UUIDv7, so that ids sort by time; an approval's is random, so that
//! it cannot be guessed from another.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is no identity of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID such as 0198c5a0-0000-7000-8000-000000000000")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $type:ident, $make:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Uuid);

        impl $type {
            /// A new identity, never given before.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
            pub fn new() -> Self {
                Self($make)
            }

            /// Parses the hyphenated form and no other.
            ///
            /// # Errors
            /// [`BadId`] when the text is not a hyphenated lower-case UUID.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let id = Uuid::try_parse(text).map_err(|_| BadId)?;
                if id.to_string() == text { Ok(Self(id)) } else { Err(BadId) }
            }

            /// The sixteen bytes of the identity.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }
    };
}

id!(
    /// One call; a UUIDv7.
    CallId, Uuid::now_v7()
);
id!(
    /// One request for a second signature; random.
    ApprovalId, Uuid::new_v4()
);
id!(
    /// What one proven identity does with one target; a UUIDv7.
    SessionId, Uuid::now_v7()
);

impl CallId {
    /// Milliseconds since the Unix epoch at which the id was made.
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_an_id_is_read() {
        let id = CallId::new();
        assert_eq!(CallId::parse(&id.to_string()), Ok(id));
        assert!(CallId::parse(&id.to_string().to_uppercase()).is_err());
        assert!(CallId::parse(&id.to_string().replace('-', "")).is_err());
        assert!(CallId::parse(&format!("{{{id}}}")).is_err());
    }
}
