//! What every start does before anything runs: writes what is missing, reads what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::TargetParts;
use gate::lease::{Credentials, Injection, LeaseError, MintFor};
use gate::model::{ActionName, CallId, IssuerName, Principal, PrincipalKey, Secret, SecretName, SystemClock};

use super::demo_process::Demo;
use super::files::{self, OwnApi};
use super::place::Place;
use super::ports::Ports;
use crate::cli::Quickstart;
use crate::config::Config;
use crate::gateway::state;
use crate::protocols;

/// The names that the shipped texts use.
const ISSUER: &str = "dev";
const DEMO: &str = "demo";
const OWN: &str = "api";

/// Where the gateway listens unless `--listen` says otherwise.
const LISTEN: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 7443));

/// A quickstart that can be started.
pub(super) struct Setup {
    pub(super) place: Place,
    pub(super) config: Config,
    /// Where the development issuer listens.
    pub(super) issuer: SocketAddr,
    /// The demo API; none where the reader's own stands in its place.
    pub(super) demo: Option<Demo>,
}

impl Setup {
    /// Writes the folder on the first start, and reads it on every one.
    pub(super) async fn prepare(folder: &Path, options: &Quickstart) -> anyhow::Result<Self> {
        let own = options
            .target
            .as_deref()
            .map(|url| own_api(url, options.target_ca_file.as_deref()))
            .transpose()?;
        let place = Place::make(folder)?;
        if place.config().exists() {
            agrees(&place, options, own.as_ref())?;
        } else {
            first(&place, options, own.as_ref())?;
        }
        let config = Config::load(&place.config())?;
        if let (Some(asked), true) = (&options.key_file, place.config().exists()) {
            same_key_file(asked, &config.key_file, &place)?;
        }
        let issuer = issuer_address(&config, &place)?;
        let demo = match config.targets.iter().find(|target| target.name.as_str() == DEMO) {
            Some(target) => Some(demo(&config, target).await?),
            None => None,
        };
        Ok(Self { place, config, issuer, demo })
    }
}

/// The first start: chooses the ports and writes the files.
fn first(place: &Place, options: &Quickstart, own: Option<&OwnApi>) -> anyhow::Result<()> {
    let folder = place.folder().display();
    let foreign = fs::read_dir(place.folder())
        .with_context(|| format!("cannot read `{folder}`"))?
        .filter_map(Result::ok)
        .find(|entry| entry.path() != place.policies());
    if let Some(foreign) = foreign {
        let name = foreign.file_name();
        bail!(
            "`{folder}` holds `{}` and no quickstart: name an empty or a new folder with --data",
            name.display()
        );
    }
    let key_file = match &options.key_file {
        None => format!("../{}", place.key_file().file_name().unwrap_or_default().display()),
        Some(file) => outside(file, place)?.to_str().context("--key-file: the path is not UTF-8")?.to_owned(),
    };
    files::write(place, &key_file, Ports::choose(options.listen.unwrap_or(LISTEN))?, own)
}

/// The key file as an absolute path, which does not lead into the folder.
fn outside(file: &Path, place: &Place) -> anyhow::Result<PathBuf> {
    let name = file.file_name().with_context(|| format!("--key-file: `{}` names no file", file.display()))?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent)
        .with_context(|| format!("--key-file: there is no folder `{}`", parent.display()))?;
    ensure!(
        !parent.starts_with(place.folder()),
        "--key-file: `{}` lies in the quickstart's folder, and a copy of the folder would open itself: put it elsewhere",
        file.display()
    );
    Ok(parent.join(name))
}

/// A later start carries on with what the configuration says; options that say otherwise are refused.
fn agrees(place: &Place, options: &Quickstart, own: Option<&OwnApi>) -> anyhow::Result<()> {
    let file = place.config();
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    // What cannot be parsed is told by file, line and key when it is loaded.
    let Ok(table) = text.parse::<toml::Table>() else { return Ok(()) };
    let stands = |path: &[&str]| {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))?.as_str()
    };
    let otherwise = |option: &str, key: &str, stands: Option<&str>| {
        let stands = stands.map_or_else(|| "has none".to_owned(), |value| format!("says `{value}`"));
        anyhow!(
            "`{}` carries on with what it was set up with, and its {key} {stands}: leave {option} out, change \
             countersign.toml there, or name another folder with --data",
            place.folder().display()
        )
    };
    if let Some(listen) = options.listen
        && stands(&["listen"]) != Some(listen.to_string().as_str())
    {
        return Err(otherwise("--listen", "`listen`", stands(&["listen"])));
    }
    if let Some(own) = own
        && stands(&["targets", OWN, "url"]) != Some(own.url.as_str())
    {
        return Err(otherwise("--target", "`targets.api.url`", stands(&["targets", OWN, "url"])));
    }
    Ok(())
}

fn same_key_file(asked: &Path, stands: &Path, place: &Place) -> anyhow::Result<()> {
    let asked = outside(asked, place)?;
    let stands = outside(stands, place)?;
    ensure!(
        asked == stands,
        "`{}` was set up with the key file `{}`: leave --key-file out, or name that one",
        place.folder().display(),
        stands.display()
    );
    Ok(())
}

/// Reads `--target` the way the configuration will, before anything is written.
fn own_api(url: &str, ca_file: Option<&Path>) -> anyhow::Result<OwnApi> {
    let ca_file = ca_file.map(|file| {
        let file = fs::canonicalize(file)
            .with_context(|| format!("--target-ca-file: cannot read `{}`", file.display()))?;
        Ok::<_, anyhow::Error>(file.to_str().context("--target-ca-file: the path is not UTF-8")?.to_owned())
    });
    let own = OwnApi { url: url.to_owned(), ca_file: ca_file.transpose()? };
    let protocol = protocols::find("http").context("this gateway does not speak HTTP")?;
    let keys = [("url", Some(own.url.clone())), ("ca_file", own.ca_file.clone())];
    let set = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), toml::Value::String(value?))));
    let option = |key: &str| if key == "ca_file" { "--target-ca-file" } else { "--target" };
    let settings = protocol.settings(set.collect(), Path::new("/"));
    settings.map_err(|error| anyhow!("{}: {}", option(&error.key), error.message))?;
    Ok(own)
}

/// Where the development issuer listens: where its name says.
fn issuer_address(config: &Config, place: &Place) -> anyhow::Result<SocketAddr> {
    let issuer =
        config.issuers.iter().find(|issuer| issuer.name().as_str() == ISSUER && issuer.is_development());
    let address = issuer.and_then(|issuer| issuer.issuer().strip_prefix("http://")?.parse().ok());
    address.with_context(|| {
        let file = place.config();
        let file = file.display();
        format!(
            "`{file}` has no `[issuers.dev]` with `development = true` and an `issuer` such as `http://127.0.0.1:7444`: \
             start what it describes with `countersign gateway --config {file}`"
        )
    })
}

/// The demo API's address and key. The key is made on the first start, and unsealed on every later one.
async fn demo(config: &Config, target: &TargetParts) -> anyhow::Result<Demo> {
    let address = target.settings.dialer.address();
    let ip = address.host.parse().ok().filter(std::net::IpAddr::is_loopback);
    let ip = ip.with_context(|| {
        format!("`targets.demo` is the demo API, and `{address}` is no address of loopback")
    })?;
    let secret =
        target.credential.needs_secret().context("`targets.demo.credential` names no sealed secret")?;
    let (store, sealer) = state(&config.data, &config.key_file).await?;
    let credentials =
        Credentials::open(store, sealer, SystemClock::shared(), config.public_url.clone()).await?;
    let key = match unsealed(&credentials, target).await? {
        Some(key) => key,
        None => make_key(&credentials, secret).await?,
    };
    Ok(Demo { address: SocketAddr::new(ip, address.port), key })
}

/// The sealed key, acquired as a call would acquire it; `None` when there is none yet.
async fn unsealed(credentials: &Credentials, target: &TargetParts) -> anyhow::Result<Option<Secret>> {
    let principal = Principal {
        key: PrincipalKey { issuer: IssuerName::parse(ISSUER)?, subject: "quickstart".into() },
        groups: BTreeSet::new(),
        claims: BTreeMap::new(),
        actor: None,
    };
    let what = MintFor {
        principal: &principal,
        target: &target.name,
        action: &ActionName::builtin("quickstart"),
        call: CallId::new(),
        ttl: None,
    };
    match credentials.acquire(&target.credential, what).await {
        Ok(credential) => match credential.injection {
            Injection::Header { value, .. } => Ok(Some(value)),
            Injection::None | Injection::Query { .. } => {
                bail!("`targets.demo.credential` puts the key into no header")
            }
        },
        Err(LeaseError::NotSet(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A new long-term key, sealed. It holds characters that URLs, JSON and base64 write in several ways, which makes it the
/// harder to find where it should not be, and so the better to look for.
async fn make_key(credentials: &Credentials, name: &SecretName) -> anyhow::Result<Secret> {
    let mut random = [0; 33];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow!("the machine has no randomness"))?;
    let key = Secret::from(format!("demo/+{}", STANDARD.encode(random)));
    credentials.set_secret(name, key.clone()).await?;
    Ok(key)
}
