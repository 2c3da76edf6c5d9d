//! stub
use std::path::{Path, PathBuf};
/// The public half of a journal's key: `origin+id+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyKey;
impl std::fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("") }
}
impl std::str::FromStr for VerifyKey { type Err = crate::JournalError; fn from_str(_: &str) -> Result<Self, Self::Err> { unimplemented!() } }
/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Relative to the journal's folder.
    pub file: PathBuf,
    /// The record's number, counted from 0.
    pub record: Option<u64>,
    /// The byte in the file.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}
/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Report {
    /// Events read.
    pub events: u64,
    /// Sealed parts read.
    pub parts: u64,
    /// Entries that the checkpoint covers.
    pub covered: u64,
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
}
/// Verifies.
pub fn verify(_dir: &Path, _sealer: Option<&crate::Sealer>, _key: &VerifyKey, _saved_checkpoint: Option<&str>) -> Report { unimplemented!() }
