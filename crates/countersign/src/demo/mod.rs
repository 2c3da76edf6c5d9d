//! What `quickstart` puts around the gateway so that there is something to see: an API with personal data behind it, and
//! an issuer of tokens before it.
//!
//! Both listen on loopback only and refuse any other address. [`api`] is a target that distrusts its callers as any other
//! target would: it knows one long-term key and counts what was done to it in files of its own, so that what the gateway
//! claims can be checked from the other side. [`issuer`] vouches for whomever it is asked to vouch for, which is why it
//! says in its discovery document that it is for development, and why nothing but `quickstart` starts it.

pub(crate) mod api;
pub(crate) mod issuer;

mod answer;
mod customers;
mod effects;
mod requests;
mod server;
