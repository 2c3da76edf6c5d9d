//! What policies do to calls, through the crate's interface alone.

mod asks;
mod decisions;
mod differential;
mod fixture;
mod hostile;
mod loading;
