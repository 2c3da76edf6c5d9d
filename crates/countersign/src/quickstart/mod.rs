//! `quickstart`: a gateway with something in front of it and something behind it, for whoever meets Countersign.
//!
//! The first start writes a configuration, policies and a key; every later one carries on with what is there. Beside the
//! gateway runs a development issuer, in this process, and the demo API, in one of its own. `--once` tells the whole story
//! unattended: see [`once`].
//!
//! It promises that the folder alone opens nothing: the key and what belongs to the development issuer lie beside it. It
//! refuses addresses off loopback, and a folder that is not its own.

mod announce;
mod demo_process;
mod files;
mod once;
mod page;
mod place;
mod ports;
mod setup;

use std::path::Path;

use anyhow::Context as _;
use gate::model::SystemClock;

use self::announce::Announcement;
use self::demo_process::DemoProcess;
use self::setup::Setup;
use crate::cli::Quickstart;
use crate::commands;
use crate::demo::issuer::DevelopmentIssuer;
use crate::gateway::{Gateway, Started};

/// The folder, unless `--data` says otherwise.
const FOLDER: &str = "countersign-quickstart";

/// Runs it until SIGTERM or SIGINT, or tells the story once. Exit status 1 when the story was not seen whole.
pub(crate) async fn run(options: &Quickstart, json: bool) -> anyhow::Result<u8> {
    if options.once {
        return once::run(options, json).await;
    }
    let folder = options.data.as_deref().unwrap_or(Path::new(FOLDER));
    let setup = Setup::prepare(folder, options).await?;
    let issuer = start_issuer(&setup).await?;
    let demo = match &setup.demo {
        Some(demo) => Some(DemoProcess::start(demo, &setup.place.demo_state()).await?),
        None => None,
    };
    let announcement = Announcement::new(&setup, &issuer)?;
    let Started { gateway, code } = Gateway::start(setup.config).await?;
    announcement.with_code(code.as_ref()).tell(json);
    let served = commands::gateway::serve(gateway).await;
    if let Some(demo) = demo {
        demo.end().await;
    }
    served.map(|()| 0)
}

async fn start_issuer(setup: &Setup) -> anyhow::Result<DevelopmentIssuer> {
    let started =
        DevelopmentIssuer::start(setup.issuer, &setup.place.development(), SystemClock::shared()).await;
    started.with_context(|| {
        let folder = setup.place.folder().display();
        format!("the development issuer does not start: does another quickstart run on `{folder}`?")
    })
}
