//! How every worker begins and ends, so that their `main` has nothing left to say.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, Env, ProcessSettings, Program};
use crate::health::Health;
use crate::heartbeat::Heartbeat;
use crate::ops::{Checks, OpsListener, OpsServer};
use crate::private_memory::keep_memory_private;
use crate::{metrics, shutdown, telemetry};

/// The runtime's own loop is looked at this often.
const BEAT: Duration = Duration::from_secs(1);
/// A runtime that has not turned for this long hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(30);

/// Exit code of a worker that was told to end, and did.
pub const EXIT_OK: u8 = 0;
/// Exit code of a worker that could not go on.
pub const EXIT_FAILED: u8 = 1;
/// Exit code of a worker whose arguments or configuration are wrong.
pub const EXIT_USAGE: u8 = 2;

/// What a worker gets from the process it runs in.
#[derive(Debug)]
pub struct Process {
    /// Which worker it is.
    pub program: Program,
    /// Cancelled when the process is told to end.
    pub stop: CancellationToken,
    /// How long it may take to end then.
    pub grace: Duration,
    /// What it knows of its dependencies.
    pub health: Health,
    ops: OpsListener,
    metrics: PrometheusHandle,
}

impl Process {
    /// For whoever brings a runtime and signals of their own: several workers in one process, or a test.
    #[must_use]
    pub fn new(
        program: Program,
        stop: CancellationToken,
        grace: Duration,
        ops: OpsListener,
        metrics: PrometheusHandle,
    ) -> Self {
        Self { program, stop, grace, health: Health::default(), ops, metrics }
    }

    /// CloudEvents source of what this worker says.
    #[must_use]
    pub fn source(&self) -> String {
        format!("/mintfleet/{}", self.program.name())
    }

    /// Answers the ops endpoints with these checks, and one of its own: that the runtime turns.
    pub(crate) fn serve_ops(self, checks: Checks) -> anyhow::Result<OpsServer> {
        let heartbeat = Arc::new(Heartbeat::default());
        let beating = Arc::clone(&heartbeat);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(BEAT);
            loop {
                ticks.tick().await;
                beating.beat();
            }
        });
        metrics::describe();
        tokio::spawn(self.health.clone().keep_measured());
        let checks = checks.depends_on(self.health).live(move || {
            let age = heartbeat.age();
            if age < HANGS { Ok(()) } else { Err(format!("the runtime has not turned for {} s", age.as_secs())) }
        });
        self.ops.serve(self.program.name(), checks, self.metrics)
    }
}

/// Runs a worker: arguments, configuration, logs and metrics, the port, signals, and then `run` until it ends.
/// Nothing is opened before the whole configuration was found good.
pub fn start<C: Config>(program: Program, run: impl AsyncFnOnce(C, Process) -> anyhow::Result<()>) -> ExitCode {
    command(program).get_matches();
    if program.holds_keys()
        && let Err(error) = keep_memory_private()
    {
        eprintln!("{}: {error:#}", program.name());
        return EXIT_FAILED.into();
    }
    let mut env = Env::of_process(program);
    let settings = ProcessSettings::read(&mut env);
    let read = C::read(&mut env);
    let config = match env.finish(read) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{}: {error}", program.name());
            return EXIT_USAGE.into();
        }
    };
    if let Err(error) = telemetry::log_to_stderr(settings.log_format, &settings.log_filter) {
        eprintln!("{}: {error:#}", program.name());
        return EXIT_FAILED.into();
    }
    match inside(program, &settings, config, run) {
        Ok(()) => EXIT_OK.into(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "{} cannot go on", program.name());
            EXIT_FAILED.into()
        }
    }
}

/// The command line of a worker: it takes no arguments, but explains itself.
#[must_use]
pub fn command(program: Program) -> clap::Command {
    let exits = "Exit codes: 0 told to end, and ended in order; 1 could not go on; 2 wrong arguments or configuration.";
    clap::Command::new(program.name())
        .version(env!("CARGO_PKG_VERSION"))
        .about(program.about())
        .after_help(format!("{}\n{exits}", config::help(program)))
}

fn inside<C>(
    program: Program,
    settings: &ProcessSettings,
    config: C,
    run: impl AsyncFnOnce(C, Process) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let metrics = telemetry::gather_metrics()?;
    let ops = OpsListener::bind(settings.ops_listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let result = runtime.block_on(async {
        let stop = shutdown::on_signal().context("waiting for signals")?;
        tracing::info!(ops.address = %ops.address(), version = env!("CARGO_PKG_VERSION"), "{} starts", program.name());
        run(config, Process::new(program, stop, settings.shutdown_grace, ops, metrics)).await
    });
    // What is left in it is past its grace period.
    runtime.shutdown_background();
    if result.is_ok() {
        tracing::info!("{} ended in order", program.name());
    }
    result
}
