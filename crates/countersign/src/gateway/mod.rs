//! A running gateway: its stages opened in order, its listener, reload and draining.

mod open;
mod reload;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gate::model::{Clock as _, Secret, SystemClock, Timestamp};
use gate::{Gate, Listener, Workers};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;

pub(crate) use self::open::{journal_key, state};

/// How long calls under way may take once the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// How often approvals that have run out are ended.
const SWEEP: Duration = Duration::from_secs(5);

/// A gateway that serves callers.
pub(crate) struct Gateway {
    gate: Gate,
    listener: Listener,
    workers: Arc<Workers>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    refresh: identity::Refresh,
    file: std::path::PathBuf,
}

/// What a start found and made.
pub(crate) struct Started {
    /// The gateway.
    pub(crate) gateway: Gateway,
    /// The one-time code for the first administrator, while there is none.
    pub(crate) code: Option<Secret>,
}

impl Gateway {
    /// Opens every stage and begins to serve.
    ///
    /// # Errors
    /// When a stage cannot be opened or the address cannot be bound; the error says which, and what to do.
    pub(crate) async fn start(mut config: Config) -> anyhow::Result<Started> {
        let tls = config
            .tls
            .as_ref()
            .map(|tls| gate::acceptor((&tls.cert.0, &tls.cert.1), (&tls.key.0, &tls.key.1)));
        let listener = Listener::bind(config.listen, tls.transpose()?).await?;
        config.bound(listener.address()?);
        let opened = open::stages(&mut config).await?;
        let gate = opened.gate;
        let workers = Arc::new(Workers::start(config.workers).context("cannot start the workers")?);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(protocol_http::serve(
            listener.clone(),
            Arc::clone(&workers),
            gate.clone(),
            api::interface(gate.clone()),
            stopped,
        ));
        let sweeping = tokio::spawn(sweep(gate.clone()));
        let (refresh, file) = (opened.refresh, config.file);
        let gateway = Self { gate, listener, workers, stop, serving, sweeping, refresh, file };
        Ok(Started { gateway, code: opened.code })
    }

    /// The address that callers connect to.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub(crate) fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.address()
    }

    /// Reads the configuration again. A broken draft is refused and recorded, and the one that stands stays.
    ///
    /// # Errors
    /// What is wrong with the draft.
    pub(crate) async fn reload(&mut self) -> anyhow::Result<()> {
        let refresh = reload::reload(&self.gate, &self.listener, &self.file, self.workers.count()).await?;
        self.refresh = refresh;
        Ok(())
    }

    /// Refuses new calls, lets those under way end, closes the journal.
    ///
    /// # Errors
    /// When the journal cannot be closed with everything in it.
    pub(crate) async fn drain(self) -> anyhow::Result<()> {
        self.gate.stop();
        self.stop.send_replace(true);
        drop(self.listener);
        let deadline = tokio::time::Instant::now() + DRAIN;
        // What was answered must reach its caller too, so connections are awaited and not only calls.
        let _ = tokio::time::timeout_at(deadline, self.serving).await;
        while self.gate.metrics().under_way() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.sweeping.abort();
        drop(self.refresh);
        let journal = self.gate.journal().clone();
        let workers = self.workers;
        tokio::task::spawn_blocking(move || {
            drop(workers);
            let _ = journal.append(gate::journal::Event::Stopped, None);
            journal.close()
        })
        .await
        .context("the journal's closing was lost")?
        .context("the journal could not be closed in order")
    }
}

async fn sweep(gate: Gate) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(error) = gate.approvals().expire_due().await {
            tracing::warn!(%error, "approvals that have run out could not be ended");
        }
    }
}

/// Now, by the machine's clock.
fn now() -> Timestamp {
    SystemClock.now()
}
