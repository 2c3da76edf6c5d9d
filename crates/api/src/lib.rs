//! `/v1`: Countersign's own interface, which is a target too.
//!
//! Every route is a line in [`routes`] that names its Cedar action; there is no other way to add one, and the OpenAPI
//! document is generated from the same lines. A request is identified, admitted and begun like any call; then its handler
//! runs, and its answer goes out through the entry that was begun. A named operation (`POST …/calls`) is the target's own
//! call: one decision, one entry.
//!
//! It promises: no route without a policy's permit, problem details for every refusal, bounded lists. It refuses unknown
//! members in bodies, doubled members, unknown query parameters and methods.

mod approvals;
mod calls;
mod interface;
mod invoke;
mod openapi;
mod reply;
mod routes;
mod setup;
mod targets;

pub use interface::{interface, own_actions};
pub use openapi::document;
