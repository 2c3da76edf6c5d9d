//! Names of things that people declare. Lower case only and without separators that a path, a policy or a log could
//! read twice, so that two names which look alike to one reader are never the same to another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A name that does not have the form its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: {rule}")]
pub struct BadName {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

impl BadName {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        let text = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self { kind, text, rule }
    }
}

const PLAIN: &str = "it must be 1 to 63 characters of a-z, 0-9, `-` and `_`, and begin with a letter";
const DOTTED: &str = "it must be parts of a-z, 0-9 and `_` joined by single dots, each part beginning with a letter, at most 128 in all";
const GROUP: &str =
    "it must be `issuer/group`, where the group is at most 256 characters without control characters";

fn is_plain(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_dotted(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.len() <= 128 && text.split('.').all(part)
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $check:expr, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Parses the name, or says which rule it breaks.
            ///
            /// # Errors
            /// [`BadName`] when the text does not have the form of this kind of name.
            pub fn parse(text: &str) -> Result<Self, BadName> {
                if $check(text) { Ok(Self(text.into())) } else { Err(BadName::new($kind, text, $rule)) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::parse(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// An issuer of identities, as the configuration names it: `dev`, `github`.
    IssuerName, "issuer name", is_plain, PLAIN
);
name!(
    /// A target, as the configuration names it: `crm`.
    TargetName, "target name", is_plain, PLAIN
);
name!(
    /// A sealed secret: `crm-key`.
    SecretName, "secret name", is_plain, PLAIN
);
name!(
    /// A field class without its target: `email`.
    ClassName, "class name", is_plain, PLAIN
);
name!(
    /// A named operation of a target: `customers.read`.
    OperationName, "operation name", is_dotted, DOTTED
);
name!(
    /// A group of principals, always with the issuer that vouches for it: `dev/approvers`.
    GroupName, "group name", is_group, GROUP
);

fn is_group(text: &str) -> bool {
    text.split_once('/').is_some_and(|(issuer, group)| {
        is_plain(issuer) && !group.is_empty() && group.len() <= 256 && !group.chars().any(char::is_control)
    })
}

impl GroupName {
    /// The group that `issuer` calls `group`.
    ///
    /// # Errors
    /// [`BadName`] when the group is empty, too long or holds control characters.
    pub fn new(issuer: &IssuerName, group: &str) -> Result<Self, BadName> {
        Self::parse(&format!("{issuer}/{group}"))
    }
}

impl OperationName {
    /// The name under which tools list it, which may hold no dots: `customers_read`.
    #[must_use]
    pub fn tool_name(&self) -> String {
        self.as_str().replace('.', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_only_in_case_or_separators_do_not_exist() {
        for bad in ["", "Crm", "crm/x", "crm.x", "../crm", "crm ", "1crm", "crm\0", "ｃrm"] {
            assert!(TargetName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TargetName::parse("crm-2_b").unwrap().as_str(), "crm-2_b");
    }

    #[test]
    fn operations_are_dotted_parts() {
        for bad in ["", ".", "a.", ".a", "a..b", "a.B", "a-b", "a.1"] {
            assert!(OperationName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(OperationName::parse("customers.read").unwrap().tool_name(), "customers_read");
    }

    #[test]
    fn a_group_carries_its_issuer() {
        assert!(GroupName::parse("approvers").is_err());
        assert_eq!(GroupName::parse("dev/team/a").unwrap().as_str(), "dev/team/a");
    }
}
