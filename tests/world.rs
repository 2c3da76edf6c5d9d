//! A gateway before an origin that the test scripts, and how each such test ends: the gateway stops in order, its journal
//! verifies, and neither tokens nor the injected secret are found in anything that it wrote.

use std::cell::RefCell;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testkit::{Answer, Builder, GatewayBox, IssuerServer, Outgoing};

use crate::PROGRAM;
use crate::origin::{self, Origin, Seen};

/// The secret that is injected into every call of the target `api`, as `x-api-key`.
pub(crate) const KEY: &str = "target+key/9d3b7e1f5a2c8064==";

/// `dev/workers` may send any request to `api`; below `/ask` somebody of `dev/approvers` must sign. For `dev/plain` nothing
/// is masked. `dev/operators` may use Countersign's own interface.
pub(crate) const POLICIES: &str = r#"
@id("work")
permit (principal in Group::"dev/workers", action in Action::"http", resource == Target::"api");

@id("asks")
@approve("dev/approvers")
forbid (principal, action in Action::"http", resource == Target::"api")
when { context.path like "/ask*" }
unless { context has approval && context.approval.groups.contains("dev/approvers") };

@id("plain")
permit (principal in Group::"dev/plain", action == Action::"readUnmasked", resource in Target::"api");

@id("approve")
permit (principal in Group::"dev/approvers", action in [Action::"approval.sign", Action::"approval.reject"], resource);

@id("operate")
permit (principal in Group::"dev/operators", action in Action::"countersign", resource);
"#;

/// A gateway, the origin behind it, and who vouches for callers.
pub(crate) struct World {
    pub(crate) gateway: GatewayBox,
    pub(crate) origin: Origin,
    pub(crate) issuer: IssuerServer,
    /// Every token that was given out.
    tokens: RefCell<Vec<String>>,
}

impl World {
    /// Before an origin that answers this to every request.
    pub(crate) fn answering(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::before(Origin::answering(answer))
    }

    /// Before an origin that says `{"ok":true}` to every request.
    pub(crate) fn new() -> Self {
        Self::answering(|_| origin::json(&json!({ "ok": true })))
    }

    pub(crate) fn before(origin: Origin) -> Self {
        Self::with(origin, |builder| builder)
    }

    /// The same, with what the test adds.
    pub(crate) fn with(origin: Origin, add: impl FnOnce(Builder) -> Builder) -> Self {
        let mut world = Self::written(origin, add);
        world.gateway.start();
        world
    }

    /// Before a server at `url`, which is none of ours.
    pub(crate) fn to(url: &str) -> Self {
        let mut world = Self::written_for(url, Origin::answering(|_| Vec::new()), |builder| builder);
        world.gateway.start();
        world
    }

    /// Before `origin`, without starting the gateway.
    pub(crate) fn written(origin: Origin, add: impl FnOnce(Builder) -> Builder) -> Self {
        Self::written_for(&origin.url(), origin, add)
    }

    fn written_for(url: &str, origin: Origin, add: impl FnOnce(Builder) -> Builder) -> Self {
        let issuer = IssuerServer::start();
        let builder = GatewayBox::builder(PROGRAM)
            .key("workers = 2")
            .table(&issuer.toml("dev"))
            .table(&target("api", url))
            .policy("world.cedar", POLICIES)
            .secret("api-key", KEY);
        Self { gateway: add(builder).write(), origin, issuer, tokens: RefCell::default() }
    }

    /// A token of this subject in these groups of `dev`.
    pub(crate) fn token(&self, subject: &str, groups: &[&str]) -> String {
        let token = self.issuer.token(subject, groups);
        self.tokens.borrow_mut().push(token.clone());
        token
    }

    /// A request of a worker to `api`.
    pub(crate) fn call(&self, method: &str, path: &str) -> Outgoing {
        self.gateway.request(method, &format!("/t/api{path}")).bearer(&self.token("worker", &["workers"]))
    }

    /// A GET of a worker.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send()
    }

    /// A GET of somebody for whom nothing is masked.
    pub(crate) fn get_plain(&self, path: &str) -> Answer {
        let token = self.token("plain", &["workers", "plain"]);
        self.gateway.get(&format!("/t/api{path}")).bearer(&token).send()
    }

    /// A request of an operator to Countersign's own interface.
    pub(crate) fn own(&self, method: &str, path: &str) -> Outgoing {
        self.gateway.request(method, path).bearer(&self.token("operator", &["operators"]))
    }

    /// A verdict of an approver on an approval: `approve` or `reject`.
    pub(crate) fn verdict(&self, approver: &str, id: &str, verdict: &str) -> Answer {
        let token = self.token(approver, &["approvers"]);
        self.gateway.post(&format!("/v1/approvals/{id}/{verdict}")).bearer(&token).json(&json!({})).send()
    }

    /// The calls in the journal, the latest first: all, or only refused ones.
    pub(crate) fn calls(&self, refused: bool) -> Vec<Value> {
        let answer = self.own("GET", &format!("/v1/calls?limit=1000&refused={refused}")).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["calls"].as_array().unwrap().clone()
    }

    /// How many refusals of a kind `/metrics` counts.
    pub(crate) fn refusals(&self, kind: &str) -> u64 {
        let page = self.own("GET", "/metrics").send().text();
        let name = format!("countersign_refusals_total{{kind=\"{kind}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }

    /// Stops the gateway in order, verifies its journal, and looks for secrets in all that it wrote.
    pub(crate) fn close(mut self) {
        if self.gateway.process().ended().is_none() {
            assert!(self.gateway.terminate().success(), "{}", self.gateway.log());
        }
        let verified = self.gateway.run("", &["audit", "verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        let mut secrets = vec![KEY.to_owned()];
        secrets.extend(self.tokens.borrow().iter().cloned());
        holds_none(self.gateway.folder(), &secrets);
    }
}

/// The tables of a target that takes [`KEY`] in `x-api-key`.
pub(crate) fn target(name: &str, url: &str) -> String {
    format!(
        "[targets.{name}]\nprotocol = \"http\"\nurl = \"{url}\"\n\
         credential = {{ issuer = \"static\", secret = \"api-key\", header = \"X-Api-Key\" }}\n"
    )
}

/// Asserts that no file below `folder` holds a secret, in any of the forms in which one is written.
pub(crate) fn holds_none(folder: &Path, secrets: &[String]) {
    let forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    search(folder, &AhoCorasick::builder().ascii_case_insensitive(true).build(forms).unwrap());
}

fn search(folder: &Path, needles: &AhoCorasick) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, needles);
            continue;
        }
        let found = needles.find(&std::fs::read(&path).unwrap()).map(|found| found.start());
        assert_eq!(found, None, "`{}` holds a secret", path.display());
    }
}

/// A secret as it is, in base64, in hexadecimal and percent-encoded; of a token its signature, which alone is secret.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let secret = secret.rsplit('.').next().unwrap_or(secret);
    let percent = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let bare = |text: String| text.trim_end_matches('=').to_owned();
    vec![
        secret.to_owned(),
        bare(STANDARD.encode(secret)),
        URL_SAFE_NO_PAD.encode(secret),
        hex::encode(secret),
        secret.bytes().map(percent).collect(),
    ]
}
