//! From a parsed command line to an exit code. Each command reads only the configuration that it needs.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use service::config::{self, ConfigError, Env, FleetSettings, LogFormat, MasterSettings, Program};
use store::Store;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::{
    airdrop, collection, costs, dlq, doctor, fleet, list, migrate, op, policies, probe, reconcile, status, submit,
    topics, watch,
};

/// Runs a command to its end.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let ended = inside(cli).unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            // Whoever read our output has seen enough.
            return Exit::Ok;
        }
        eprintln!("mintctl: {error:#}");
        Exit::of_error(&error)
    });
    ended.into()
}

fn inside(cli: Cli) -> Result<Exit> {
    service::keep_memory_private()?;
    if cli.verbose {
        service::log_to_stderr(LogFormat::Text, "info")?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let ended = runtime.block_on(command(cli));
    // A thread that reads a terminal would wait for its next line.
    runtime.shutdown_background();
    ended
}

async fn command(cli: Cli) -> Result<Exit> {
    let json = cli.json;
    match cli.command {
        Command::Submit(args) => submit::run(*args, json).await,
        Command::Airdrop(args) => airdrop::run(*args, json).await,
        Command::Collection(args) => Box::pin(collection::run(&args, open().await?.as_ref(), json)).await,
        Command::Status(args) => match args.id {
            Some(id) => status::run(id, open().await?.as_ref(), json).await,
            None => fleet::run(&read(FleetSettings::read)?, json).await,
        },
        Command::Op(args) => Box::pin(op::run(&args, open().await?.as_ref(), json)).await,
        Command::Reconcile(args) => Box::pin(reconcile::run(&args, open().await?, json)).await,
        Command::List(args) => list::run(&args, open().await?.as_ref(), json).await,
        Command::Watch(args) => watch::run(&args, open().await?.as_ref(), json).await,
        Command::Topics(args) => topics::run(&args, &read(config::kafka_settings)?, json).await,
        Command::Migrate(args) => {
            let masters = match read(MasterSettings::read_optional)? {
                Some(settings) => Some(settings.open().await?),
                None => None,
            };
            migrate::run(&args, &connect().await?, masters.as_ref(), json).await
        }
        Command::Costs(args) => costs::run(&args, open().await?.as_ref(), json).await,
        Command::Policies(_) => policies::run(json),
        Command::Dlq(args) => {
            let kafka = read(config::kafka_settings)?;
            Box::pin(dlq::run(&args, &kafka, open().await?.as_ref(), json)).await
        }
        Command::Doctor(_) => Box::pin(doctor::run(json)).await,
        Command::Probe(args) => probe::run(&args, json).await,
    }
}

/// The database with a schema of ours.
async fn open() -> Result<Arc<Store>> {
    service::open_store(&read(config::small_database_settings)?).await
}

/// The database as it is.
async fn connect() -> Result<Store> {
    Ok(Store::connect(&read(config::small_database_settings)?).await?)
}

/// Reads one part of the configuration.
pub fn read<T>(part: impl FnOnce(&mut Env) -> T) -> Result<T, ConfigError> {
    let mut env = Env::of_process(Program::Mintctl);
    let settings = part(&mut env);
    env.finish(settings)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let json = error.chain().filter_map(|cause| cause.downcast_ref::<serde_json::Error>()?.io_error_kind());
    io.chain(json).any(|kind| kind == std::io::ErrorKind::BrokenPipe)
}
