//! In work.
/// A token taken apart, not verified.
#[derive(Debug)]
pub struct UnverifiedToken;
