//! What Countersign keeps between calls: approvals, sealed secrets and keys, roles, the first administrator's code.
//!
//! One SQLite file in the data folder. Writes that wait together share one transaction and one sync, and each is answered
//! after the commit, so that what was answered survives a crash. Several processes may have the store open.
//!
//! It refuses a file that a newer version has written, and never guesses at a row that it cannot read. Rows are moved
//! between states by compare-and-set only; which states follow which is the business of the crate that asks.

mod approvals;
mod codes;
mod database;
mod error;
mod keys;
mod roles;
mod schema;
mod secrets;
mod threads;

pub mod seal;

pub use approvals::{
    ApprovalChange, ApprovalFilter, ApprovalInsert, ApprovalLimits, ApprovalRow, ApprovalState,
};
pub use codes::{Redeemed, generate_code};
pub use database::Store;
pub use error::StoreError;
pub use roles::Role;
pub use secrets::SecretRow;
