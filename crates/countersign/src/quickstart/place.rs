//! Where a quickstart keeps its things: the folder, and beside it what must not be copied with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::beside;

/// The folder of one quickstart, in its one spelling.
#[derive(Debug, Clone)]
pub(super) struct Place(PathBuf);

impl Place {
    /// Makes the folder if it is missing, for its owner alone.
    pub(super) fn make(folder: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("cannot use the folder `{}`", folder.display());
        // A folder that is not there yet cannot be made by a path that ends with `.`.
        let folder = std::path::absolute(folder).with_context(unusable)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).with_context(unusable)?;
        Ok(Self(fs::canonicalize(folder).with_context(unusable)?))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// `countersign.toml` in the folder.
    pub(super) fn config(&self) -> PathBuf {
        self.0.join("countersign.toml")
    }

    /// The folder of `.cedar` files.
    pub(super) fn policies(&self) -> PathBuf {
        self.0.join("policies")
    }

    /// The key-encryption key, unless another file was named: `DIR.key`.
    pub(super) fn key_file(&self) -> PathBuf {
        beside(&self.0)
    }

    /// What belongs to the development issuer and the demo, and is not sealed: `DIR.dev`.
    pub(super) fn development(&self) -> PathBuf {
        self.key_file().with_extension("dev")
    }

    /// Where the demo API counts what was done to it.
    pub(super) fn demo_state(&self) -> PathBuf {
        self.development().join("demo-api")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_the_folder_lies_beside_it_however_it_is_spelt() {
        let base = tempfile::tempdir().unwrap();
        let place = Place::make(&base.path().join("b.c/./")).unwrap();
        let base = fs::canonicalize(base.path()).unwrap();
        assert_eq!(place.key_file(), base.join("b.c.key"));
        assert_eq!(place.development(), base.join("b.c.dev"));
    }
}
