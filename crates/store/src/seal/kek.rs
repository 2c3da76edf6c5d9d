//! The key-encryption key: a file outside the data folder, so that a copied folder opens nothing.
//!
//! The file is one line of base64 of 32 random bytes, readable by its owner alone. Any other form or mode is refused with
//! what to do. A file that exists is never overwritten: what it sealed would be lost.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{KEY_LEN, Key, Sealer, random};

/// Why a key file cannot be used or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KekError {
    /// The file cannot be read.
    #[error("cannot read the key file `{path}`: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error(
        "the key file `{path}` is open to others (mode {mode:04o}): run `chmod 600` on it, and replace the key if somebody may have read it"
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error(
        "the key file `{path}` holds no key: expected one line of base64 of {KEY_LEN} bytes; restore it from where it is kept"
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// There is a file already.
    #[error(
        "the key file `{path}` exists and is not overwritten: what it sealed could never be opened again"
    )]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot create the key file `{path}`: {source}")]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// The key-encryption key. It seals the store's data key and nothing else.
#[derive(Clone)]
pub struct Kek(Sealer);

impl Kek {
    /// Reads the key from its file.
    ///
    /// # Errors
    /// [`KekError`] when the file cannot be read, is open to group or others, or holds no key.
    pub fn load(path: &Path) -> Result<Self, KekError> {
        let unreadable = |source| KekError::Unreadable { path: path.to_owned(), source };
        let malformed = || KekError::Malformed { path: path.to_owned() };
        let mut file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KekError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new([0; MAX_TEXT + 1]);
        let length = read_up_to(&mut file, text.as_mut_slice()).map_err(unreadable)?;
        let text = text.get(..length).filter(|text| text.len() <= MAX_TEXT).ok_or_else(malformed)?;
        let mut key = Key::default();
        match STANDARD.decode_slice(text.trim_ascii(), key.as_mut_slice()) {
            Ok(KEY_LEN) => Ok(Self(Sealer(Arc::new(key)))),
            Ok(_) | Err(_) => Err(malformed()),
        }
    }

    /// Makes a new random key and writes it to a new file of mode 0600, synced to the disk.
    ///
    /// # Errors
    /// [`KekError::Exists`] when there is a file already, [`KekError::Unwritable`] when it cannot be written.
    pub fn create(path: &Path) -> Result<Self, KekError> {
        let key = Zeroizing::new(random::<KEY_LEN>());
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|file| {
                write_key(file, path, &key).inspect_err(|_| {
                    // Half a key is worth less than none: the next start may then create one.
                    let _ = std::fs::remove_file(path);
                })
            });
        match written {
            Ok(()) => Ok(Self(Sealer(Arc::new(key)))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KekError::Exists { path: path.to_owned() })
            }
            Err(source) => Err(KekError::Unwritable { path: path.to_owned(), source }),
        }
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.0
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(…)")
    }
}

fn write_key(mut file: File, path: &Path, key: &Key) -> io::Result<()> {
    let mut text = Zeroizing::new([b'\n'; ENCODED_LEN + 1]);
    STANDARD.encode_slice(key.as_slice(), text.as_mut_slice()).map_err(io::Error::other)?;
    file.write_all(text.as_slice())?;
    file.sync_all()?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Reads until `buffer` is full or the file ends, without a copy that is not zeroed.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

const ENCODED_LEN: usize = KEY_LEN.div_ceil(3) * 4;

/// The key and some white space around it.
const MAX_TEXT: usize = 128;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file_with(text: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_created_key_is_the_owners_alone_and_loads_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let created = Kek::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let sealed = created.sealer().seal(b"c", b"plain");
        assert_eq!(Kek::load(&path).unwrap().sealer().open(b"c", &sealed).unwrap().expose(), b"plain");
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let (_folder, path) = file_with(b"something", 0o600);
        assert!(matches!(Kek::create(&path), Err(KekError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"something");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Kek::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Kek::load(&path).unwrap_err();
            assert!(matches!(error, KekError::Exposed { mode: found, .. } if found == mode), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Kek::load(&path).is_ok());
    }

    #[test]
    fn anything_but_a_key_is_refused_without_being_shown() {
        let short = STANDARD.encode([1; 31]);
        let long = STANDARD.encode([1; 33]);
        let padded = format!("{}{}", STANDARD.encode([1; 32]), " ".repeat(200));
        for bad in ["", "\n", "hunter2", short.as_str(), long.as_str(), padded.as_str(), "\u{0}"] {
            let (_folder, path) = file_with(bad.as_bytes(), 0o600);
            let error = Kek::load(&path).unwrap_err();
            assert!(matches!(error, KekError::Malformed { .. }), "{bad:?}");
            assert!(bad.trim().is_empty() || !format!("{error} {error:?}").contains(bad.trim()), "{bad:?}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing");
        assert!(Kek::load(&path).unwrap_err().to_string().contains("missing"));
    }
}
