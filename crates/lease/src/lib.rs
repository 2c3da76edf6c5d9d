//! Credentials: stage 7 of the way of a call.
//!
//! A target's configuration says how its credentials are issued ([`CredentialPlan`]); [`Credentials`] acquires one for
//! one call ([`Credential`]): a sealed permanent secret that never leaves the gateway but towards its target, or a token
//! that the gateway signs for this one call and that lives seconds. What the journal may know of it ([`Issued`]) holds no
//! secret; what must be searched for in answers ([`Credential::needles`]) is said by whoever made it.
//!
//! It refuses secrets that would break out of a header, and names of headers that carry a message's framing. Neither of
//! these credentials can be revoked: the ledger of leases comes with the first one that can, and [`Credential`] and
//! [`Issued`] are `#[non_exhaustive]` for it.
//!
//! **A new issuer** is a file in `issuers/`, a variant of the plan there, and an arm wherever the compiler then asks.

mod credential;
mod credentials;
mod error;
mod issuers;
mod plan;
mod secrets;
mod signing_key;
mod slot;

pub use credential::{Credential, Injection, Issued, Issuer, MintFor};
pub use credentials::Credentials;
pub use error::LeaseError;
pub use plan::{CredentialPlan, RawCredential};
pub use secrets::Secrets;
