//! The words of Countersign as types: principals, targets, calls, decisions, refusals, secrets, time.
//!
//! A value of one of these types is valid: text from outside is parsed into it once, at the edge, and never checked again.
//! This crate does no input or output, knows no protocol, no policy language and no store. It refuses names that two
//! readers could read in two ways (upper case, slashes, dots that climb), integers that JSON cannot carry exactly where a
//! signature covers them, and a call without any access.

mod action;
mod call;
mod canonical;
mod decision;
mod digest;
mod ids;
mod name;
mod outcome;
mod principal;
mod refusal;
mod secret;
mod shape;
mod strict_json;
mod target;
mod time;
mod value;

pub use action::{Access, ActionName, Resource, ResourceKind, Verb};
pub use call::{Accesses, Call, NoAccess, Sent};
pub use canonical::{CanonicalError, canonical_json};
pub use decision::{Ask, Decision, Obligations, PolicyId, RateLimit, Reason, RecordLevel};
pub use digest::{BadDigest, Digest, sha256};
pub use ids::{ApprovalId, BadId, CallId, SessionId};
pub use name::{BadName, ClassName, GroupName, IssuerName, OperationName, SecretName, TargetName};
pub use outcome::Outcome;
pub use principal::{Principal, PrincipalKey};
pub use refusal::{ApprovalNotice, Fault, Refusal, RefusalKind};
pub use secret::Secret;
pub use shape::{Field, Shape};
pub use strict_json::{JsonLimits, StrictJsonError, parse_strict_json};
pub use target::{Address, BadAddress, Scheme, TlsIdentity};
pub use time::{BadDuration, Clock, SystemClock, Timestamp, Ttl};
pub use value::{Record, Value};
