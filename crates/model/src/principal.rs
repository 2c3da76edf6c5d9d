//! Who calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{GroupName, IssuerName};

/// A principal's identity: issuer and subject. The same subject under two issuers is two principals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PrincipalKey {
    /// Who vouches for the subject.
    pub issuer: IssuerName,
    /// The subject as the issuer wrote it, byte for byte.
    pub subject: Arc<str>,
}

impl fmt::Display for PrincipalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.issuer, self.subject)
    }
}

/// Who calls, as proven by a token: never what the caller says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Issuer and subject.
    pub key: PrincipalKey,
    /// Groups, each with the issuer that vouches for it.
    pub groups: BTreeSet<GroupName>,
    /// The claims that the configuration chose, as text.
    pub claims: BTreeMap<String, String>,
    /// Who acts, when the principal is called for by another (RFC 8693 `act`).
    pub actor: Option<Arc<Principal>>,
}

impl Principal {
    /// The principal and everyone acting for it, outermost last.
    pub fn chain(&self) -> impl Iterator<Item = &Principal> {
        std::iter::successors(Some(self), |principal| principal.actor.as_deref())
    }

    /// The chain as text: `dev/alice via dev/agent`.
    #[must_use]
    pub fn chain_text(&self) -> String {
        let keys: Vec<String> = self.chain().map(|principal| principal.key.to_string()).collect();
        keys.join(" via ")
    }
}
