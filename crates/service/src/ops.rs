//! What the outside may ask a worker: is it alive, is it ready, what does it measure. Served by a thread with a runtime
//! of its own, so that it answers however busy the work is.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::{FloodGuard, Partition};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::health_report::ReadyReport;

/// How often the recorder folds its samples together, asked for or not.
const UPKEEP: Duration = Duration::from_secs(5);

type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Questions with a reason where the answer is no, and what is known of the dependencies. They must answer at once: no locks that are held for long, no I/O.
#[derive(Default)]
pub struct Checks {
    live: Vec<Check>,
    ready: Vec<Check>,
    health: Health,
    floods: Option<Arc<FloodGuard>>,
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("live", &self.live.len())
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

impl Checks {
    /// The process does its rounds. Never asks after a dependency: restarting us would not mend it.
    #[must_use]
    pub fn live(mut self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.live.push(Box::new(check));
        self
    }

    /// The process can take work.
    #[must_use]
    pub fn ready(mut self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.ready.push(Box::new(check));
        self
    }

    /// What the process depends on.
    #[must_use]
    pub fn depends_on(self, health: Health) -> Self {
        Self { health, ..self }
    }

    /// What keeps floods of poison from the dead letters.
    #[must_use]
    pub fn floods(self, guard: Arc<FloodGuard>) -> Self {
        Self { floods: Some(guard), ..self }
    }
}

/// The port is taken; nothing answers yet.
#[derive(Debug)]
pub struct OpsListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl OpsListener {
    /// Takes the port.
    ///
    /// # Errors
    /// A port that is taken or may not be.
    pub fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("OPS_LISTEN: cannot listen on {address}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens: the port is known here even where 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the server is dropped.
    ///
    /// # Errors
    /// No thread to be had.
    pub fn serve(self, name: &'static str, checks: Checks, metrics: PrometheusHandle) -> anyhow::Result<OpsServer> {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let asked = Arc::new(Asked { name, checks, metrics });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(self.listener)?
        };
        let thread = std::thread::Builder::new()
            .name("ops".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::spawn(keep_up(asked.metrics.clone()));
                    let served = axum::serve(listener, routes(asked)).into_future();
                    if let Some(Err(error)) = stopped.run_until_cancelled(served).await {
                        tracing::error!(%error, "ops endpoints ended");
                    }
                });
            })
            .context("the thread of the ops endpoints")?;
        Ok(OpsServer { address: self.address, stop, thread: Some(thread) })
    }
}

/// The endpoints; they end with it.
#[derive(Debug)]
pub struct OpsServer {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl OpsServer {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for OpsServer {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            let _ = thread.join();
        }
    }
}

struct Asked {
    name: &'static str,
    checks: Checks,
    metrics: PrometheusHandle,
}

fn routes(asked: Arc<Asked>) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .route("/floods", get(floods))
        .route("/floods/release", post(release_floods))
        .with_state(asked)
}

async fn live(State(asked): State<Arc<Asked>>) -> (StatusCode, String) {
    let reasons = reasons(&asked.checks.live);
    let text = if reasons.is_empty() { "ok\n".to_owned() } else { reasons.join("\n") + "\n" };
    (status(&reasons), text)
}

/// Partitions that stand still because most of what they brought was poison, one a line.
async fn floods(State(asked): State<Arc<Asked>>) -> String {
    lines(&asked.checks.floods.as_ref().map(|guard| guard.stopped()).unwrap_or_default())
}

/// Lets them go on: a person has looked. Answers with what stood still.
async fn release_floods(State(asked): State<Arc<Asked>>) -> String {
    let released = asked.checks.floods.as_ref().map(|guard| guard.release()).unwrap_or_default();
    tracing::info!(partitions = released.len(), "partitions that stood still go on");
    lines(&released)
}

fn lines(partitions: &[Partition]) -> String {
    partitions.iter().flat_map(|partition| [partition.to_string(), "\n".to_owned()]).collect()
}

async fn ready(State(asked): State<Arc<Asked>>) -> (StatusCode, Json<ReadyReport>) {
    let reasons = reasons(&asked.checks.ready);
    let (worker, dependencies) = (asked.name.to_owned(), asked.checks.health.report());
    (status(&reasons), Json(ReadyReport { worker, ready: reasons.is_empty(), reasons, dependencies }))
}

fn reasons(checks: &[Check]) -> Vec<String> {
    checks.iter().filter_map(|check| check().err()).collect()
}

fn status(reasons: &[String]) -> StatusCode {
    if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn metrics(State(asked): State<Arc<Asked>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], asked.metrics.render()).into_response()
}

async fn version(State(asked): State<Arc<Asked>>) -> Json<Value> {
    Json(json!({ "name": asked.name, "version": env!("CARGO_PKG_VERSION") }))
}

async fn keep_up(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
