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
    let told_of = |step: &'static str| told::Step(step);
    told.step(told_of("a gateway starts, with an issuer before it and a demo API behind it"), scene.start().await)?;
    told.step(told_of("a named call is answered, and what is personal in it is masked"), reading::masked(scene).await)?;
    told.step(told_of("a classified field is shown to whom policy says, and to nobody else"), reading::classified(scene).await)?;
    told.step(told_of("the target received its long-term secret, and nothing of the caller's"), reading::received(scene))?;
    told.step(told_of("a target that echoes the secret is not believed"), reading::echoed(scene).await)?;
    told.step(told_of("a call is denied, with its reason"), reading::denied(scene).await)?;
    told.step(told_of("a payment waits for a signature"), payment::waits(scene).await)?;
    told.step(told_of("nobody signs for a call of their own"), payment::not_by_oneself(scene).await)?;
    told.step(told_of("somebody else signs, and the payment reaches the target once"), payment::signed(scene).await)?;
    told.step(told_of("the identical call, sent again, asks anew and does not run"), payment::asks_anew(scene).await)?;
    told.step(told_of("a rate is used up"), reading::rated(scene).await)?;
    told.step(told_of("the call's recording is shown"), reading::recorded(scene).await)?;
    told.step(told_of("it ends when it is told to"), scene.end().await)?;
    told.step(told_of("the journal is verified"), journal::verified(scene).await)?;
    told.step(told_of("a flipped byte is reported where it is"), journal::flipped(scene).await)?;
    told.step(told_of("a copied folder opens nothing"), journal::copied(scene).await)?;
    told.step(told_of("a second start carries on"), restart::carries_on(scene).await)?;
    told.step(told_of("the secret is nowhere but where it belongs"), leaks::nowhere(scene))
}
