//! The long-term secret: received by its target, and found nowhere else.

use std::fs;

use anyhow::Context as _;

use super::journal::files;
use super::scene::Scene;
use super::search::{Search, is_compressed};
use super::told::{Seen, expect};

/// Searches every answer, every log, and every file of the folder and of what lies beside it.
pub(super) fn nowhere(scene: &Scene) -> Seen {
    let search = Search::new(scene.key.expose())?;
    let mut searched = 0;
    let mut look = |name: &str, bytes: &[u8]| {
        searched += bytes.len();
        let found = search.find(bytes).map(|(spelling, at)| format!("{name}: {spelling}, at byte {at}"));
        expect(found.is_none(), "the secret nowhere", || found.unwrap_or_default())
    };
    look("an answer, or what a command printed", &scene.answers.all())?;
    let mut all = vec![scene.told()?.key_file.clone()];
    for folder in [scene.place.folder().to_owned(), scene.place.development(), scene.logs()] {
        all.extend(files(&folder)?);
    }
    for file in &all {
        let name = file.display().to_string();
        let bytes = fs::read(file).with_context(|| format!("cannot read `{name}`"))?;
        expect(!is_compressed(&bytes), "files that can be searched as they are", || {
            format!("{name} is compressed")
        })?;
        look(&name, &bytes)?;
    }
    let (count, kib) = (all.len(), searched / 1024);
    Ok(format!("in answers, logs and {count} files, {kib} KiB; {} spellings", search.spellings()))
}
