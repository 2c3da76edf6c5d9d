//! Permanent secrets: sealed in the store, unsealed in memory while they are used.
//!
//! Another process may set a secret while this one runs (`countersign secret set`). What is in memory is compared with the
//! store at most once a second, by one of the calls that need it while the others go on, so that a new value is used within
//! two seconds.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Clock, Secret, SecretName, Timestamp};
use store::Store;
use store::seal::Sealer;

use crate::LeaseError;

/// The shortest secret, in bytes: a shorter one would be found by chance in answers, and guessed.
pub(crate) const MIN_SECRET: usize = 8;

/// The longest secret, in bytes: no header that servers take is longer.
const MAX_SECRET: usize = 8192;

/// How long a secret in memory is used before the store is asked for a newer one.
const FRESH: Duration = Duration::from_secs(1);

/// The sealed secrets of a store. Cheap to clone.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    store: Store,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    unsealed: Mutex<HashMap<SecretName, Unsealed>>,
}

#[derive(Clone)]
struct Unsealed {
    value: Secret,
    version: u64,
    checked: Timestamp,
}

impl Secrets {
    /// The secrets in `store`, sealed by what `sealer` derives for them.
    #[must_use]
    pub fn new(store: Store, sealer: &Sealer, clock: Arc<dyn Clock>) -> Self {
        let sealer = sealer.derive("secrets");
        Self(Arc::new(Inner { store, sealer, clock, unsealed: Mutex::default() }))
    }

    /// Seals `value` and keeps it under `name`, in place of the one before.
    ///
    /// # Errors
    /// [`LeaseError::BadSecret`] when it is too short to be searched for, too long, no text, or would break out of a header;
    /// [`LeaseError::Store`] when it cannot be kept.
    pub async fn set(&self, name: &SecretName, value: &Secret) -> Result<(), LeaseError> {
        check(value)?;
        let sealed = self.0.sealer.seal(&context(name), value.expose());
        self.0.store.put_secret(name, sealed, self.0.clock.now()).await?;
        self.0.unsealed.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    /// The secret and which value of its name it is.
    pub(crate) async fn unseal(&self, name: &SecretName) -> Result<(Secret, u64), LeaseError> {
        let now = self.0.clock.now();
        let known = match self.known(name, now) {
            Known::Fresh(unsealed) => return Ok((unsealed.value, unsealed.version)),
            Known::Stale(unsealed) => Some(unsealed),
            Known::Not => None,
        };
        let row = self.0.store.secret(name).await?.ok_or_else(|| LeaseError::NotSet(name.clone()))?;
        if let Some(known) = known.filter(|known| known.version == row.version) {
            return Ok((known.value, known.version));
        }
        let damaged = |_| LeaseError::Damaged(name.clone());
        let value = self.0.sealer.open(&context(name), &row.sealed).map_err(damaged)?;
        check(&value)?;
        let unsealed = Unsealed { value: value.clone(), version: row.version, checked: now };
        let mut kept = self.0.unsealed.lock().unwrap_or_else(PoisonError::into_inner);
        // Who read an older value a moment ago must not put it back.
        if kept.get(name).is_none_or(|kept| kept.version <= row.version) {
            kept.insert(name.clone(), unsealed);
        }
        Ok((value, row.version))
    }

    /// What is in memory. Of those who find it stale at once, one is told so, and asks the store for all.
    fn known(&self, name: &SecretName, now: Timestamp) -> Known {
        let mut kept = self.0.unsealed.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get_mut(name) {
            Some(unsealed) if now.since(unsealed.checked) < FRESH => Known::Fresh(unsealed.clone()),
            Some(unsealed) => {
                unsealed.checked = now;
                Known::Stale(unsealed.clone())
            }
            None => Known::Not,
        }
    }
}

enum Known {
    Fresh(Unsealed),
    Stale(Unsealed),
    Not,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

fn context(name: &SecretName) -> Vec<u8> {
    format!("secret {name}").into_bytes()
}

/// Whether a value can be a secret: text that stays inside a header, and long enough to be searched for.
fn check(value: &Secret) -> Result<(), LeaseError> {
    let bad = |rule| Err(LeaseError::BadSecret { rule });
    let Some(text) = value.expose_str() else { return bad("is not UTF-8 text") };
    if text.chars().any(char::is_control) {
        return bad(
            "holds a line break or another control character, with which a header could be broken out of",
        );
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return bad("begins or ends with white space, which headers do not carry");
    }
    if text.len() < MIN_SECRET {
        return bad("is shorter than 8 bytes: answers could not be searched for it");
    }
    if text.len() > MAX_SECRET {
        return bad("is longer than 8192 bytes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_out_of_a_header_is_no_secret() {
        for bad in [
            "a-secret\r\nX-Admin: 1",
            "a-secret\n",
            "a-secret\r",
            "a-sec\0ret",
            "a-sec\tret",
            "a-sec\u{7f}ret",
            "a-sec\u{85}ret",
            " a-secret",
            "a-secret ",
            "tiny",
            "",
        ] {
            let error = check(&Secret::from(bad.to_owned())).unwrap_err();
            assert!(matches!(error, LeaseError::BadSecret { .. }), "{bad:?}");
            assert!(bad.trim().is_empty() || !error.to_string().contains(bad.trim()), "{bad:?}");
        }
        assert!(check(&Secret::new(vec![0xff; 16])).is_err());
        assert!(check(&Secret::new(vec![b'a'; MAX_SECRET + 1])).is_err());
        assert!(check(&Secret::from("pass word é 123".to_owned())).is_ok());
    }
}
