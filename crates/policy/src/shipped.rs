//! The policies that ship for Countersign's own target.

/// The file name of [`shipped`] in reasons and problems.
pub const SHIPPED_FILE: &str = "countersign.cedar";

/// The text of the shipped policies: administrators may do everything to Countersign itself, and any principal may redeem a
/// set-up code.
#[must_use]
pub fn shipped() -> &'static str {
    include_str!("countersign.cedar")
}
