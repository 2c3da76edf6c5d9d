//! What a quickstart tells its user: where everything is, and who may sign in by which token.

use std::path::PathBuf;

use anyhow::Context as _;
use gate::model::{Address, Clock as _, Scheme, Secret, SystemClock, Timestamp, Ttl};
use serde::{Deserialize, Serialize};

use super::page;
use super::setup::Setup;
use crate::commands::print;
use crate::demo::issuer::DevelopmentIssuer;

/// How long the printed tokens are good for: a working day, so that nobody looks for why they fail before it is over.
pub(super) const LIFETIME: &str = "12h";

/// All that is told. With `--json` this is the one line on standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Announcement {
    /// The gateway's URL.
    pub(super) gateway: String,
    /// The development issuer's.
    pub(super) issuer: String,
    /// The demo API's; none where the reader's own stands in its place.
    pub(super) demo: Option<String>,
    /// The reader's own API.
    pub(super) api: Option<String>,
    /// The configuration.
    pub(super) config: PathBuf,
    /// State and journal.
    pub(super) data: PathBuf,
    /// The key-encryption key.
    pub(super) key_file: PathBuf,
    /// What is for development only, and not sealed.
    pub(super) development: PathBuf,
    /// Who calls.
    pub(super) function: SignedIn,
    /// Who signs.
    pub(super) approver: SignedIn,
    /// When both tokens end.
    pub(super) expires: Timestamp,
    /// The one-time code for the first administrator, while there is none.
    pub(super) setup_code: Option<String>,
}

/// Somebody whom the development issuer has signed in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SignedIn {
    /// As policies and the journal name them.
    pub(super) principal: String,
    /// The group that policies speak of.
    pub(super) group: String,
    /// The bearer token.
    pub(super) token: String,
}

impl Announcement {
    /// Signs the function and the approver in.
    pub(super) fn new(setup: &Setup, issuer: &DevelopmentIssuer) -> anyhow::Result<Self> {
        let lifetime = Ttl::parse(LIFETIME)?;
        let expires = SystemClock.now().plus(lifetime.duration());
        let signed_in = |subject: &str, group: &str| {
            let token = issuer.sign(subject, &[group], lifetime)?;
            let token = token.expose_str().context("a token is text")?.to_owned();
            Ok::<_, anyhow::Error>(SignedIn {
                principal: format!("dev/{subject}"),
                group: format!("dev/{group}"),
                token,
            })
        };
        let target = setup.config.targets.first().map(|target| url_of(target.settings.dialer.address()));
        let (demo, api) = if setup.demo.is_some() { (target, None) } else { (None, target) };
        Ok(Self {
            gateway: setup.config.public_url.clone(),
            issuer: issuer.url().to_owned(),
            demo,
            api,
            config: setup.place.config(),
            data: setup.config.data.clone(),
            key_file: setup.config.key_file.clone(),
            development: setup.place.development(),
            function: signed_in("billing-function", "functions")?,
            approver: signed_in("ada", "approvers")?,
            expires,
            setup_code: None,
        })
    }

    /// The same, with the one-time code.
    pub(super) fn with_code(mut self, code: Option<&Secret>) -> Self {
        self.setup_code = code.and_then(Secret::expose_str).map(str::to_owned);
        self
    }

    /// Prints it, for people or for programs.
    pub(super) fn tell(&self, json: bool) {
        if json {
            // One line, so that a reader knows when it has it all.
            print(&serde_json::to_string(self).unwrap_or_else(|error| error.to_string()));
        } else {
            print(&page::of(self));
        }
    }
}

fn url_of(address: &Address) -> String {
    match address.scheme {
        Scheme::Plain => format!("http://{address}"),
        Scheme::Tls => format!("https://{address}"),
    }
}
