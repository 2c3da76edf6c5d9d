//! Where the story plays: its folders, what runs in them, and who calls.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use gate::model::Secret;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::super::announce::Announcement;
use super::super::place::Place;
use super::super::setup::Setup;
use super::client::{Answer, Answers, Client};
use super::process::Running;
use super::told::{Seen, expect};
use crate::cli::Quickstart;

/// The scene, and what earlier steps leave for later ones.
pub(super) struct Scene {
    /// A fresh folder for logs and copies, and for the quickstart itself unless `--data` names another.
    work: PathBuf,
    pub(super) place: Place,
    /// The demo's long-term secret.
    pub(super) key: Secret,
    pub(super) answers: Answers,
    running: Option<Running>,
    /// What the first start told.
    told: Option<Announcement>,
    callers: Option<(Client, Client)>,
    /// Letters that are this run's own, so that it finds its payment among those of earlier runs.
    pub(super) run: String,
    /// The call of the named operation.
    pub(super) read_call: String,
    /// The payment's call, held until it is signed for.
    pub(super) held: Option<JoinHandle<anyhow::Result<Answer>>>,
    /// The approval of the payment, and that of the identical call after it.
    pub(super) approval: String,
    pub(super) second_approval: String,
    /// The journal's checkpoint at the first end, in a file.
    pub(super) checkpoint: PathBuf,
}

impl Scene {
    /// Makes the folders and the secret.
    pub(super) async fn set(options: &Quickstart) -> anyhow::Result<Self> {
        let run = letters()?;
        let work = std::env::temp_dir().join(format!("countersign-once-{run}"));
        for folder in [work.clone(), work.join("logs")] {
            let made = DirBuilder::new().mode(0o700).create(&folder);
            made.with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        // Where nothing was played, there is nothing to look into.
        let set = Self::set_in(&work, run, options).await;
        if set.is_err() {
            let _ = fs::remove_dir_all(&work);
        }
        set
    }

    async fn set_in(work: &Path, run: String, options: &Quickstart) -> anyhow::Result<Self> {
        let folder = options.data.clone().unwrap_or_else(|| work.join("quickstart"));
        let is_new = !Place::make(&folder)?.config().exists();
        let any_port = || is_new.then_some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let options = Quickstart {
            once: false,
            data: None,
            key_file: options.key_file.clone(),
            target: None,
            target_ca_file: None,
            listen: options.listen.or_else(any_port),
        };
        let setup = Setup::prepare(&folder, &options).await?;
        let demo = setup.demo.with_context(|| {
            format!(
                "`{}` has no demo API, which the story is about: name another folder with --data",
                folder.display()
            )
        })?;
        Ok(Self {
            checkpoint: work.join("checkpoint"),
            work: work.to_owned(),
            place: setup.place,
            key: demo.key,
            answers: Answers::default(),
            running: None,
            told: None,
            callers: None,
            run,
            read_call: String::new(),
            held: None,
            approval: String::new(),
            second_approval: String::new(),
        })
    }

    /// The first start.
    pub(super) async fn start(&mut self) -> Seen {
        let told = self.start_again("first").await?;
        let function = Client::new(&told.gateway, &told.function.token, &self.answers)?;
        let approver = Client::new(&told.gateway, &told.approver.token, &self.answers)?;
        let proof = format!("{}, with issuer and demo API", told.gateway);
        self.callers = Some((function, approver));
        self.told = Some(told);
        Ok(proof)
    }

    /// Starts it; what it logs is named for `which` start.
    pub(super) async fn start_again(&mut self, which: &str) -> anyhow::Result<Announcement> {
        let log = self.logs().join(format!("{which}-start.log"));
        let (running, told) = Running::start(&self.place, &log, &self.answers).await?;
        self.running = Some(running);
        Ok(told)
    }

    /// Ends it, and sees that nothing of it is left running.
    pub(super) async fn end(&mut self) -> Seen {
        let running = self.running.take().context("nothing runs")?;
        running.end().await?;
        let told = self.told()?;
        for url in [Some(&told.gateway), Some(&told.issuer), told.demo.as_ref()].into_iter().flatten() {
            let address = url.strip_prefix("http://").unwrap_or(url);
            expect(TcpStream::connect(address).await.is_err(), "that nobody listens any more", || {
                address.to_owned()
            })?;
        }
        Ok("exit status 0; gateway, issuer and demo API are gone".to_owned())
    }

    /// What the first start told.
    pub(super) fn told(&self) -> anyhow::Result<&Announcement> {
        self.told.as_ref().context("it has not started")
    }

    /// Who calls.
    pub(super) fn function(&self) -> anyhow::Result<&Client> {
        self.callers.as_ref().map(|(function, _)| function).context("it has not started")
    }

    /// Who signs.
    pub(super) fn approver(&self) -> anyhow::Result<&Client> {
        self.callers.as_ref().map(|(_, approver)| approver).context("it has not started")
    }

    /// The lines of one of the demo's files that are JSON.
    pub(super) fn demo_lines(&self, file: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let file = self.place.demo_state().join(file);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.work.join("logs")
    }

    /// A path for something that the story makes.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// Removes what the story made. A folder that `--data` named stays.
    pub(super) fn clear(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.work).with_context(|| format!("cannot remove `{}`", self.work.display()))
    }

    /// Where everything stays that could say why a step was not seen.
    pub(super) fn keep(&self) -> &Path {
        &self.work
    }
}

/// Eight random letters.
fn letters() -> anyhow::Result<String> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow!("the machine has no randomness"))?;
    Ok(random.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}
