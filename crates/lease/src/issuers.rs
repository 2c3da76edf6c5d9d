//! The issuers, one file each. The next one is a variant here and an arm wherever the compiler then asks.

pub(crate) mod jwt;
pub(crate) mod static_secret;

/// How a target's credentials are issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The target needs no credential.
    None,
    /// A permanent secret.
    Static(static_secret::StaticPlan),
    /// A token signed for the one call.
    Jwt(jwt::JwtPlan),
}
