//! The worker put together.

use std::sync::Arc;
use std::time::Duration;

use ipfs::{Compressor, FetchOptions, ImageFetcher, ImageLimits, Images, Kubo, Pinata, PinataOptions};
use resilience::{BreakerSettings, Dependency, Jitter, Policies, PolicyName, Rate, RateError};
use service::config::{PinataSettings, PinningSettings, UploaderConfig};
use service::{Process, Worker, open_gateways, open_worker_store};

use crate::provider::Provider;
use crate::{Homecoming, PinLimits, ProviderSetup, Providers, Rollbacks, Uploader, metrics};

/// Compressed images that are remembered, bytes.
const REMEMBERED: usize = 8 << 20;
/// Longest wait for one upload.
const UPLOAD: Duration = Duration::from_mins(1);
/// Uploads at once: what a provider's client connections carry without a queue of their own.
const CONCURRENT_UPLOADS: usize = 64;
/// What the pin providers are called among the dependencies.
const PINNING: &str = "ipfs-pinning";
/// What a node of our own takes a second: more than we ever send.
const KUBO_RATE: f64 = 1_000.0;

/// Runs the worker until the process is told to end.
///
/// # Errors
/// Database or broker that cannot be used at the start, or a worker that cannot go on.
pub async fn run(config: UploaderConfig, process: Process) -> anyhow::Result<()> {
    ipfs::describe_metrics();
    metrics::describe();
    let store = open_worker_store(&config.worker, &process.health).await?;
    let options = FetchOptions {
        assets: config.images.asset_dir,
        allow_private: config.images.allow_private,
        ..FetchOptions::default()
    };
    let gateways = open_gateways(&config.gateways, config.worker.breaker, &process.health)?;
    let fetcher = ImageFetcher::new(&options, gateways.clone())?;
    let images = Images::new(fetcher, Compressor::new(ImageLimits::default()), REMEMBERED);
    let line = process.health.dependency(PINNING, Policies::default()[PolicyName::IpfsReachable].attempts);
    let providers = providers(config.pinning, config.worker.breaker, line)?;
    let shown = Arc::clone(&providers);
    process.health.show_endpoints(PINNING, move || shown.health());
    let limits = PinLimits { concurrent: CONCURRENT_UPLOADS, attempts: config.gateways.attempts };
    let uploader = Uploader::new(images, Arc::clone(&providers), &store, limits, Arc::new(Jitter::from_os()));
    let homecoming = Homecoming { providers: Arc::clone(&providers), ledger: Arc::clone(&store), gateways };
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(homecoming.run()));
    let rollbacks =
        Rollbacks { providers: Arc::clone(&providers), store: Arc::clone(&store), after: config.rollback_after };
    tokio::spawn(process.stop.clone().run_until_cancelled_owned(rollbacks.run()));
    tokio::spawn(Arc::clone(&providers).watch_over());
    let database_open = store.open();
    let mut worker = Worker::new(process, config.worker.kafka, config.worker.limits, store)?;
    worker.needs(database_open);
    worker.intake()?;
    worker.needs(providers.open());
    worker.step(uploader)?;
    worker.run().await
}

fn providers(
    settings: PinningSettings,
    breaker: BreakerSettings,
    line: Dependency,
) -> anyhow::Result<Arc<Providers<Provider>>> {
    let plan = plan(settings.requests_per_minute)?;
    let account = |name: &'static str, account: PinataSettings| -> anyhow::Result<_> {
        let PinataSettings { api_url: api, uploads_url: uploads, api_key: jwt } = account;
        let pinata = Pinata::new(PinataOptions { api, uploads, jwt, timeout: UPLOAD })?;
        let pinata = pinata.named(name).resumable_above(settings.resumable_above);
        Ok(ProviderSetup { provider: Provider::Pinata(Box::new(pinata)), rate: plan })
    };
    let node = |url| -> anyhow::Result<_> {
        let rate = Rate::new(KUBO_RATE, CONCURRENT_UPLOADS.try_into()?)?;
        Ok(ProviderSetup { provider: Provider::Kubo(Kubo::new(&url, UPLOAD)?), rate })
    };
    let backup = settings.backup.map(|backup| account("pinata-backup", backup));
    let backups = backup.into_iter().chain(settings.kubo.map(node)).collect::<anyhow::Result<_>>()?;
    Ok(Providers::new(account("pinata", settings.pinata)?, backups, breaker, line))
}

/// At no time more than that in one minute: a tenth of it may come at once, the rest is spread.
fn plan(requests_per_minute: u32) -> Result<Rate, RateError> {
    let at_once = (requests_per_minute / 10).max(1);
    let spread = requests_per_minute.saturating_sub(at_once).max(1);
    Rate::new(f64::from(spread) / 60.0, at_once)
}
