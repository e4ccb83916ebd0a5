//! `mintctl status` without an operation: how the fleet is, as each worker tells it.

use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::{Cell, Color, Table};
use futures::future::join_all;
use serde_json::{Value, json};
use service::config::{FleetSettings, Program};
use service::{DependencyReport, EndpointReport, ReadyReport};
use url::Url;

use crate::exit::Exit;
use crate::output::{self, or_dash};

/// Workers answer at once, however busy they are.
const PATIENCE: Duration = Duration::from_secs(5);

struct Worker {
    name: &'static str,
    address: String,
    report: Result<ReadyReport, String>,
}

/// Asks every worker.
///
/// # Errors
/// A closed stdout; a worker that does not answer is a line.
pub async fn run(settings: &FleetSettings, json: bool) -> Result<Exit> {
    let http = reqwest::Client::builder().timeout(PATIENCE).build().context("the HTTP client")?;
    let asked = settings.workers.iter().map(|(program, url)| Worker::ask(&http, *program, url));
    let workers = join_all(asked).await;
    if json {
        output::json_document(&workers.iter().map(Worker::document).collect::<Vec<_>>())?;
    } else {
        tell(&workers)?;
    }
    Ok(if workers.iter().all(Worker::is_well) { Exit::Ok } else { Exit::Failed })
}

impl Worker {
    async fn ask(http: &reqwest::Client, program: Program, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let address = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let report = async { http.get(url.join("readyz").ok()?).send().await.ok()?.json().await.ok() };
        let report = report.await.ok_or_else(|| "it does not answer".to_owned());
        Self { name: program.name(), address, report }
    }

    /// Whether it takes work and nothing that it needs is down.
    fn is_well(&self) -> bool {
        let all_up = |report: &ReadyReport| report.dependencies.iter().all(|dependency| dependency.state != DOWN);
        self.report.as_ref().is_ok_and(|report| report.ready && all_up(report))
    }

    fn document(&self) -> Value {
        let mut document = json!({ "worker": self.name, "address": self.address, "answers": self.report.is_ok() });
        if let Ok(report) = &self.report {
            document["ready"] = json!(report.ready);
            document["reasons"] = json!(report.reasons);
            document["dependencies"] = json!(report.dependencies);
        }
        document
    }

    fn dependencies(&self) -> impl Iterator<Item = (&Self, &DependencyReport)> {
        let dependencies = self.report.as_ref().map(|report| report.dependencies.as_slice()).unwrap_or_default();
        dependencies.iter().map(move |dependency| (self, dependency))
    }
}

const DOWN: &str = "down";

fn tell(workers: &[Worker]) -> Result<()> {
    output::text(format!("Workers\n{}", worker_table(workers)))?;
    let dependencies: Vec<_> = workers.iter().flat_map(Worker::dependencies).collect();
    if dependencies.is_empty() {
        return Ok(());
    }
    output::text(format!("\nDependencies\n{}", dependency_table(&dependencies)))?;
    let with_endpoints = |(worker, dependency)| of_each_endpoint(worker, dependency);
    let endpoints: Vec<_> = dependencies.into_iter().flat_map(with_endpoints).collect();
    if endpoints.is_empty() {
        return Ok(());
    }
    output::text(format!("\nEndpoints\n{}", endpoint_table(&endpoints)))
}

fn of_each_endpoint<'a>(
    worker: &'a Worker,
    dependency: &'a DependencyReport,
) -> impl Iterator<Item = (&'a Worker, &'a DependencyReport, &'a EndpointReport)> {
    dependency.endpoints.iter().map(move |endpoint| (worker, dependency, endpoint))
}

fn worker_table(workers: &[Worker]) -> Table {
    let mut table = output::table(["worker", "at", "takes work", "why not"]);
    for worker in workers {
        let (word, colour, reasons) = match &worker.report {
            Ok(report) if report.ready => ("yes", Color::Green, String::new()),
            Ok(report) => ("no", Color::Red, report.reasons.join("\n")),
            Err(reason) => ("no", Color::Red, reason.clone()),
        };
        table.add_row([
            Cell::new(worker.name),
            Cell::new(&worker.address),
            Cell::new(word).fg(colour),
            Cell::new(reasons),
        ]);
    }
    table
}

fn dependency_table(dependencies: &[(&Worker, &DependencyReport)]) -> Table {
    let mut table = output::table(["worker", "dependency", "state", "since", "last failure"]);
    for (worker, dependency) in dependencies {
        let failure = dependency.last_failure.as_ref();
        table.add_row([
            Cell::new(worker.name),
            Cell::new(&dependency.name),
            Cell::new(&dependency.state).fg(colour(&dependency.state)),
            Cell::new(output::time(dependency.since)),
            Cell::new(or_dash(failure.map(|failure| format!("{} at {}", failure.code, output::time(failure.at))))),
        ]);
    }
    table
}

fn endpoint_table(endpoints: &[(&Worker, &DependencyReport, &EndpointReport)]) -> Table {
    let columns = ["worker", "dependency", "endpoint", "region", "breaker", "ms", "success", "behind", "last failure"];
    let mut table = output::table(columns);
    for (worker, dependency, endpoint) in endpoints {
        let emergency = if endpoint.emergency { " (emergency)" } else { "" };
        table.add_row([
            Cell::new(worker.name),
            Cell::new(&dependency.name),
            Cell::new(format!("{}{emergency}", endpoint.label)),
            Cell::new(or_dash(endpoint.region.as_ref())),
            Cell::new(&endpoint.breaker).fg(colour(&endpoint.breaker)),
            Cell::new(or_dash(endpoint.latency_ms.map(|latency| format!("{latency:.0}")))),
            Cell::new(format!("{:.1} %", endpoint.success * 100.0)),
            Cell::new(endpoint.behind),
            Cell::new(or_dash(endpoint.last_error.as_ref())),
        ]);
    }
    table
}

/// Of a dependency's state, or a breaker's.
fn colour(word: &str) -> Color {
    match word {
        "healthy" | "closed" => Color::Green,
        DOWN | "open" | "forced-open" => Color::Red,
        _ => Color::Yellow,
    }
}
