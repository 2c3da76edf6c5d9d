//! The folder of `.cedar` files, and the policy that ships.

use std::path::Path;

use gate::policy::{PolicyFile, SHIPPED_FILE, shipped};

use super::place::{ConfigError, Document};

/// Reads every `.cedar` file of the folder, in the order of names, behind the shipped one.
pub(super) fn read(folder: &Path, document: &Document) -> Result<Vec<PolicyFile>, ConfigError> {
    let unread =
        |error| document.wrong(&["policies"], &format!("cannot read `{}`: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read_to_string(&path)
                .map_err(|error| ConfigError::of_file(&path, format!("cannot be read: {error}")))?;
            files.push(PolicyFile { name, text });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(file) = files.iter().find(|file| file.name == SHIPPED_FILE) {
        let message = format!("`{}` is the name of the policy that ships: give yours another", file.name);
        return Err(document.wrong(&["policies"], &message));
    }
    files.insert(0, PolicyFile { name: SHIPPED_FILE.to_owned(), text: shipped().to_owned() });
    Ok(files)
}
