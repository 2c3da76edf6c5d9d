//! Why a credential cannot be planned, kept or acquired.

use model::SecretName;
use store::StoreError;

/// A failure of this stage. None of them shows a secret or a part of one.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The configuration names an issuer that there is not.
    #[error("`{given}` is no issuer of credentials: use `static`, `jwt` or `none`")]
    UnknownIssuer {
        /// What it names.
        given: String,
    },
    /// The configuration lacks a key that the issuer needs.
    #[error("a credential of issuer `{issuer}` needs `{key}`")]
    MissingKey {
        /// The issuer.
        issuer: &'static str,
        /// What is missing.
        key: &'static str,
    },
    /// The configuration has a key that the issuer does not take.
    #[error("a credential of issuer `{issuer}` takes no `{key}`")]
    UnexpectedKey {
        /// The issuer.
        issuer: &'static str,
        /// What it does not take.
        key: &'static str,
    },
    /// The configuration says in more than one way where the credential goes, or in none.
    #[error("say where the credential goes by one of `header`, `query` and `basic_user`")]
    OneSlot,
    /// A value of the configuration cannot be used.
    #[error("`{key}` of a credential {rule}")]
    BadValue {
        /// Which key.
        key: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A value that cannot be a secret.
    #[error("this value cannot be kept as a secret: it {rule}")]
    BadSecret {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The secret was never set.
    #[error("the secret `{0}` is not set: run `countersign secret set {0}`")]
    NotSet(SecretName),
    /// The secret in the store does not open.
    #[error("the secret `{0}` in the store is not as it was written: set it again")]
    Damaged(SecretName),
    /// The signing key in the store does not open or is no key.
    #[error("the key that signs credentials is not as it was written: restore the data folder from a copy")]
    DamagedKey,
    /// The cryptographic library failed.
    #[error("a credential could not be signed")]
    Unsigned,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
