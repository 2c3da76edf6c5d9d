//! Reading the configuration again, without dropping calls.

use std::path::Path;

use gate::journal::Event;
use gate::model::SystemClock;
use gate::{Gate, Listener};
use identity::Identity;

use crate::config::Config;

/// Replaces issuers, targets, policies and certificate together, or nothing.
pub(super) async fn reload(
    gate: &Gate,
    listener: &Listener,
    file: &Path,
    workers: usize,
) -> anyhow::Result<identity::Refresh> {
    let replaced = replace(gate, listener, file, workers).await;
    if let Err(error) = &replaced {
        let refused = Event::PolicyRefused { detail: error.to_string() };
        if let Err(error) = gate.journal().append(refused, None) {
            tracing::error!(%error, "a refused configuration is not in the journal");
        }
    }
    replaced
}

async fn replace(
    gate: &Gate,
    listener: &Listener,
    file: &Path,
    workers: usize,
) -> anyhow::Result<identity::Refresh> {
    let mut config = Config::load(file)?;
    config.workers = workers;
    let tls =
        config.tls.as_ref().map(|tls| gate::acceptor((&tls.cert.0, &tls.cert.1), (&tls.key.0, &tls.key.1)));
    let tls = tls.transpose()?;
    let snapshot = config.snapshot().map_err(crate::commands::policy::listed)?;
    let identity = Identity::new(std::mem::take(&mut config.issuers), SystemClock::shared())?;
    let refresh = identity.spawn_refresh();
    gate.replace(identity, snapshot).await?;
    if let Some(tls) = tls {
        listener.renew(tls);
    }
    Ok(refresh)
}
