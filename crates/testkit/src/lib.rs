//! What tests of several crates share: a clock that stands still, an issuer of tokens with and without a socket, the demo
//! API as a process, an HTTP client that sends exactly what it is told, and a gateway in a box. For tests only: no crate
//! depends on it otherwise, and it panics where a test's own mistake shows.
//!
//! A test of the real binary begins with a [`Scene`], which has all of them:
//!
//! ```ignore
//! let scene = Scene::start(env!("CARGO_BIN_EXE_countersign"));
//! let answer = scene.gateway.get("/t/demo/customers/1").bearer(&scene.function()).send();
//! assert_eq!(answer.status, 200);
//! ```
//!
//! Everything listens on loopback, on a free port. Nothing sleeps for a guessed time: what is awaited is a condition with
//! a deadline ([`eventually`]), and a test that misses it fails with the gateway's log.

mod clock;
mod demo_api;
mod gateway_box;
mod http;
mod issuer_server;
mod process;
mod scene;
mod token_issuer;
mod wait;

pub use clock::ManualClock;
pub use demo_api::DemoApi;
pub use gateway_box::{Builder, GatewayBox};
pub use http::{Answer, Outgoing, exchange_raw};
pub use issuer_server::IssuerServer;
pub use process::{Process, Signal};
pub use scene::{POLICIES, Scene};
pub use token_issuer::{KeyKind, TestIssuer};
pub use wait::{DEADLINE, eventually};
