//! `cargo xtask fuzz`: runs the fuzz targets of every crate, each from its committed seeds.
//!
//! A crate's targets are the files of `crates/*/fuzz/fuzz_targets`; a target without seeds is an error, since it would
//! spend its seconds on finding out what its input looks like. No sanitizer is used: no crate of ours has `unsafe`, and
//! without one the stable compiler builds them. What a longer run finds is kept in `fuzz/corpus`, outside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::place::{Place, finish};
use crate::steps::Steps;
use crate::tools;

/// One fuzz target.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its name, and that of its file.
    pub(crate) name: String,
    /// The crate's `fuzz` folder, from the checkout.
    folder: PathBuf,
}

/// Runs every target for the seconds given, 10 by default.
///
/// # Errors
/// When an argument is not understood, a tool is missing, or a target finds something.
pub(crate) fn run(place: &Place, arguments: &[String]) -> Result<(), Failure> {
    let seconds = match arguments {
        [] => 10,
        [flag, seconds] if flag == "--seconds" => {
            seconds.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                Failure::new(format!("`{seconds}` is no number of seconds"), "give a whole number above 0")
            })?
        }
        _ => {
            return Err(Failure::new(
                "`fuzz` takes `--seconds N` and nothing else",
                "see `cargo xtask help`",
            ));
        }
    };
    let targets = targets(place)?;
    let mut steps = Steps::start();
    steps.step("tools", || {
        tools::python_packages(place)?;
        tools::cpp_compiler(place)
    })?;
    for target in &targets {
        steps.step(&format!("fuzz {}", target.name), || run_target(place, target, seconds))?;
    }
    steps.finish();
    Ok(())
}

/// Every target of every crate, in the order of their paths.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn targets(place: &Place) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for krate in entries(&place.root.join("crates"))? {
        let folder = krate.join("fuzz");
        if !folder.join("Cargo.toml").is_file() {
            continue;
        }
        for file in entries(&folder.join("fuzz_targets"))? {
            if let (Some("rs"), Some(name)) = (file.extension().and_then(|e| e.to_str()), file.file_stem()) {
                targets.push(Target { name: name.to_string_lossy().into_owned(), folder: folder.clone() });
            }
        }
    }
    Ok(targets)
}

/// Builds one target and runs it.
///
/// # Errors
/// When it has no seeds, does not build, or finds an input that breaks its promise.
pub(crate) fn run_target(place: &Place, target: &Target, seconds: u32) -> Result<(), Failure> {
    let (seeds, corpus) =
        (target.folder.join("seeds").join(&target.name), target.folder.join("corpus").join(&target.name));
    if !seeds.is_dir() || entries(&seeds)?.is_empty() {
        let next = "commit a few small inputs there, of each kind that it reads";
        return Err(Failure::new(format!("`{}` holds no seeds", seeds.display()), next));
    }
    fs::create_dir_all(&corpus).map_err(|error| Failure::path(&corpus, &error))?;
    let mut fuzz = place.cargo();
    fuzz.args(["fuzz", "run", &target.name, "--sanitizer", "none"]);
    fuzz.arg("--fuzz-dir").arg(&target.folder).arg("--target-dir").arg(place.target()?.join("fuzz"));
    fuzz.args([&corpus, &seeds]);
    fuzz.args(["--", "-timeout=10", "-verbosity=0", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"));
    finish(&mut fuzz).map_err(|failure| {
        let artifacts = target.folder.join("artifacts").join(&target.name);
        failure.next(format!(
            "the input is in `{}`: mend it, and commit the input as a seed",
            artifacts.display()
        ))
    })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().map_err(|error| Failure::path(folder, &error))?;
    paths.sort();
    Ok(paths)
}
