//! Secrets that a person has set, sealed, with a version that grows by one each time.

use model::{SecretName, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use crate::{Store, StoreError};

/// One sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Which value of this name it is; the first is 1. No two values of one name have the same.
    pub version: u64,
    /// As the caller of [`Store::put_secret`] sealed it.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Keeps a sealed value under `name`, in place of the one before, and returns its version.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn put_secret(
        &self,
        name: &SecretName,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let name = name.clone();
        self.write(move |connection| {
            let version: i64 = connection
                .prepare_cached(
                    "INSERT INTO secrets (name, version, sealed, updated) VALUES (?1, 1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE
                     SET version = version + 1, sealed = excluded.sealed, updated = excluded.updated
                     RETURNING version",
                )?
                .query_row(params![name.as_str(), sealed, now.micros()], |row| row.get(0))?;
            version_of(version)
        })
        .await
    }

    /// The sealed value of `name`, or `None` when none was set.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn secret(&self, name: &SecretName) -> Result<Option<SecretRow>, StoreError> {
        let name = name.clone();
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT version, sealed FROM secrets WHERE name = ?1")?
                .query_row(params![name.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
                .optional()?;
            found.map(|(version, sealed)| Ok(SecretRow { version: version_of(version)?, sealed })).transpose()
        })
        .await
    }
}

fn version_of(version: i64) -> Result<u64, StoreError> {
    u64::try_from(version).map_err(|_| StoreError::corrupt("a negative secret version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_value_of_a_name_has_a_version_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let name = SecretName::parse("crm-key").unwrap();
        assert_eq!(store.secret(&name).await.unwrap(), None);
        for version in 1..4 {
            let sealed = vec![u8::try_from(version).unwrap()];
            assert_eq!(
                store.put_secret(&name, sealed.clone(), Timestamp::from_secs(0)).await.unwrap(),
                version
            );
            assert_eq!(store.secret(&name).await.unwrap(), Some(SecretRow { version, sealed }));
        }
    }
}
