//! The journal, as an auditor sees it: verified, tampered with in a copy, and copied without its key.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::process::{Ran, run};
use super::scene::Scene;
use super::told::{Seen, expect};

/// Nothing was changed. The checkpoint is kept, as an auditor would elsewhere.
pub(super) async fn verified(scene: &Scene) -> Seen {
    let report = audit(scene, &["--json", "audit", "verify"], &[]).await?;
    report.is(0)?;
    let checkpoint = audit(scene, &["audit", "checkpoint"], &[]).await?;
    checkpoint.is(0)?;
    fs::write(&scene.checkpoint, &checkpoint.out).context("the checkpoint cannot be kept")?;
    let report = report.json();
    let count = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (events, parts, covered) = (count("events"), count("parts"), count("covered"));
    expect(covered > 0 && covered == events, "that the checkpoint covers every event", || {
        report.to_string()
    })?;
    Ok(format!("{events} events and {parts} sealed parts, nothing changed"))
}

/// The journal of the second start has that of the first in it.
pub(super) async fn continues(scene: &Scene) -> anyhow::Result<()> {
    let saved = [OsStr::new("--checkpoint"), scene.checkpoint.as_os_str()];
    audit(scene, &["audit", "verify"], &saved).await?.is(0)
}

/// One byte, in the middle of each file of a copy, one after the other.
pub(super) async fn flipped(scene: &Scene) -> Seen {
    let key = audit(scene, &["audit", "key"], &[]).await?;
    key.is(0)?;
    let copy = scene.scratch("copied-journal");
    copy_folder(&scene.told()?.data.join("journal"), &copy)?;
    let (mut count, mut example) = (0, String::new());
    for file in files(&copy)? {
        let mut bytes = fs::read(&file)?;
        let at = bytes.len() / 2;
        let Some(byte) = bytes.get_mut(at) else { continue };
        *byte ^= 1;
        fs::write(&file, &bytes)?;
        let named = file.strip_prefix(&copy).unwrap_or(&file).to_owned();
        let finding = found(scene, &copy, key.out.trim(), &named, at).await?;
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        fs::write(&file, &bytes)?;
        count += 1;
        if named.starts_with("events") {
            example = finding;
        }
    }
    Ok(format!("in each of {count} files; {example}"))
}

/// Verifies the copy; the finding that names this file.
async fn found(scene: &Scene, copy: &Path, key: &str, file: &Path, at: usize) -> anyhow::Result<String> {
    let arguments = ["--json", "audit", "verify", "--key", key, "--journal"].map(OsStr::new);
    let report = run(&[&arguments[..], &[copy.as_os_str()]].concat(), &scene.answers).await?;
    report.is(5).with_context(|| format!("byte {at} of `{}` was flipped", file.display()))?;
    let findings = report.json();
    let findings = findings.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_here = |finding: &&Value| {
        let offset = finding.get("offset").and_then(Value::as_u64);
        let before =
            offset.and_then(|offset| usize::try_from(offset).ok()).is_some_and(|offset| offset <= at);
        before && finding.get("file").and_then(Value::as_str) == file.to_str()
    };
    let here = findings.iter().find(is_here);
    let expected = format!("a finding in `{}`, where byte {at} was flipped", file.display());
    expect(here.is_some(), &expected, || report.to_string())?;
    let member =
        |name: &str| here.and_then(|finding| finding.get(name)).map(ToString::to_string).unwrap_or_default();
    Ok(format!("{}, record {}", file.display(), member("record")))
}

/// A copy of the folder, elsewhere.
pub(super) async fn copied(scene: &Scene) -> Seen {
    let copy = scene.scratch("elsewhere");
    let name = scene.place.folder().file_name().unwrap_or_default();
    let (folder, own_key) = (copy.join(name), &scene.told()?.key_file);
    copy_folder(scene.place.folder(), &folder)?;
    // A key file that was named by its whole path is found from anywhere; who has only the copy does not have it.
    let config = folder.join("countersign.toml");
    let text = fs::read_to_string(&config)?.replace(&own_key.display().to_string(), "../not-there.key");
    fs::write(&config, text)?;
    let arguments = [OsStr::new("audit"), OsStr::new("verify"), OsStr::new("--config"), config.as_os_str()];
    let verify = run(&arguments, &scene.answers).await?;
    let refused = |ran: &Ran| ran.code == Some(1) && ran.error.contains("key");
    expect(refused(&verify), "that the key is missing", || verify.to_string())?;
    let start =
        run(&[OsStr::new("quickstart"), OsStr::new("--data"), folder.as_os_str()], &scene.answers).await?;
    expect(refused(&start), "that the key is missing", || start.to_string())?;
    Ok("neither audit nor quickstart, without its key".to_owned())
}

async fn audit(scene: &Scene, command: &[&str], more: &[&OsStr]) -> anyhow::Result<Ran> {
    let config = scene.place.config();
    let mut arguments: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
    arguments.extend([OsStr::new("--config"), config.as_os_str()]);
    arguments.extend(more);
    run(&arguments, &scene.answers).await
}

/// Every file below a folder, in order.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(&file, &copy).with_context(|| format!("cannot copy `{}`", file.display()))?;
    }
    Ok(())
}
