//! Log lines on stderr, metrics in memory until somebody asks for them.

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::LogFormat;

/// Bounds of every histogram, seconds: from a batched statement to a finality that takes its time.
const SECONDS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Sends log lines to stderr from now on.
///
/// # Errors
/// A filter that cannot be read, or a process that logs already.
pub fn log_to_stderr(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("the log filter")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(false);
    let set = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => lines.try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("logging is set up already: {error}"))
}

/// Gathers metrics from now on; the handle renders them.
///
/// # Errors
/// A process that gathers them already.
pub fn gather_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets(&SECONDS).context("histogram bounds")?;
    builder.install_recorder().context("metrics are gathered already")
}
