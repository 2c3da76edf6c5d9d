//! The log, computed anew from the events, and compared with tiles, bundles and checkpoints.
//!
//! For each record there are three witnesses: the event itself, the commitment in its bundle, and the hash in its tile.
//! Where one of them differs, it is the one that is wrong, and the others go into the tree above.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Report;
use crate::log::checkpoint_path;
use crate::merkle::{Hash, leaf_hash};
use crate::note::TreeHead;
use crate::tiles::{Edge, Shelf, Tile, WIDTH};

pub(super) struct Tree<'a> {
    dir: &'a Path,
    head: TreeHead,
    /// Whether the checkpoint was found and is signed.
    signed: bool,
    saved: Option<TreeHead>,
    edge: Edge,
    /// The events of the tile that is being filled.
    events: Vec<Option<Event>>,
    taken: u64,
}

struct Event {
    file: PathBuf,
    offset: u64,
    commitment: Hash,
}

impl<'a> Tree<'a> {
    pub(super) fn new(dir: &'a Path, head: TreeHead, signed: bool, saved: Option<TreeHead>) -> Self {
        Self { dir, head, signed, saved, edge: Edge::default(), events: Vec::new(), taken: 0 }
    }

    /// Takes the next record; `None` when its event is damaged or missing.
    pub(super) fn take(&mut self, report: &mut Report, event: Option<(&Path, u64, Hash)>) {
        self.taken += 1;
        if self.taken > self.head.size {
            return;
        }
        self.events.push(event.map(|(file, offset, commitment)| Event {
            file: file.to_owned(),
            offset,
            commitment,
        }));
        if self.events.len() as u64 == WIDTH || self.taken == self.head.size {
            self.tile(report);
        }
    }

    /// Compares what is left: the partial tiles, the root, and the saved checkpoint.
    pub(super) fn finish(mut self, report: &mut Report) {
        for tile in self.edge.partials() {
            self.check(report, &tile);
        }
        if self.signed && self.edge.size() == self.head.size && self.edge.root() != self.head.root {
            report.find(
                checkpoint_path(),
                None,
                0,
                "the records do not hash to the root that it signs: this is a fork",
            );
        }
        self.check_saved(report);
    }

    fn check_saved(&mut self, report: &mut Report) {
        let Some(saved) = self.saved else { return };
        if saved.size > self.head.size {
            let what = format!(
                "the log ends with {} records, but the saved checkpoint covers {}: its tail was cut, or an old copy put back",
                self.head.size, saved.size
            );
            report.find(checkpoint_path(), Some(self.head.size), 0, what);
        } else if saved.size == 0 && saved.root != crate::merkle::empty_root() {
            report.find(checkpoint_path(), None, 0, "the saved checkpoint is of another log: this is a fork");
        }
    }

    /// Weighs the witnesses of one tile's records.
    fn tile(&mut self, report: &mut Report) {
        let events = std::mem::take(&mut self.events);
        let index = self.edge.size() / WIDTH;
        let bundle = self.read(Shelf::Entries, index).unwrap_or_default();
        let hashes = self.read(Shelf::Level(0), index).unwrap_or_default();
        let (bundle, hashes) = (bundle.as_chunks::<34>().0, hashes.as_chunks::<32>().0);
        let mut full = Vec::new();
        let mut entries = Vec::new();
        for (place, event) in events.into_iter().enumerate() {
            let record = self.edge.size();
            let entry = bundle.get(place).and_then(|item| match item {
                [0, 32, entry @ ..] => Some(*entry),
                _ => None,
            });
            let event_leaf = event.as_ref().map(|event| leaf_hash(&event.commitment));
            let leaf = weigh(event_leaf, entry.map(|entry| leaf_hash(&entry)), hashes.get(place).copied());
            if let Some(event) = &event
                && event_leaf != Some(leaf)
            {
                report.find(
                    &event.file,
                    Some(record),
                    event.offset,
                    "it is not the record that the log commits to",
                );
            }
            let commitment = event.map(|event| event.commitment).filter(|entry| leaf_hash(entry) == leaf);
            entries.extend_from_slice(&[0, 32]);
            entries.extend(commitment.or(entry).unwrap_or_default());
            self.edge.push_leaf(leaf, &mut full);
            self.compare_saved(report);
        }
        self.check_forms(report, Shelf::Entries, index, &entries);
        for tile in full {
            self.check(report, &tile);
        }
    }

    fn compare_saved(&self, report: &mut Report) {
        let Some(saved) = self.saved.filter(|saved| saved.size == self.edge.size()) else { return };
        if self.edge.root() != saved.root {
            let what = format!(
                "the first {} records are not those that the saved checkpoint signs: this is a fork",
                saved.size
            );
            report.find(checkpoint_path(), Some(saved.size.saturating_sub(1)), 0, what);
        }
    }

    fn check(&self, report: &mut Report, tile: &Tile) {
        if let Some((shelf, index)) = tile.place {
            self.check_forms(report, shelf, index, &tile.bytes);
        }
    }

    /// Compares the tile's file, and the partial ones that were left beside it, with what they must hold.
    fn check_forms(&self, report: &mut Report, shelf: Shelf, index: u64, expected: &[u8]) {
        let width = (expected.len() / shelf.item()) as u64;
        let whole = shelf.path(index);
        let exact = shelf.path_of_width(index, width);
        // A full tile beside the partial one that the checkpoint needs is ahead of it, and may be half written.
        let form = [&exact, &whole].into_iter().find(|path| self.dir.join(path).exists());
        let mut forms: Vec<PathBuf> = form.cloned().into_iter().collect();
        if forms.is_empty() {
            report.find(&exact, Some(first_record(shelf, index, 0)), 0, "the tile is missing");
        }
        if let Ok(folder) = fs::read_dir(self.dir.join(shelf.partials(index))) {
            let names =
                folder.filter_map(Result::ok).map(|entry| shelf.partials(index).join(entry.file_name()));
            forms.extend(names.filter(|path| *path != exact));
        }
        for path in forms {
            self.check_form(report, shelf, index, expected, path);
        }
    }

    fn check_form(&self, report: &mut Report, shelf: Shelf, index: u64, expected: &[u8], path: PathBuf) {
        let bytes = match fs::read(self.dir.join(&path)) {
            Ok(bytes) => bytes,
            // A journal in use replaces partial tiles by full ones.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                report.find(
                    path,
                    Some(first_record(shelf, index, 0)),
                    0,
                    format!("it cannot be read: {error}"),
                );
                return;
            }
        };
        let named = match path.strip_prefix(shelf.partials(index)) {
            Ok(name) => name
                .to_str()
                .and_then(|name| name.parse::<u64>().ok())
                .filter(|width| (1..WIDTH).contains(width)),
            Err(_) => Some(WIDTH),
        };
        let Some(width) = named else {
            report.find(path, None, 0, "it is no tile, and nobody knows what it is");
            return;
        };
        let item = shelf.item();
        let wrong = bytes.iter().zip(expected).position(|(is, should)| is != should);
        if let Some(at) = wrong {
            let record = first_record(shelf, index, (at / item) as u64);
            report.find(path, Some(record), at as u64, "it is not what the records hash to");
        } else if bytes.len() as u64 != width * item as u64 {
            let record = first_record(shelf, index, (bytes.len() / item) as u64);
            report.find(path, Some(record), bytes.len() as u64, "it has not the length of its width");
        }
    }

    fn read(&self, shelf: Shelf, index: u64) -> io::Result<Vec<u8>> {
        let width = (self.head.size - index * WIDTH).min(WIDTH);
        let exact = self.dir.join(shelf.path_of_width(index, width));
        if exact.exists() { fs::read(exact) } else { fs::read(self.dir.join(shelf.path(index))) }
    }
}

/// The first record that an item of a tile is about.
fn first_record(shelf: Shelf, index: u64, place: u64) -> u64 {
    let item = index.saturating_mul(WIDTH).saturating_add(place);
    match shelf {
        Shelf::Entries => item,
        Shelf::Level(level) => item.saturating_mul(1 << (8 * u32::from(level)).min(63)),
    }
}

/// What most witnesses say; where all differ, what the event says.
fn weigh(event: Option<Hash>, entry: Option<Hash>, tile: Option<Hash>) -> Hash {
    let agreed = if entry.is_some() && entry == tile { entry } else { event.or(tile).or(entry) };
    agreed.unwrap_or_default()
}
