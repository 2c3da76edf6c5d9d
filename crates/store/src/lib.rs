//! What Countersign keeps between calls.

pub mod seal;
