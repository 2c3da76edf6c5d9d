//! Opening the stages, in the order in which each needs the one before.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gate::approval::Approvals;
use gate::journal::{self, Event, Journal};
use gate::lease::Credentials;
use gate::model::{Secret, SystemClock};
use gate::{Gate, Stages, approval};
use identity::Identity;
use store::seal::{Kek, Sealer};
use store::{Role, Store};

use crate::config::Config;

/// How long the first administrator's code can be redeemed.
const CODE: Duration = Duration::from_secs(24 * 3600);

/// What was opened.
pub(super) struct Opened {
    pub(super) gate: Gate,
    pub(super) refresh: identity::Refresh,
    pub(super) code: Option<Secret>,
}

/// Opens all stages.
pub(super) async fn stages(config: &mut Config) -> anyhow::Result<Opened> {
    let snapshot = config.snapshot().map_err(crate::commands::policy::listed)?;
    let clock = SystemClock::shared();
    let (store, sealer) = state(&config.data, &config.key_file).await?;
    let settings = journal::Settings {
        sync: config.sync,
        ..journal::Settings::new(
            config.data.join("journal"),
            config.origin.clone(),
            journal_key(&store, &sealer).await?,
            sealer.derive("journal"),
            Arc::clone(&clock),
        )
    };
    let (journal, recovered) = tokio::task::spawn_blocking(move || Journal::open(settings))
        .await
        .context("opening the journal was lost")??;
    let approval_settings = approval::Settings { lifetime: config.approval_lifetime, ..Default::default() };
    let approvals = Approvals::new(store.clone(), sealer.clone(), Arc::clone(&clock), approval_settings);
    recover(&journal, &recovered, &approvals).await?;
    let identity = Identity::new(std::mem::take(&mut config.issuers), Arc::clone(&clock))?;
    let refresh = identity.spawn_refresh();
    let url = config.public_url.clone();
    let credentials = Credentials::open(store.clone(), sealer, Arc::clone(&clock), url).await?;
    let administrators: HashSet<_> = store.role_members(Role::Administrator).await?.into_iter().collect();
    let code = if administrators.is_empty() { issue_code(&store).await? } else { None };
    journal.append(Event::PolicyLoaded { revision: snapshot.engine().revision().to_owned() }, None)?;
    let stages = Stages {
        clock,
        identity,
        snapshot,
        approvals,
        journal,
        credentials,
        store,
        openapi: api::document(),
        administrators,
    };
    Ok(Opened { gate: Gate::new(stages), refresh, code })
}

/// The store and what seals in it. The key is made with the data folder, and never for one that is there already.
pub(crate) async fn state(data: &Path, key_file: &Path) -> anyhow::Result<(Store, Sealer)> {
    let kek = match Kek::load(key_file) {
        Ok(kek) => kek,
        Err(_) if !key_file.exists() && !data.join("store.sqlite").exists() => Kek::create(key_file)?,
        Err(error) => return Err(error.into()),
    };
    let folder = data.to_owned();
    let store = tokio::task::spawn_blocking(move || Store::open(&folder))
        .await
        .context("opening the store was lost")??;
    let sealer = store.sealer(&kek).await?;
    Ok((store, sealer))
}

/// The key that signs the journal's checkpoints.
pub(crate) async fn journal_key(store: &Store, sealer: &Sealer) -> anyhow::Result<Secret> {
    const NAME: &str = "journal";
    let sealer = sealer.derive("journal-key");
    let candidate = sealer.seal(NAME.as_bytes(), journal::new_key()?.expose());
    let kept = store.key_or_insert(NAME, candidate).await?;
    sealer.open(NAME.as_bytes(), &kept).context("the journal's signing key is not as it was written")
}

/// Gives back signatures whose call never began, and says what was interrupted.
async fn recover(
    journal: &Journal,
    recovered: &journal::Recovered,
    approvals: &Approvals,
) -> anyhow::Result<()> {
    if !recovered.interrupted.is_empty() {
        let calls: Vec<String> = recovered.interrupted.iter().map(ToString::to_string).collect();
        tracing::warn!(calls = calls.join(" "), "calls were interrupted and may have run");
    }
    // A call that cannot be looked up counts as begun: its signature stays used.
    let has_begun = |call| recovered.begun.contains(&call) || journal.has_begun(call).unwrap_or(true);
    for approval in approvals.give_back_unbegun(has_begun).await? {
        tracing::info!(%approval, "a signature was taken by a call that never began, and is given back");
    }
    Ok(())
}

async fn issue_code(store: &Store) -> anyhow::Result<Option<Secret>> {
    let code = store::generate_code()?;
    let issued = store.issue_code(&code, super::now().plus(CODE)).await?;
    Ok(issued.then_some(code))
}
