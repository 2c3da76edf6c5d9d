//! Why the store cannot do what it was asked to.

use std::error::Error;
use std::sync::Arc;

/// A failure of the store. None of them means that something was kept: an answer comes after the commit.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk, the file or the thread that owns it does not answer.
    #[error("the store cannot be used: {0}")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// Another process has held it for too long: worth trying again.
    #[error("the store is held by another process: try again, or end whatever keeps it open for writing")]
    Busy,
    /// What is in it already does not go with what was to be written.
    #[error("the store holds something that contradicts the change: {0}")]
    Conflict(String),
    /// A newer version has written it.
    #[error(
        "the store has schema {found}, and this version of Countersign knows none after {known}: run the version that \
         wrote it, or restore the data folder as it was before the upgrade"
    )]
    Newer {
        /// The schema in the file.
        found: i64,
        /// The latest that this binary knows.
        known: i64,
    },
    /// What is in it cannot be read as what was written.
    #[error("the store is damaged ({0}): stop the gateway and restore the data folder from a copy")]
    Corrupt(String),
    /// The key-encryption key is not the one that sealed this store.
    #[error(
        "the key file is not the one that sealed this store: give the one that the data folder was made with"
    )]
    WrongKek,
}

impl StoreError {
    pub(crate) fn unavailable(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(error))
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Conflict(error.to_string()),
            Some(_) => Self::unavailable(error),
            None => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt(error.to_string()),
                other => Self::unavailable(other),
            },
        }
    }
}
