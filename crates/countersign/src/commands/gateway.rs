//! `gateway`

use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::cli::ConfigFile;
use crate::config::Config;
use crate::gateway::{Gateway, Started};

/// Runs a gateway until SIGTERM or SIGINT; SIGHUP reads the configuration again.
pub(crate) async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let Started { gateway, code } = Gateway::start(Config::load(&file.config)?).await?;
    if let Some(code) = code.as_ref().and_then(gate::model::Secret::expose_str) {
        say(&format!(
            "There is no administrator yet. Sign in and redeem this code within a day:\n  \
             countersign setup --code {code}"
        ));
    }
    serve(gateway).await
}

/// Serves until a signal says to stop.
pub(crate) async fn serve(mut gateway: Gateway) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // Only now: whoever reads this line may send a signal.
    tracing::info!(address = %gateway.address()?, "the gateway serves callers");
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match gateway.reload().await {
                Ok(()) => tracing::info!("the configuration was read again"),
                Err(error) => tracing::error!("the configuration is refused, and the one that stands stays: {error:#}"),
            },
        }
    }
    tracing::info!("stopping: calls under way may end");
    gateway.drain().await
}
