//! The node: wiring, telemetry, shutdown and the command line. The only crate that sees everything.

mod cli;
mod commands;

mod wiring;

mod adapters;
mod cluster;
mod corpus;
mod engine;
mod models;

mod clock;
mod gateway;
mod telemetry;
mod upload_key;

mod report;

use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tandem_config::{ConfigError, NodeConfig};

use crate::cli::{Cli, Command, QueueCommand, ShardCommand};

/// Every input of a `tandem match` failed.
const ALL_FAILED: u8 = 2;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; anything else is a mistake in the call. Nobody may be left to read it.
            let _unread = error.print();
            return ExitCode::from(if error.use_stderr() { ConfigError::EXIT_CODE } else { 0 });
        }
    };
    if let Command::Extract(args) = &cli.command
        && args.child
    {
        return tandem_parsing::child::child_main();
    }
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            let usage = error.downcast_ref::<ConfigError>().is_some();
            ExitCode::from(if usage { ConfigError::EXIT_CODE } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let resolve = |overrides: &[(&str, toml::Value)]| {
        NodeConfig::resolve(cli.config.as_deref(), std::env::vars(), overrides)
    };
    match cli.command {
        Command::Match(args) => commands::matching::run(args, resolve),
        Command::Serve(args) => commands::serve::run(&args, resolve),
        Command::Extract(args) => commands::extract::run(&args, resolve),
        Command::Status(args) => commands::status::run(&args, resolve),
        Command::Queue(QueueCommand::Dead(command)) => commands::dead::run(&command, resolve),
        Command::Quota(command) => commands::quota::run(&command, resolve),
        Command::Account(command) => commands::accounts::account(command, resolve),
        Command::Key(command) => commands::accounts::key(command, resolve),
        Command::Audit(command) => commands::audit::run(command, resolve),
        Command::Shard(ShardCommand::Rebuild(args)) => commands::shard::rebuild(&args, resolve),
        Command::Reembed(args) => commands::reembed::run(&args, resolve),
        Command::Certs(command) => commands::certs::run(&command),
        Command::Migrate(args) => commands::migrate::run(&args, resolve),
        Command::Drift(args) => commands::migrate::drifted(&args, resolve),
        Command::Config(args) => commands::config::run(&args, resolve),
    }
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no error.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command line goes to standard error")]
fn complain(error: &anyhow::Error) {
    eprintln!("tandem: {error:#}");
}
