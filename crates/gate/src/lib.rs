//! The way of a call: what composes the stages, and the only crate that knows them all.
//!
//! Read [`path`] first: `identify`, `admit`, `begin`, `send`, then `recorded`, `next`, `mask`, `finish`. Each step consumes
//! what the step before earned, and the constructors are private here, so that a path which skips one does not compile.
//!
//! Promises: no path to a target but [`Gate::send`]; no byte to a caller but [`ToCaller`]; every call that arrives has an
//! entry, and every begun entry an end; a call with an effect is on the disk before its first byte leaves; a caller who
//! leaves never leaves half a credential behind.
//!
//! It refuses what any stage refuses, and whatever it cannot record. It knows no protocol: one hands it a [`Wire`] and a
//! [`Protocol`].

mod answer;
mod budget;
mod caller;
mod dial;
mod ended;
mod entry;
mod failpoint;
mod inner;
mod kept;
mod listen;
mod metrics;
mod own;
pub mod path;
mod pool;
mod proposal;
mod protocol;
mod rate;
mod refused;
mod session;
mod signature;
mod snapshot;
mod stream;
mod target;
mod tls;
mod waiting;
mod wire;
mod workers;

pub use answer::{Answer, Open, Raw};
pub use budget::{Allowance, BODY_LIMIT, Whole};
pub use caller::{OpenAnswer, Public, PublicPage, Said, ToCaller};
pub use dial::{DialError, Dialer, TrustError};
pub use ended::Ended;
pub use failpoint::CrashPoint;
pub use inner::{ADMINISTRATOR, HeadDecision, Stages};
pub use listen::{ListenError, Listener};
pub use metrics::Metrics;
pub use own::{Interface, OwnAnswer, OwnReply, OwnRequest, Unread};
pub use path::{Admitted, Cleared, Gate};
pub use proposal::{Body, Proposal};
pub use protocol::{BoxFuture, Prepared, Protocol, ProtocolSettings, SettingError};
pub use session::{Arrival, Session};
pub use snapshot::{Snapshot, SnapshotError};
pub use stream::{CallerStream, TargetStream};
pub use target::{OWN, Target, TargetParts, own_action};
pub use tls::{ServeError, acceptor, provider};
pub use waiting::Waiting;
pub use wire::{Reply, SendFailure, TargetFault, Wire};
pub use workers::Workers;

pub use {approval, journal, lease, mask, model, operation, policy};
