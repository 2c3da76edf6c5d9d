//! Stage 1, who calls: bearer tokens (JWT, RFC 7519) of the configured OpenID Connect issuers.
//!
//! [`Identity::verify`] promises that what it returns was signed by a key which the token's own issuer publishes, for this
//! gateway's audience, and is in force now. It follows RFC 8725 and refuses more than it asks for: a token that two readers
//! could read in two ways (doubled members, base64url with stray bits), every header by which a token could choose its own
//! key (`jwk`, `jku`, `x5u`, `x5c`), `crit` and `b64`, encrypted tokens, symmetric algorithms altogether, and tokens made
//! for another purpose.
//!
//! **What kind of token.** `aud` decides: it must name one of the issuer's configured audiences exactly. An access token
//! (`typ` absent, `JWT` or, RFC 9068, `at+jwt`, in any case, as RFC 7515 section 4.1.9 compares media types) is accepted, and so is a workload's identity token as CI systems
//! issue it for an audience of one's choice. The ID token of a person's sign-in is not: it was made for the client that
//! asked for it, and is known by `nonce`, `at_hash`, `c_hash` or `s_hash`. A token bound to a key (`cnf`, RFC 7800) is refused as long as the
//! gateway does not check the binding: taken as a bearer token it would lose its protection.
//!
//! **Keys** come from the issuer's discovery document and key set, both bounded in size and time, without redirects. They
//! are fetched again every ten minutes, and when a token names an unknown key, but one fetch at a time and at most one in
//! ten seconds; failures back off to a minute. While the issuer is down its keys serve for a day. A token whose key is
//! known never waits for a fetch.
//!
//! A verified token is remembered by its SHA-256 until it expires or its key is gone, so that a caller's second call costs
//! one hash and one look-up.

mod claims;
mod discovery;
mod error;
mod fetch;
mod key_set;
mod keys;
mod remembered;
mod settings;
mod token;
mod verify;

pub use error::{IdentityError, TokenFault};
pub use fetch::{Fetch, FetchError, Fetched, HttpFetch};
pub use settings::{Algorithm, IssuerSettings, OneOrMany, RawIssuer};
pub use token::UnverifiedToken;
pub use verify::{Identity, Proven, Refresh};
