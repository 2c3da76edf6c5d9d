//! Keys that the gateway makes for itself, sealed: the data key, the key that signs credentials.

use rusqlite::params;

use crate::{Store, StoreError};

impl Store {
    /// The key of this name; `candidate` becomes it when there is none. Processes that come at once get the same one.
    /// What is kept is what the caller sealed: the store opens nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used.
    pub async fn key_or_insert(&self, name: &'static str, candidate: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.write(move |connection| {
            connection
                .prepare_cached("INSERT INTO keys (name, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![name, candidate])?;
            let kept = connection
                .prepare_cached("SELECT sealed FROM keys WHERE name = ?1")?
                .query_row(params![name], |row| row.get(0))?;
            Ok(kept)
        })
        .await
    }
}
