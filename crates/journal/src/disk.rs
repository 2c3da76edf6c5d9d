//! The few ways in which the journal touches its files. Tests make them fail here, and nowhere else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes below one folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    tmp: Arc<PathBuf>,
    count: Arc<AtomicU64>,
    #[cfg(test)]
    pub(crate) faults: Arc<faults::Faults>,
}

impl Disk {
    /// The writer of the journal in `dir`, whose half-made files it removes.
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        let tmp = dir.join("tmp");
        if tmp.exists() {
            fs::remove_dir_all(&tmp)?;
        }
        fs::create_dir_all(&tmp)?;
        Ok(Self {
            tmp: Arc::new(tmp),
            count: Arc::default(),
            #[cfg(test)]
            faults: Arc::default(),
        })
    }

    /// Opens a file to append to it.
    pub(crate) fn open_append(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    /// Appends all of `bytes`, or fails with some of them written.
    pub(crate) fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_write(file, bytes)?;
        file.write_all(bytes)
    }

    /// Waits until the file's bytes are on the disk.
    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_sync()?;
        file.sync_data()
    }

    /// Makes `path` hold `parts`, whole and on the disk, or leaves it as it was. Its folder is synced by
    /// [`Disk::sync_folder`].
    pub(crate) fn replace(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let tmp = self.tmp.join(self.count.fetch_add(1, Ordering::Relaxed).to_string());
        let made = self.make(&tmp, parts).and_then(|()| fs::rename(&tmp, path));
        if made.is_err() {
            // The error that counts is the first one; what is left is removed when the journal is opened.
            let _ = fs::remove_file(&tmp);
        }
        made
    }

    /// Makes `path` hold `bytes`, on the disk. A crash may leave a part of them: only for what nobody relies on yet.
    pub(crate) fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
        self.append(&file, bytes)?;
        self.sync(&file)
    }

    fn make(&self, tmp: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let file = OpenOptions::new().create_new(true).append(true).open(tmp)?;
        for part in parts {
            self.append(&file, part)?;
        }
        self.sync(&file)
    }

    /// Waits until the names in a folder are on the disk.
    pub(crate) fn sync_folder(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    /// Cuts a file back to `len` bytes, on the disk.
    pub(crate) fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }
}

#[cfg(test)]
pub(crate) mod faults {
    //! Faults that a test switches on and off.

    use std::fs::File;
    use std::io::{self, Write};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// What fails.
    #[derive(Debug, Default)]
    pub(crate) struct Faults {
        /// Writes end with ENOSPC.
        pub(crate) full: AtomicBool,
        /// How many bytes of a failing write arrive all the same.
        pub(crate) short: AtomicUsize,
        /// Syncs end with EIO.
        pub(crate) broken: AtomicBool,
    }

    impl Faults {
        pub(super) fn before_write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
            if !self.full.load(Ordering::SeqCst) {
                return Ok(());
            }
            let some = bytes.len().min(self.short.load(Ordering::SeqCst));
            file.write_all(&bytes[..some])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        pub(super) fn before_sync(&self) -> io::Result<()> {
            if self.broken.load(Ordering::SeqCst) { Err(io::Error::other("EIO")) } else { Ok(()) }
        }
    }
}
