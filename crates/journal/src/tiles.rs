//! The tiles of the log, as C2SP `tlog-tiles` lays them out below `log/`.
//!
//! An entry of the log is the 32-byte commitment of an event, so that `log/` can be published as it stands: nobody learns
//! from it what happened, only that it cannot be changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::JournalError;
use crate::merkle::{Hash, Nodes, fold, leaf_hash, root_of};

/// Hashes in a full tile.
pub(crate) const WIDTH: u64 = 256;

/// The folder below the journal's that holds checkpoint and tiles.
pub(crate) const LOG: &str = "log";

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Commitments, each with its length.
    Entries,
    /// Hashes of subtrees of `256^level` entries.
    Level(u8),
}

impl Shelf {
    /// How many items of this shelf a log of `size` entries has.
    pub(crate) fn count(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Level(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        }
    }

    /// Bytes of one item.
    pub(crate) fn item(self) -> usize {
        match self {
            Self::Entries => 34,
            Self::Level(_) => 32,
        }
    }

    /// The full tile's path, below the journal's folder: `log/tile/0/x001/x234/067`.
    pub(crate) fn path(self, index: u64) -> PathBuf {
        let mut path = Path::new(LOG).join("tile");
        path.push(match self {
            Self::Entries => "entries".to_owned(),
            Self::Level(level) => level.to_string(),
        });
        let mut groups = vec![index % 1000];
        let mut rest = index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            path.push(if place == 0 { format!("{group:03}") } else { format!("x{group:03}") });
        }
        path
    }

    /// The folder of a tile's partial forms.
    pub(crate) fn partials(self, index: u64) -> PathBuf {
        let mut path = self.path(index).into_os_string();
        path.push(".p");
        path.into()
    }

    /// The path of a tile that holds `width` items.
    pub(crate) fn path_of_width(self, index: u64, width: u64) -> PathBuf {
        if width == WIDTH { self.path(index) } else { self.partials(index).join(width.to_string()) }
    }
}

/// The right edge of a log: all that is needed to make it longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    entries: Vec<Hash>,
    levels: Vec<Vec<Hash>>,
}

/// A tile that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) place: Option<(Shelf, u64)>,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    /// The folder of partial forms that it makes superfluous.
    pub(crate) replaces: Option<PathBuf>,
}

impl Edge {
    /// The right edge of the first `size` entries, read from the tiles in `dir`.
    pub(crate) fn load(dir: &Path, size: u64) -> Result<Self, JournalError> {
        let mut edge = Self { size, ..Self::default() };
        let mut tiles = Tiles::new(dir, size);
        let last = |shelf: Shelf| (shelf.count(size) / WIDTH, shelf.count(size) % WIDTH);
        if let (index, 1..) = last(Shelf::Entries) {
            edge.entries = tiles.entries(index)?;
        }
        for level in 0.. {
            let shelf = Shelf::Level(level);
            if shelf.count(size) == 0 {
                break;
            }
            edge.levels.push(match last(shelf) {
                (_, 0) => Vec::new(),
                (index, _) => tiles.hashes(level, index)?,
            });
        }
        Ok(edge)
    }

    /// How many entries the log has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry. Tiles that become full by it are pushed to `full`.
    pub(crate) fn push(&mut self, entry: Hash, full: &mut Vec<Tile>) {
        self.entries.push(entry);
        if self.entries.len() as u64 == WIDTH {
            full.push(whole(Shelf::Entries, self.size / WIDTH, entries_bytes(&self.entries)));
            self.entries.clear();
        }
        self.push_leaf(leaf_hash(&entry), full);
    }

    /// Adds the hash of an entry whose bundle is somebody else's care.
    pub(crate) fn push_leaf(&mut self, mut hash: Hash, full: &mut Vec<Tile>) {
        self.size += 1;
        for level in 0.. {
            let shelf = Shelf::Level(level);
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(hash);
            if (hashes.len() as u64) < WIDTH {
                return;
            }
            full.push(whole(shelf, shelf.count(self.size) / WIDTH - 1, hashes.concat()));
            let Some(root) = root_of(hashes) else { return };
            hashes.clear();
            hash = root;
        }
    }

    /// The partial tiles of the right edge.
    pub(crate) fn partials(&self) -> Vec<Tile> {
        let partial = |shelf: Shelf, width: usize, bytes: Vec<u8>| {
            let index = shelf.count(self.size) / WIDTH;
            let path = shelf.path_of_width(index, width as u64);
            Tile { place: Some((shelf, index)), path, bytes, replaces: None }
        };
        let levels = self.levels.iter().zip(0..).filter(|(hashes, _)| !hashes.is_empty());
        let mut tiles: Vec<Tile> = levels
            .map(|(hashes, level)| partial(Shelf::Level(level), hashes.len(), hashes.concat()))
            .collect();
        if !self.entries.is_empty() {
            tiles.push(partial(Shelf::Entries, self.entries.len(), entries_bytes(&self.entries)));
        }
        tiles
    }

    /// The root of the log.
    pub(crate) fn root(&self) -> Hash {
        let mut perfect = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (left, right) = rest.split_at(1 << rest.len().ilog2());
                perfect.extend(root_of(left));
                rest = right;
            }
        }
        fold(&perfect).unwrap_or_else(crate::merkle::empty_root)
    }
}

fn whole(shelf: Shelf, index: u64, bytes: Vec<u8>) -> Tile {
    Tile {
        place: Some((shelf, index)),
        path: shelf.path(index),
        bytes,
        replaces: Some(shelf.partials(index)),
    }
}

/// An entry bundle: each commitment with its length before it.
pub(crate) fn entries_bytes(entries: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * Shelf::Entries.item());
    for entry in entries {
        bytes.extend_from_slice(&[0, 32]);
        bytes.extend_from_slice(entry);
    }
    bytes
}

/// Reads the tiles of a log of a given size, and remembers the last one.
pub(crate) struct Tiles<'a> {
    dir: &'a Path,
    size: u64,
    last: Option<(u8, u64, Vec<Hash>)>,
}

impl<'a> Tiles<'a> {
    pub(crate) fn new(dir: &'a Path, size: u64) -> Self {
        Self { dir, size, last: None }
    }

    /// The hashes of one tile of a level, as many as the log's size has.
    pub(crate) fn hashes(&mut self, level: u8, index: u64) -> Result<Vec<Hash>, JournalError> {
        let bytes = self.read(Shelf::Level(level), index)?;
        Ok(bytes.as_chunks::<32>().0.to_vec())
    }

    /// The commitments of one entry bundle.
    pub(crate) fn entries(&mut self, index: u64) -> Result<Vec<Hash>, JournalError> {
        let bytes = self.read(Shelf::Entries, index)?;
        let mut entries = Vec::new();
        for (place, item) in bytes.as_chunks::<34>().0.iter().enumerate() {
            let [0, 32, entry @ ..] = *item else {
                let (record, offset) = (index * WIDTH + place as u64, place as u64 * 34);
                return Err(damaged(
                    self.file(Shelf::Entries, index),
                    Some(record),
                    offset,
                    "an entry is not 32 bytes",
                ));
            };
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The file that holds a tile at the log's size.
    pub(crate) fn file(&self, shelf: Shelf, index: u64) -> PathBuf {
        let width = (shelf.count(self.size).saturating_sub(index * WIDTH)).min(WIDTH);
        let exact = shelf.path_of_width(index, width);
        if self.dir.join(&exact).exists() { exact } else { shelf.path(index) }
    }

    fn read(&mut self, shelf: Shelf, index: u64) -> Result<Vec<u8>, JournalError> {
        let width =
            usize::try_from(shelf.count(self.size).saturating_sub(index * WIDTH).min(WIDTH)).unwrap_or(0);
        let path = self.file(shelf, index);
        let mut bytes = match fs::read(self.dir.join(&path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = shelf.path_of_width(index, width as u64);
                return Err(damaged(path, Some(index * WIDTH), 0, "the tile is missing"));
            }
            Err(source) => return Err(JournalError::io(&self.dir.join(&path), source)),
        };
        let want = width * shelf.item();
        // A full tile may stand in for a partial one, never the other way round.
        let stands_in = (width as u64) < WIDTH && path == shelf.path(index);
        if bytes.len() < want || (bytes.len() > want && !stands_in) {
            return Err(damaged(
                path,
                Some(index * WIDTH),
                bytes.len() as u64,
                "the tile has not the length of its width",
            ));
        }
        bytes.truncate(want);
        Ok(bytes)
    }
}

impl Nodes for Tiles<'_> {
    type Error = JournalError;

    fn node(&mut self, height: u32, index: u64) -> Result<Hash, JournalError> {
        let level = u8::try_from(height / 8).unwrap_or(u8::MAX);
        let first = index << (height % 8);
        let (tile, place) = (first / WIDTH, usize::try_from(first % WIDTH).unwrap_or(0));
        if !matches!(self.last, Some((l, t, _)) if (l, t) == (level, tile)) {
            self.last = Some((level, tile, self.hashes(level, tile)?));
        }
        let hashes =
            self.last.as_ref().and_then(|(_, _, hashes)| hashes.get(place..place + (1 << (height % 8))));
        hashes.and_then(root_of).ok_or_else(|| {
            damaged(
                self.file(Shelf::Level(level), tile),
                None,
                place as u64 * 32,
                "the tile is too short for the log's size",
            )
        })
    }
}

pub(crate) fn damaged(
    file: PathBuf,
    record: Option<u64>,
    offset: u64,
    what: impl Into<String>,
) -> JournalError {
    JournalError::Damaged { file, record, offset, what: what.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::{consistency_proof, inclusion_proof, root, verify_consistency, verify_inclusion};

    fn commitment(n: u64) -> Hash {
        crate::merkle::digest(&[&n.to_be_bytes()])
    }

    /// A log of `sizes.last()` entries on the disk, with partial tiles for each of `sizes`.
    fn log(dir: &Path, sizes: &[u64]) -> Edge {
        let mut edge = Edge::default();
        for &size in sizes {
            let mut tiles = Vec::new();
            while edge.size() < size {
                edge.push(commitment(edge.size()), &mut tiles);
            }
            for tile in tiles.into_iter().chain(edge.partials()) {
                let path = dir.join(&tile.path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, tile.bytes).unwrap();
            }
        }
        edge
    }

    #[test]
    fn a_log_of_70_000_entries_has_the_tiles_that_the_specification_counts() {
        let dir = tempfile::tempdir().unwrap();
        log(dir.path(), &[70_000]);
        let exists = |path: &str| dir.path().join("log/tile").join(path).exists();
        assert!(exists("0/272") && exists("0/273.p/112") && !exists("0/273"));
        assert!(exists("1/000") && exists("1/001.p/17") && exists("2/000.p/1"));
        assert!(exists("entries/272") && exists("entries/273.p/112"));
        assert_eq!(Shelf::Level(3).path(1_234_067), Path::new("log/tile/3/x001/x234/067"));
    }

    #[test]
    fn a_log_goes_on_from_its_tiles_as_if_it_had_never_stopped() {
        for size in [0, 1, 255, 256, 257, 700, 66_000] {
            let dir = tempfile::tempdir().unwrap();
            let mut edge = log(dir.path(), &[size]);
            let mut again = Edge::load(dir.path(), size).unwrap();
            assert_eq!(again.root(), edge.root(), "{size}");
            edge.push(commitment(size), &mut Vec::new());
            again.push(commitment(size), &mut Vec::new());
            assert_eq!((again.root(), again.partials()), (edge.root(), edge.partials()), "{size}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn proofs_from_tiles_are_those_of_the_naive_tree(old in 1u64..1500, more in 0u64..1500, at: prop::sample::Index) {
            let dir = tempfile::tempdir().unwrap();
            let size = old + more;
            let edge = log(dir.path(), &[old, size]);
            let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&commitment(n))).collect();
            prop_assert_eq!(Some(edge.root()), root_of(&leaves));
            let mut tiles = Tiles::new(dir.path(), size);
            prop_assert_eq!(root(&mut tiles, size).unwrap(), edge.root());
            let old_root = root(&mut Tiles::new(dir.path(), old), old).unwrap();
            prop_assert_eq!(Some(old_root), root_of(&leaves[..old as usize]));
            let index = at.index(size as usize);
            let proof = inclusion_proof(&mut tiles, index as u64, size).unwrap();
            prop_assert!(verify_inclusion(&leaves[index], index as u64, size, &proof, &edge.root()));
            let proof = consistency_proof(&mut tiles, old, size).unwrap();
            prop_assert!(verify_consistency(old, &old_root, size, &edge.root(), &proof));
        }
    }
}
