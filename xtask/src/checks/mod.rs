//! What this repository promises about itself that no compiler checks: the length of files, their opening lines, and
//! that protocols cannot dial.

mod doors;
mod length;
mod protocols;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::place::Place;

/// Runs every check over every Rust file of the checkout.
///
/// # Errors
/// With all that is wrong, a line each.
pub(crate) fn run(place: &Place) -> Result<(), Failure> {
    let mut files = Vec::new();
    for top in ["crates", "xtask", "tests", "bench"] {
        collect(&place.root, Path::new(top), &mut files)?;
    }
    let mut wrong = Vec::new();
    for file in &files {
        wrong.extend(length::check(file));
        wrong.extend(doors::check(file));
        wrong.extend(protocols::check_source(file));
    }
    wrong.extend(protocols::check_manifests(&place.root)?);
    if wrong.is_empty() {
        println!("    {} files of Rust", files.len());
        return Ok(());
    }
    Err(Failure::new(wrong.join("\n"), "mend these; xtask/src/checks says what is counted, and why"))
}

/// A file of Rust.
#[derive(Debug)]
struct File {
    /// Where it is, from the checkout.
    path: PathBuf,
    text: String,
}

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 4] = ["target", "node_modules", "corpus", "artifacts"];

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<(), Failure> {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|error| Failure::path(folder, &error))?;
        let path = folder.join(entry.file_name());
        let is_folder = entry.file_type().map_err(|error| Failure::path(&path, &error))?.is_dir();
        if is_folder && !FOREIGN.iter().any(|name| path.ends_with(name)) {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).map_err(|error| Failure::path(&path, &error))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}
