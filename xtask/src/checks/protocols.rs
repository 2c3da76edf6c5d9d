//! Protocols cannot dial: what a protocol crate may depend on is a list, and no source of one names a connector.
//!
//! A protocol speaks over streams that `gate` accepted or dialled; a second way to a target would be a way around the
//! decision. Cargo unites features over the workspace, so that a crate which may listen could also connect: the
//! manifest alone is not enough, and the source is searched too. Test modules may dial.

use std::fs;
use std::path::Path;

use super::File;
use super::source::Source;
use crate::failure::Failure;

/// What each protocol crate may depend on. Whoever adds to it says in the commit why the new one cannot connect.
const MAY_USE: [(&str, &[&str]); 1] = [(
    "protocol-http",
    &[
        "bytes",
        "futures-util",
        "gate",
        "http",
        "http-body",
        "http-body-util",
        "httparse",
        "hyper",
        "hyper-util",
        "percent-encoding",
        "serde",
        "serde_json",
        "thiserror",
        "tokio",
        "toml",
        "tracing",
        "url",
    ],
)];

/// Names by which a connection could be made with what is on the list.
const CONNECTORS: [&str; 8] = [
    "TcpStream::connect",
    "TcpSocket",
    "UnixStream",
    "UdpSocket",
    "lookup_host",
    "ToSocketAddrs",
    "client::legacy",
    "std::net::TcpStream",
];

/// Names a connector in the source of a protocol.
pub(super) fn check_source(file: &File) -> Vec<String> {
    let is_protocol =
        file.path.to_str().is_some_and(|path| path.starts_with("crates/protocol-") && path.contains("/src/"));
    if !is_protocol || file.path.ends_with("tests.rs") {
        return Vec::new();
    }
    let source = Source::read(&file.text);
    let named = CONNECTORS.into_iter().filter(|name| source.says(name));
    named.map(|name| format!("{}: names `{name}`, but only gate may dial", file.path.display())).collect()
}

/// Names each dependency of a protocol that is not on its list.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn check_manifests(root: &Path) -> Result<Vec<String>, Failure> {
    let folder = root.join("crates");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| Failure::path(&folder, &error))? {
        let path = entry.map_err(|error| Failure::path(&folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("protocol-") {
            let manifest = path.join("Cargo.toml");
            let text = fs::read_to_string(&manifest).map_err(|error| Failure::path(&manifest, &error))?;
            wrong.extend(check_manifest(&name, &text));
        }
    }
    Ok(wrong)
}

fn check_manifest(krate: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == krate) else {
        return vec![format!(
            "crates/{krate}: has no list of what it may use in xtask/src/checks/protocols.rs"
        )];
    };
    let mut wrong = Vec::new();
    let mut in_dependencies = false;
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(table) = line.strip_prefix('[') {
            in_dependencies = table == "dependencies]";
            if table.contains("dependencies.")
                || (table.starts_with("target.") && table.contains("dependencies"))
            {
                wrong.push(format!("crates/{krate}: `{line}`: put dependencies into one plain table"));
            }
        } else if in_dependencies {
            wrong.extend(check_dependency(krate, allowed, line));
        }
    }
    wrong
}

fn check_dependency(krate: &str, allowed: &[&str], line: &str) -> Option<String> {
    let name = line.split(['.', '=']).next().unwrap_or_default().trim();
    if !allowed.contains(&name) {
        return Some(format!(
            "crates/{krate}: depends on `{name}`, which is not on its list in xtask/src/checks/protocols.rs"
        ));
    }
    let plain = line.strip_prefix(name).is_some_and(|rest| rest.trim_start() == ".workspace = true");
    (!plain).then(|| {
        format!("crates/{krate}: `{line}`: write `{name}.workspace = true`, without features of its own")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_is_not_on_the_list_is_named() {
        let wrong = check_manifest(
            "protocol-http",
            "[dependencies]\ngate.workspace = true\nreqwest.workspace = true\n",
        );
        assert!(matches!(wrong.as_slice(), [one] if one.contains("`reqwest`")), "{wrong:?}");
    }

    #[test]
    fn features_and_tables_of_its_own_are_refused() {
        for manifest in [
            "[dependencies]\nhyper-util = { workspace = true, features = [\"client-legacy\"] }\n",
            "[dependencies.reqwest]\nversion = \"1\"\n",
            "[target.'cfg(unix)'.dependencies]\nreqwest = \"1\"\n",
            "[dependencies]\nhyper = \"1\"\n",
        ] {
            assert_eq!(check_manifest("protocol-http", manifest).len(), 1, "{manifest}");
        }
    }

    #[test]
    fn what_tests_depend_on_is_free_and_a_new_protocol_needs_a_list() {
        assert!(check_manifest("protocol-http", "[dev-dependencies]\nreqwest = \"1\"\n").is_empty());
        assert_eq!(check_manifest("protocol-new", "").len(), 1);
    }

    #[test]
    fn a_connector_in_the_source_of_a_protocol_is_named() {
        let file = |path: &str| File { path: path.into(), text: "TcpStream::connect(a);".to_owned() };
        assert_eq!(check_source(&file("crates/protocol-http/src/driver.rs")).len(), 1);
        assert!(check_source(&file("crates/gate/src/dial.rs")).is_empty());
    }
}
