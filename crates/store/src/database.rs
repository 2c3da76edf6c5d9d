//! The file: how it is opened, with which guarantees, and the one handle to it.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::seal::{Kek, Sealer};
use crate::threads::{Readers, Writer};
use crate::{StoreError, schema};

/// How long a process waits while another one writes.
const BUSY: Duration = Duration::from_secs(5);

/// How many reads run at once.
const READERS: usize = 2;

/// The store. Cheap to clone; its threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: Readers,
}

impl Store {
    /// Opens `store.sqlite` in `folder`, making both where they are missing (modes 0600 and 0700), and brings it to this
    /// version's schema. Blocks; meant for a program's start.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be used, when a newer version has written the store, or when it is damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("store.sqlite");
        make_private(folder, &path).map_err(|error| {
            StoreError::unavailable(io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
        })?;
        let mut connection = connect(&path)?;
        schema::migrate(&mut connection)?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let reader = connect(&path)?;
            reader.pragma_update(None, "query_only", true)?;
            readers.push(reader);
        }
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::start(readers)? })
    }

    /// The sealer of the store's data key, which is made on first use. Processes that come at once get the same one.
    ///
    /// # Errors
    /// [`StoreError::WrongKek`] when another key-encryption key has sealed this store, else what keeps it from being read.
    pub async fn sealer(&self, kek: &Kek) -> Result<Sealer, StoreError> {
        let sealed = self.key_or_insert("data", Sealer::new_data_key(kek)).await?;
        Sealer::of_data_key(kek, &sealed).map_err(|_| StoreError::WrongKek)
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(write).await
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(read).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store(…)")
    }
}

/// SQLite gives the files beside the database the database's own mode. A folder that is there stays as it is.
fn make_private(folder: &Path, path: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::unavailable(io::Error::other(
            "its file system does not carry a write-ahead log",
        )));
    }
    // In this mode each commit is on the disk before it is answered.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn folder_and_files_are_the_owners_alone() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("data");
        let store = Store::open(&folder).unwrap();
        store.key_or_insert("k", vec![1]).await.unwrap();
        assert_eq!(mode(&folder), 0o700);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 2, "the database and its log: {files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }

    #[tokio::test]
    async fn a_file_left_open_to_others_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let file = folder.path().join("store.sqlite");
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let _store = Store::open(folder.path()).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_file_that_is_no_database_is_called_damaged_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite");
        fs::write(&file, [b'x'; 4096]).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Corrupt(_))));
        assert_eq!(fs::read(&file).unwrap(), [b'x'; 4096]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = Store::open(&folder.path().join("file/data")).unwrap_err();
        assert!(error.to_string().contains("file/data/store.sqlite"), "{error}");
    }

    #[test]
    fn processes_that_start_together_on_a_new_folder_all_open_it() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            std::thread::scope(|scope| {
                let open = || scope.spawn(|| Store::open(folder.path()).map(drop));
                let opened = [open(), open(), open(), open()].map(|thread| thread.join().unwrap());
                assert!(opened.iter().all(Result::is_ok), "{opened:?}");
            });
        }
    }

    #[tokio::test]
    async fn processes_that_start_together_agree_on_the_data_key() {
        let folder = tempfile::tempdir().unwrap();
        let kek = Kek::create(&folder.path().join("key")).unwrap();
        let (first, second) = (Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap());
        let (first, second) = tokio::join!(first.sealer(&kek), second.sealer(&kek));
        let sealed = first.unwrap().seal(b"c", b"plain");
        assert_eq!(second.unwrap().open(b"c", &sealed).unwrap().expose(), b"plain");
    }

    #[tokio::test]
    async fn another_key_file_opens_nothing_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.sealer(&Kek::create(&folder.path().join("key")).unwrap()).await.unwrap();
        let other = Kek::create(&folder.path().join("other")).unwrap();
        let error = store.sealer(&other).await.unwrap_err();
        assert!(matches!(error, StoreError::WrongKek));
        assert!(error.to_string().contains("give the one that the data folder was made with"));
    }
}
