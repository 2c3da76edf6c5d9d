//! `countersign.toml`: parsed once, each part by the crate that owns it; whatever is wrong is named by file, line and key.

mod place;
mod policies;
mod raw;
mod target;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gate::journal::SyncMode;
use gate::model::{IssuerName, Ttl};
use gate::policy::PolicyFile;
use gate::{Snapshot, SnapshotError, TargetParts};
use identity::IssuerSettings;

pub(crate) use self::place::ConfigError;
use self::place::Document;

/// A configuration that can be served.
pub(crate) struct Config {
    /// Where callers connect.
    pub(crate) listen: SocketAddr,
    /// Where state and journal are.
    pub(crate) data: PathBuf,
    /// The key-encryption key; outside the data folder.
    pub(crate) key_file: PathBuf,
    /// The URL under which callers know the gateway.
    pub(crate) public_url: String,
    /// The journal's name in its checkpoints.
    pub(crate) origin: String,
    /// When reads wait for the disk.
    pub(crate) sync: SyncMode,
    /// How long an approval can be signed and used.
    pub(crate) approval_lifetime: Ttl,
    /// How many workers; as many as the machine has cores unless said.
    pub(crate) workers: usize,
    /// Certificate chain and key, PEM: file and text of each.
    pub(crate) tls: Option<Tls>,
    /// Who may vouch for callers.
    pub(crate) issuers: Vec<IssuerSettings>,
    /// What can be called.
    pub(crate) targets: Vec<TargetParts>,
    /// Policies, the shipped one among them.
    pub(crate) policies: Vec<PolicyFile>,
    /// The file itself.
    pub(crate) file: PathBuf,
}

/// What TLS towards callers needs.
pub(crate) struct Tls {
    pub(crate) cert: (String, Vec<u8>),
    pub(crate) key: (String, Vec<u8>),
}

impl Config {
    /// Reads the file and all that it names.
    ///
    /// # Errors
    /// [`ConfigError`] names file, line and key.
    pub(crate) fn load(file: &Path) -> Result<Self, ConfigError> {
        let document = Document::read(file)?;
        let raw: raw::RawConfig = document.parse()?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let data = folder.join(&raw.data);
        let key_file = resolved(&match raw.key_file {
            Some(key_file) => folder.join(key_file),
            None => beside(&data),
        });
        if key_file.starts_with(resolved(&data)) {
            let message =
                "the key file lies in the data folder, where a copy of the folder would open itself";
            return Err(document.wrong(&["key_file"], message).help("put it elsewhere"));
        }
        let listen: SocketAddr = raw.listen.parse().map_err(|_| {
            document.wrong(&["listen"], "no address").help("write an IP address and a port: `127.0.0.1:7443`")
        })?;
        let tls = raw.tls.map(|tls| tls.read(folder, &document)).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let public_url = raw.public_url.unwrap_or_else(|| format!("{scheme}://{listen}"));
        if tls.is_none() && !listen.ip().is_loopback() {
            let message = "a bearer token off loopback needs TLS";
            return Err(document
                .wrong(&["listen"], message)
                .help("set `tls.cert` and `tls.key`, or listen on 127.0.0.1"));
        }
        let sync = match raw.journal.sync.as_deref() {
            None | Some("writes") => SyncMode::Writes,
            Some("all") => SyncMode::All,
            Some(_) => return Err(document.wrong(&["journal", "sync"], "must be `writes` or `all`")),
        };
        let lifetime = raw.approvals.lifetime.as_deref().unwrap_or("15m");
        let approval_lifetime = Ttl::parse(lifetime)
            .map_err(|error| document.wrong(&["approvals", "lifetime"], &error.to_string()))?;
        let mut issuers = Vec::new();
        for (name, issuer) in raw.issuers {
            let wrong = |message: String| document.wrong(&["issuers", &name], &message);
            let named = IssuerName::parse(&name).map_err(|error| wrong(error.to_string()))?;
            issuers.push(IssuerSettings::parse(named, issuer).map_err(|error| wrong(error.to_string()))?);
        }
        let mut targets = Vec::new();
        for (name, table) in raw.targets {
            targets.push(target::parse(&name, table, folder, &document)?);
        }
        let policies = policies::read(&folder.join(&raw.policies), &document)?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            listen,
            data,
            key_file,
            public_url: public_url.trim_end_matches('/').to_owned(),
            origin: raw.journal.origin.unwrap_or_else(|| "countersign.local/gateway".to_owned()),
            sync,
            approval_lifetime,
            workers: raw.workers.unwrap_or(cores).clamp(1, 256),
            tls,
            issuers,
            targets,
            policies,
            file: file.to_owned(),
        })
    }

    /// Takes note of the port that the operating system chose for port 0. The public URL follows, unless the file states one.
    pub(crate) fn bound(&mut self, address: SocketAddr) {
        if let Some(scheme) = self.public_url.strip_suffix(&format!("://{}", self.listen)) {
            self.public_url = format!("{scheme}://{address}");
        }
        self.listen = address;
    }

    /// Compiles policies against targets; takes both out of the configuration.
    ///
    /// # Errors
    /// [`SnapshotError`] lists what is wrong with the policies.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot, SnapshotError> {
        let targets = std::mem::take(&mut self.targets);
        Snapshot::build(targets, api::own_actions(), &self.policies, self.workers)
    }
}

/// The path without detours, as far as what leads to it is there: `a/../key` is `key`.
fn resolved(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (std::fs::canonicalize(path), std::fs::canonicalize(parent), path.file_name()) {
        (Ok(path), ..) => path,
        (Err(_), Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// `DIR.key` beside `DIR`.
pub(crate) fn beside(data: &Path) -> PathBuf {
    let mut name =
        data.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_else(|| "countersign".into());
    name.push(".key");
    data.with_file_name(name)
}

#[cfg(test)]
mod tests;
