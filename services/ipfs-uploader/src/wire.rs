//! The worker put together.

use std::sync::Arc;
use std::time::Duration;

use ipfs::{Compressor, FetchOptions, Gateways, ImageFetcher, ImageLimits, Images, Pinata, PinataOptions};
use resilience::Jitter;
use service::config::UploaderConfig;
use service::{Process, Worker, open_worker_store};

use crate::{PinLimits, Uploader};

/// Compressed images that are remembered, bytes.
const REMEMBERED: usize = 8 << 20;
/// Longest wait for one upload.
const UPLOAD: Duration = Duration::from_mins(1);
/// Uploads at once: what a provider's client connections carry without a queue of their own.
const CONCURRENT_UPLOADS: usize = 64;

/// Runs the worker until the process is told to end.
///
/// # Errors
/// Database or broker that cannot be used at the start, or a worker that cannot go on.
pub async fn run(config: UploaderConfig, process: Process) -> anyhow::Result<()> {
    ipfs::describe_metrics();
    let store = open_worker_store(&config.worker, &process.health).await?;
    let options = FetchOptions {
        assets: config.images.asset_dir,
        allow_private: config.images.allow_private,
        ..FetchOptions::default()
    };
    let fetcher = ImageFetcher::new(&options, Gateways::new(&config.gateways.gateways)?)?;
    let images = Images::new(fetcher, Compressor::new(ImageLimits::default()), REMEMBERED);
    let pinata = config.pinata;
    let pinata =
        PinataOptions { api: pinata.api_url, uploads: pinata.uploads_url, jwt: pinata.api_key, timeout: UPLOAD };
    let limits = PinLimits { concurrent: CONCURRENT_UPLOADS, attempts: config.gateways.attempts };
    let uploader = Uploader::new(images, Pinata::new(pinata)?, &store, limits, Arc::new(Jitter::from_os()));
    let open = store.open();
    let mut worker = Worker::new(process, config.worker.kafka, store)?;
    worker.needs(open);
    worker.intake()?;
    worker.step(uploader)?;
    worker.run().await
}
