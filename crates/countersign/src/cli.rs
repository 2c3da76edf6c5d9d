//! The command line: what can be typed, and the help that people read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A just-in-time access gateway for function calls.
#[derive(Parser)]
#[command(
    name = "countersign",
    version,
    about = "A just-in-time access gateway for function calls",
    long_about = "A just-in-time access gateway for function calls.\n\n\
        Callers prove who they are; policy decides each call; a person countersigns where policy asks for it; the \
        target's credential is injected for the one call; answers are masked; everything is recorded and can be proved.\n\n\
        Start with `countersign quickstart`.",
    after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 waits for a signature, 5 the journal is damaged.\n\
        Commands that talk to a gateway find it by COUNTERSIGN_URL and sign in by COUNTERSIGN_TOKEN or --token-file."
)]
pub(crate) struct Cli {
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a gateway with a demo API behind it, and try it out.
    Quickstart(Quickstart),
    /// Run a gateway.
    Gateway(ConfigFile),
    /// Call a named operation of a target.
    Call(Call),
    /// Show what can be called.
    #[command(subcommand)]
    Targets(Targets),
    /// List, show, sign or reject requests for a second signature.
    #[command(subcommand)]
    Approvals(Approvals),
    /// List or show calls.
    #[command(subcommand)]
    Calls(Calls),
    /// Check policies.
    #[command(subcommand)]
    Policy(Policy),
    /// Check the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keep secrets that the gateway injects.
    #[command(subcommand)]
    Secret(Secret),
    /// Prove that the journal was not changed.
    #[command(subcommand)]
    Audit(Audit),
    /// Become the first administrator, with the one-time code that the gateway printed.
    Setup(Setup),
    /// Print a completion script for your shell.
    Completion {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// The demo API behind the quickstart, a process of its own.
    #[command(hide = true)]
    DemoApi {
        /// Where to listen; loopback only.
        #[arg(long)]
        listen: std::net::SocketAddr,
        /// Where it counts what was done to it.
        #[arg(long)]
        state: PathBuf,
    },
}

/// Where the gateway is, and who calls it.
#[derive(Args)]
pub(crate) struct Connection {
    /// The gateway's URL.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://127.0.0.1:7443", value_name = "URL")]
    pub(crate) url: String,
    /// A file that holds your token; else COUNTERSIGN_TOKEN is read.
    #[arg(long, env = "COUNTERSIGN_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// PEM file of the certificate authority that the gateway's certificate leads to.
    #[arg(long, env = "COUNTERSIGN_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ConfigFile {
    /// The configuration file.
    #[arg(long, short, env = "COUNTERSIGN_CONFIG", default_value = "countersign.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Args)]
pub(crate) struct Quickstart {
    /// Run the whole story unattended, say what was seen, and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// The folder of configuration, state and journal: countersign-quickstart unless said. A second start on it carries on.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The key-encryption key; DIR.key unless said. It must not lie in DIR.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Put your own HTTP API behind the gateway in place of the demo: the function may GET, the rest asks.
    #[arg(long, value_name = "URL", conflicts_with = "once")]
    pub(crate) target: Option<String>,
    /// PEM file of the certificate authority that the target's certificate leads to.
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) target_ca_file: Option<PathBuf>,
    /// Where the gateway listens, loopback only: 127.0.0.1:7443 unless said. Later starts listen where the first did.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

#[derive(Args)]
pub(crate) struct Call {
    /// The target.
    pub(crate) target: String,
    /// The operation: `customers.read`.
    pub(crate) operation: String,
    /// An argument: `--arg id=7`. A value that is JSON is taken as JSON, any other as text; `--arg-text` never parses.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    pub(crate) args: Vec<String>,
    /// An argument that is text whatever it looks like.
    #[arg(long = "arg-text", value_name = "NAME=TEXT")]
    pub(crate) text_args: Vec<String>,
    /// All arguments as one JSON object; `-` reads standard input.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["args", "text_args"])]
    pub(crate) arguments: Option<String>,
    /// How many seconds to wait for a signature.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) wait: u32,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Subcommand)]
pub(crate) enum Targets {
    /// The targets.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// The operations of a target that you may call.
    Operations {
        /// The target.
        target: String,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Subcommand)]
pub(crate) enum Approvals {
    /// Requests, the latest first.
    List {
        /// Those in this state: pending, approved, used, rejected, withdrawn, expired, void, or all.
        #[arg(long, default_value = "pending")]
        state: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// One request: what the call will do.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Sign a request.
    Approve(Verdict),
    /// Reject a request.
    Reject(Verdict),
}

#[derive(Args)]
pub(crate) struct Verdict {
    /// The request's id.
    pub(crate) id: String,
    /// Why, for the caller and the auditor.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Subcommand)]
pub(crate) enum Calls {
    /// Calls, the latest first.
    List {
        /// Only calls of this target.
        #[arg(long)]
        target: Option<String>,
        /// Only calls of this principal: `issuer/subject`.
        #[arg(long)]
        principal: Option<String>,
        /// Only refused calls.
        #[arg(long)]
        refused: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// One call: its events and its masked record.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Check the policies against the configured targets.
    Check(ConfigFile),
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration and everything that it names.
    Check(ConfigFile),
}

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Seal a secret, read from a prompt or standard input; never from an argument.
    Set {
        /// Its name, as `credential.secret` has it.
        name: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Verify the journal, file by file and record by record.
    Verify {
        /// A checkpoint that was kept elsewhere: a cut tail or an old copy is found only against one.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The journal's folder; that of the configuration unless said.
        #[arg(long, value_name = "DIR", requires = "key")]
        journal: Option<PathBuf>,
        /// The log's public key, as `audit key` prints it; needed with --journal.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print the log's public key, which verifies its checkpoints.
    Key(ConfigFile),
    /// Print the last signed checkpoint, to be kept elsewhere.
    Checkpoint(ConfigFile),
}

#[derive(Args)]
pub(crate) struct Setup {
    /// The code; read from a prompt or standard input unless given.
    #[arg(long, env = "COUNTERSIGN_SETUP_CODE", hide_env_values = true)]
    pub(crate) code: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
