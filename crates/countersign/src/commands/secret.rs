//! `secret set`

use gate::lease::Credentials;
use gate::model::{SecretName, SystemClock};

use super::{print, print_json, read_secret};
use crate::cli::ConfigFile;
use crate::config::Config;
use crate::gateway::state;

/// Seals a secret under the key-encryption key. A running gateway uses it within two seconds.
pub(crate) async fn set(name: &str, file: &ConfigFile, json: bool) -> anyhow::Result<()> {
    let name = SecretName::parse(name)?;
    let config = Config::load(&file.config)?;
    let used = config.targets.iter().any(|target| target.credential.needs_secret() == Some(&name));
    let value = read_secret(&format!("Value of `{name}`: "))?;
    let (store, sealer) = state(&config.data, &config.key_file).await?;
    let credentials = Credentials::open(store, sealer, SystemClock::shared(), config.public_url).await?;
    credentials.set_secret(&name, value).await?;
    if json {
        print_json(&serde_json::json!({ "secret": name, "used": used }));
    } else if used {
        print(&format!("`{name}` is sealed"));
    } else {
        print(&format!("`{name}` is sealed; no target of {} names it yet", file.config.display()));
    }
    Ok(())
}
