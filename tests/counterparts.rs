//! The real counterparts of the tests, from other projects: the OpenID provider `oidc-provider` and the HTTP server
//! `httpbin`. `cargo xtask test` installs both; without them a test fails and says so, it is never skipped.
//!
//! Each ends with its standard input, so that none outlives the tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testkit::{Answer, Outgoing};

/// httpbin on a free port of loopback, which it prints.
const HTTPBIN: &str = "
import os, sys, threading
from werkzeug.serving import make_server, WSGIRequestHandler
from httpbin.core import app
WSGIRequestHandler.protocol_version = 'HTTP/1.1'
server = make_server('127.0.0.1', 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
";

fn tools() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools"))
}

/// A child that speaks in lines.
struct Lines {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

impl Lines {
    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}", missing(&error.to_string())));
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { input, output, _child: child }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{}", missing("it ended before it served"));
        line.trim().to_owned()
    }
}

fn missing(why: &str) -> String {
    format!("a counterpart of the tests cannot be started ({why}): install both with `cargo xtask test`")
}

/// The base URL of httpbin, one for all tests.
pub(crate) fn httpbin() -> String {
    static RUNNING: OnceLock<(String, Mutex<Lines>)> = OnceLock::new();
    let start = || {
        let python = tools().join("venv/bin/python");
        assert!(python.is_file(), "{}", missing("there is no .tools/venv/bin/python"));
        let mut command = Command::new(python);
        command.args(["-W", "ignore", "-c", HTTPBIN]);
        let mut lines = Lines::spawn(command);
        (format!("http://127.0.0.1:{}", lines.line()), Mutex::new(lines))
    };
    RUNNING.get_or_init(start).0.clone()
}

/// A real OpenID provider.
pub(crate) struct Provider {
    lines: Mutex<Lines>,
    issuer: String,
}

impl Provider {
    /// Starts one of its own, with a key of its own.
    pub(crate) fn start() -> Self {
        let modules = tools().join("oidc");
        assert!(
            modules.join("node_modules/oidc-provider").is_dir(),
            "{}",
            missing("there is no .tools/oidc")
        );
        let own = tools().join("venv/bin/node");
        let mut command = Command::new(if own.is_file() { own } else { "node".into() });
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/idp/provider.mjs")).arg(modules);
        let mut lines = Lines::spawn(command);
        let first: Value = serde_json::from_str(&lines.line()).unwrap();
        let issuer = first["issuer"].as_str().unwrap().to_owned();
        Self { lines: Mutex::new(lines), issuer }
    }

    /// One for all tests that leave its key alone.
    pub(crate) fn shared() -> &'static Self {
        static RUNNING: OnceLock<Provider> = OnceLock::new();
        RUNNING.get_or_init(Self::start)
    }

    /// Its identifier.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Makes it sign with a new key, and publish only that.
    pub(crate) fn rotate(&self) {
        let mut lines = self.lines.lock().unwrap();
        writeln!(lines.input, "rotate").unwrap();
        assert_eq!(lines.line(), r#"{"rotated":true}"#);
    }

    /// An access token of a client, by its credentials.
    pub(crate) fn access_token(&self, client: &str) -> String {
        let form = "grant_type=client_credentials&resource=urn:countersign&scope=call";
        self.post("/token", client, form).at("/access_token")
    }

    /// What a person who consents gives the client: an access token and an ID token.
    pub(crate) fn person(&self, client: &str, person: &str) -> (String, String) {
        let form = format!("login_hint={person}&scope=openid%20call&resource=urn:countersign");
        let id = self.post("/backchannel", client, &form).at("/auth_req_id");
        let grant = "urn:openid:params:grant-type:ciba";
        let form = format!("grant_type={grant}&auth_req_id={id}&resource=urn:countersign");
        let answer = self.post("/token", client, &form);
        (answer.at("/access_token"), answer.at("/id_token"))
    }

    fn post(&self, path: &str, client: &str, form: &str) -> Answer {
        let address = self.issuer.trim_start_matches("http://").parse().unwrap();
        let basic = STANDARD.encode(format!("{client}:{client}-secret"));
        let request = Outgoing::new(address, "POST", path).header("authorization", &format!("Basic {basic}"));
        let answer = request.body("application/x-www-form-urlencoded", form).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }
}
