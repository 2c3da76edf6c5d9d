//! `quickstart --once`: the whole story, unattended. Exit status 0 only if each step of it was seen.
//!
//! The gateway, its issuer and the demo API run as a user would run them, in processes of their own. The story sees what a
//! user could see: answers over HTTP, files, logs and exit codes. It knows one thing more, the demo's long-term secret, so
//! that it can look for it everywhere.

mod client;
mod journal;
mod leaks;
mod payment;
mod process;
mod reading;
mod restart;
mod scene;
mod search;
mod told;

use tokio::signal::unix::{SignalKind, signal};

use self::scene::Scene;
use self::told::Told;
use crate::cli::Quickstart;

/// Tells the story. Exit status 1 when a step was not seen; then what it left stays, and is named.
pub(super) async fn run(options: &Quickstart, json: bool) -> anyhow::Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut told = Told::new(json);
    let mut scene = Scene::set(options).await?;
    let seen = tokio::select! {
        seen = story(&mut scene, &mut told) => seen,
        _ = interrupt.recv() => Err(anyhow::anyhow!("it was interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("it was told to end")),
    };
    match seen {
        Ok(()) => {
            scene.clear()?;
            told.end(None);
            Ok(0)
        }
        Err(error) => {
            told.unseen(&error);
            told.end(Some(scene.keep()));
            Ok(1)
        }
    }
}

/// The steps, in order.
async fn story(scene: &mut Scene, told: &mut Told) -> anyhow::Result<()> {
    told.step("a gateway starts", scene.start().await)?;
    told.step("a named call is answered, masked", reading::masked(scene).await)?;
    told.step("a class is shown to whom policy says", reading::classified(scene).await)?;
    told.step("the target received its secret", reading::received(scene))?;
    told.step("a secret that is echoed stays hidden", reading::echoed(scene).await)?;
    told.step("a call is denied, with its reason", reading::denied(scene).await)?;
    told.step("a payment waits for a signature", payment::waits(scene).await)?;
    told.step("nobody signs for their own call", payment::not_by_oneself(scene).await)?;
    told.step("another person signs, and it runs once", payment::signed(scene).await)?;
    told.step("the identical call asks anew", payment::asks_anew(scene).await)?;
    told.step("a rate is used up", reading::rated(scene).await)?;
    told.step("the call's recording is shown", reading::recorded(scene).await)?;
    told.step("it ends when it is told to", scene.end().await)?;
    told.step("the journal is verified", journal::verified(scene).await)?;
    told.step("a flipped byte is reported where it is", journal::flipped(scene).await)?;
    told.step("a copied folder opens nothing", journal::copied(scene).await)?;
    told.step("a second start carries on", restart::carries_on(scene).await)?;
    told.step("the secret is found nowhere else", leaks::nowhere(scene))
}
