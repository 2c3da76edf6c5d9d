//! The injected credential, in every form in which a target could echo it.

/// The shortest secret that can be searched for, in bytes: a shorter one would be found everywhere.
pub const MIN_SECRET: usize = 8;
/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 16 * 1024;

/// A secret that cannot be searched for, and so must not be injected: refuse it where it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNeedle {
    /// Shorter than [`MIN_SECRET`].
    #[error("a secret shorter than {MIN_SECRET} bytes cannot be searched for in answers: use a longer one")]
    TooShort,
    /// Longer than [`MAX_SECRET`].
    #[error("a secret longer than {MAX_SECRET} bytes cannot be searched for in answers: use a shorter one")]
    TooLong,
}

/// The injected credentials as they are searched for. Share it in an `Arc`, one a target.
#[derive(Default)]
pub struct Needles {}

impl Needles {
    /// Nothing to search for: the call carries no permanent secret.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The forms of these secrets.
    ///
    /// # Errors
    /// [`BadNeedle`] when one is too short or too long to be searched for.
    pub fn new(secrets: &[&[u8]]) -> Result<Self, BadNeedle> {
        for secret in secrets {
            if secret.len() < MIN_SECRET {
                return Err(BadNeedle::TooShort);
            }
            if secret.len() > MAX_SECRET {
                return Err(BadNeedle::TooLong);
            }
        }
        Ok(Self {})
    }
}
