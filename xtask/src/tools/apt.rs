//! Packages of Debian and its kin; elsewhere, what is missing by name.

use crate::failure::Failure;
use crate::place::{Place, finish};

/// Installs packages, and says so first.
///
/// # Errors
/// Where there is no `apt-get`, or it may not be used: then the failure names `what` is missing.
pub(crate) fn install(place: &Place, packages: &[&str], what: &str) -> Result<(), Failure> {
    let command = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !place.succeeds("apt-get", &["--version"]) {
        let next = format!(
            "install it (Debian's packages: {}) by your system's package manager",
            packages.join(", ")
        );
        return Err(Failure::new(format!("missing: {what}"), next));
    }
    let root = place.command("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !root && !place.succeeds("sudo", &["--version"]) {
        return Err(Failure::new(format!("missing: {what}"), format!("run as root: `{command}`")));
    }
    println!("    missing: {what}\n    so: {command}");
    let apt_get = |arguments: &[&str]| {
        let mut apt = place.command(if root { "env" } else { "sudo" });
        if !root {
            apt.arg("env");
        }
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
        apt
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    if finish(&mut apt_get(&install)).is_ok() {
        return Ok(());
    }
    println!("    its lists of packages may be old, so: apt-get update");
    finish(&mut apt_get(&["update"]))?;
    finish(&mut apt_get(&install))
}
