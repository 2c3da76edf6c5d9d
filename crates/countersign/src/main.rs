//! The binary: command line, configuration and wiring.

mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod gateway;
mod protocols;
mod quickstart;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command};
use crate::client::Refused;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logged();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("control")
        .thread_stack_size(4 << 20)
        .enable_all()
        .build();
    let ran = match runtime {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(error) => Err(anyhow::Error::new(error).context("no runtime could be started")),
    };
    match ran {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error, cli.json),
    }
}

async fn run(cli: &Cli) -> anyhow::Result<u8> {
    let json = cli.json;
    match &cli.command {
        Command::Quickstart(options) => return quickstart::run(options, json).await,
        Command::Gateway(file) => commands::gateway::run(file).await?,
        Command::Call(call) => return commands::call::run(call).await,
        Command::Targets(command) => commands::targets::run(command, json).await?,
        Command::Approvals(command) => commands::approvals::run(command, json).await?,
        Command::Calls(command) => commands::calls::run(command, json).await?,
        Command::Policy(cli::Policy::Check(file)) => commands::policy::check(file, json)?,
        Command::Config(cli::ConfigCommand::Check(file)) => commands::config::check(file, json)?,
        Command::Secret(cli::Secret::Set { name, config }) => {
            commands::secret::set(name, config, json).await?
        }
        Command::Audit(command) => return commands::audit::run(command, json).await,
        Command::Setup(setup) => commands::setup::run(setup, json).await?,
        Command::Completion { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "countersign", &mut std::io::stdout());
        }
        Command::DemoApi { listen, state } => {
            let expected_key = demo::api::key_from_stdin()?;
            demo::api::run(demo::api::DemoApi { listen: *listen, state_dir: state.clone(), expected_key })
                .await?;
        }
    }
    Ok(0)
}

/// One sentence that says what to do, or the refusal as the gateway gave it.
fn failed(error: &anyhow::Error, json: bool) -> ExitCode {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        if json {
            commands::print_json(&refused.problem);
        } else {
            commands::say(&refused.to_string());
        }
        return ExitCode::from(refused.exit());
    }
    commands::say(&format!("error: {}", commands::whole(error)));
    ExitCode::from(1)
}

/// Logs go to standard error; `COUNTERSIGN_LOG` chooses what, as `info` or `gate=debug`.
fn logged() {
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    // A line that cannot be written is lost. By default the subscriber complains on standard error, which panics when it is
    // just that which cannot be written: a log on a full disk would end calls.
    let lines = lines.log_internal_errors(false);
    lines.with_writer(std::io::stderr).with_target(false).init();
}
