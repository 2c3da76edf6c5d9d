//! The one-time code with which a signed-in principal becomes the first administrator.
//!
//! There is one at most, and none once there is an administrator. Only its SHA-256 is kept; a code has 100 random bits, so
//! the hash needs no salt and guessing has no hope. Redeeming it and joining the role are one transaction: of two who come
//! at once with the right code, one becomes administrator.

use std::fmt;

use aws_lc_rs::rand;
use model::{PrincipalKey, Secret, Timestamp, sha256};
use rusqlite::{OptionalExtension as _, params};

use crate::roles::{self, Role};
use crate::{Store, StoreError};

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// The principal is an administrator now.
    Joined,
    /// There is no such code.
    Unknown,
    /// It was right, and is over.
    Expired,
    /// It was right, and somebody has used it.
    AlreadyUsed,
}

impl fmt::Display for Redeemed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joined => "you are an administrator now",
            Self::Unknown => {
                "there is no such code: it is printed when the gateway starts without an administrator"
            }
            Self::Expired => "the code is over: restart the gateway for a new one",
            Self::AlreadyUsed => "the code was used: ask the administrator whom it made",
        })
    }
}

/// A new random code, such as `7F3KQ-Z0XWM-4TJ2C-9BVNA`.
///
/// # Errors
/// [`StoreError`] when the machine yields no randomness.
pub fn generate_code() -> Result<Secret, StoreError> {
    let mut random = [0; 20];
    rand::fill(&mut random).map_err(StoreError::unavailable)?;
    let mut code = Vec::with_capacity(23);
    for (place, byte) in random.into_iter().enumerate() {
        if place % 5 == 0 && place > 0 {
            code.push(b'-');
        }
        code.extend(ALPHABET.get(usize::from(byte) % ALPHABET.len()));
    }
    Ok(Secret::new(code))
}

impl Store {
    /// Makes `code` the one that [`Store::redeem_code`] takes until `expires`, in place of any before. Returns false, and
    /// does nothing, when there is an administrator already.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn issue_code(&self, code: &Secret, expires: Timestamp) -> Result<bool, StoreError> {
        let hash = hash(code);
        self.write(move |connection| {
            if roles::has_members(connection, Role::Administrator)? {
                return Ok(false);
            }
            connection.execute(
                "INSERT INTO codes (one, hash, expires) VALUES (1, ?1, ?2) ON CONFLICT (one) DO UPDATE
                 SET hash = excluded.hash, expires = excluded.expires, redeemed = NULL",
                params![hash, expires.micros()],
            )?;
            Ok(true)
        })
        .await
    }

    /// Makes `principal` an administrator if `code` is the one issued, is not over and was not used.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used. The code is then unused.
    pub async fn redeem_code(
        &self,
        code: &Secret,
        principal: &PrincipalKey,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let hash = hash(code);
        let principal = principal.clone();
        self.write(move |connection| {
            let found: Option<(i64, Option<i64>)> = connection
                .query_row("SELECT expires, redeemed FROM codes WHERE hash = ?1", params![hash], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            match found {
                None => return Ok(Redeemed::Unknown),
                Some((_, Some(_))) => return Ok(Redeemed::AlreadyUsed),
                Some((expires, None)) if expires <= now.micros() => return Ok(Redeemed::Expired),
                Some((_, None)) => {}
            }
            connection
                .execute("UPDATE codes SET redeemed = ?2 WHERE hash = ?1", params![hash, now.micros()])?;
            roles::add_member(connection, Role::Administrator, &principal, now)?;
            Ok(Redeemed::Joined)
        })
        .await
    }
}

/// People type codes: case, dashes and white space do not matter.
fn hash(code: &Secret) -> [u8; 32] {
    let mut text = b"countersign code: ".to_vec();
    text.extend(code.expose().iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase));
    let hash = sha256(&text);
    drop(Secret::new(text));
    hash
}

/// Digits and letters that are not taken for one another: 32 of them, so that a byte's remainder is even.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use model::IssuerName;

    use super::*;

    fn principal(subject: &str) -> PrincipalKey {
        PrincipalKey { issuer: IssuerName::parse("dev").unwrap(), subject: subject.into() }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_code_makes_the_first_administrator_and_no_second() {
        let (_folder, store) = open();
        let code = generate_code().unwrap();
        assert!(store.issue_code(&code, at(100)).await.unwrap());
        assert_eq!(store.redeem_code(&code, &principal("alice"), at(99)).await.unwrap(), Redeemed::Joined);
        assert_eq!(
            store.redeem_code(&code, &principal("mallory"), at(99)).await.unwrap(),
            Redeemed::AlreadyUsed
        );
        assert_eq!(store.role_members(Role::Administrator).await.unwrap(), [principal("alice")]);
        assert!(!store.issue_code(&generate_code().unwrap(), at(200)).await.unwrap());
    }

    #[tokio::test]
    async fn of_two_processes_with_the_right_code_one_redeems_it() {
        let (folder, store) = open();
        let other = Store::open(folder.path()).unwrap();
        let code = generate_code().unwrap();
        store.issue_code(&code, at(100)).await.unwrap();
        let (alice, bob) = (principal("alice"), principal("bob"));
        let (a, b) =
            tokio::join!(store.redeem_code(&code, &alice, at(1)), other.redeem_code(&code, &bob, at(1)));
        let mut came_out = [a.unwrap(), b.unwrap()];
        came_out.sort_by_key(|redeemed| *redeemed != Redeemed::Joined);
        assert_eq!(came_out, [Redeemed::Joined, Redeemed::AlreadyUsed]);
        assert_eq!(store.role_members(Role::Administrator).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_expired_replaced_or_wrong_code_makes_nobody_administrator() {
        let (_folder, store) = open();
        let (old, code) = (generate_code().unwrap(), generate_code().unwrap());
        store.issue_code(&old, at(100)).await.unwrap();
        store.issue_code(&code, at(100)).await.unwrap();
        assert_eq!(store.redeem_code(&old, &principal("a"), at(1)).await.unwrap(), Redeemed::Unknown);
        assert_eq!(store.redeem_code(&code, &principal("a"), at(100)).await.unwrap(), Redeemed::Expired);
        assert!(store.role_members(Role::Administrator).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_code_may_be_typed_in_small_letters_and_without_dashes() {
        let (_folder, store) = open();
        let code = generate_code().unwrap();
        store.issue_code(&code, at(100)).await.unwrap();
        let typed =
            Secret::from(format!(" {}\n", code.expose_str().unwrap().to_lowercase().replace('-', "")));
        assert_eq!(store.redeem_code(&typed, &principal("a"), at(1)).await.unwrap(), Redeemed::Joined);
    }

    #[tokio::test]
    async fn only_the_hash_of_a_code_is_kept() {
        let (folder, store) = open();
        let code = generate_code().unwrap();
        store.issue_code(&code, at(100)).await.unwrap();
        let text = code.expose_str().unwrap().to_owned();
        for needle in [text.replace('-', ""), text] {
            for file in std::fs::read_dir(folder.path()).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()));
            }
        }
    }
}
