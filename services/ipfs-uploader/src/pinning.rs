//! Pins every content once, however many operations and worker processes want it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Cid, Failure};
use engine::{Pin, PinClaim, PinLedger, StoreError};
use ipfs::{Content, Flights, PinError, PinProvider};
use resilience::{Backoff, BackoffPolicy, Gather, Jitter};
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, sleep_until};

use crate::known::Known;

/// Most rows of one statement.
const ROWS: usize = 500;
/// A claim is ours for 15 s. No upload is begun after this much of it; one that takes longer does no harm, for the same
/// content pinned twice is pinned once.
const LEASE: Duration = Duration::from_secs(12);
/// Pauses between tries at the provider.
const RETRY: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(1), factor: 2.0, cap: Duration::from_secs(4), jitter: 0.2 };
/// Pauses between looks at what another process has in hand. An upload takes about as long as the first ones.
const LOOK: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(50), factor: 2.0, cap: Duration::from_secs(2), jitter: 0.2 };
/// By now whoever had it in hand lost its claim at least once.
const PATIENCE: Duration = Duration::from_secs(40);
/// No provider is left alone for longer, whatever it says.
const LONGEST_REST: Duration = Duration::from_mins(5);
/// Contents that are remembered as pinned, so that the database need not be asked: about 3 MiB.
const REMEMBERED: usize = 10_000;

/// How uploads are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinLimits {
    /// Most uploads at once.
    pub concurrent: usize,
    /// Tries of one upload in a row. Whoever asked is told then, and asks again.
    pub attempts: u32,
}

impl Default for PinLimits {
    /// 64 at once, 5 tries.
    fn default() -> Self {
        Self { concurrent: 64, attempts: 5 }
    }
}

/// A provider and the ledger of what it holds.
#[derive(Debug)]
pub(crate) struct Pinning<P> {
    provider: P,
    claims: Gather<Pin, Result<PinClaim, StoreError>>,
    records: Gather<Pin, Result<(), StoreError>>,
    under_way: Flights<Cid, Result<(), Failure>>,
    known: Known,
    /// Claims of ours whose upload failed, and until when they are ours: the ledger does not say whose a claim is.
    held: Mutex<HashMap<Cid, Instant>>,
    uploads: Semaphore,
    attempts: u32,
    /// The provider wants to be left alone until then.
    resting: Mutex<Option<Instant>>,
    jitter: Arc<Jitter>,
}

impl<P: PinProvider> Pinning<P> {
    pub fn new<L: PinLedger>(provider: P, ledger: &Arc<L>, limits: PinLimits, jitter: Arc<Jitter>) -> Arc<Self> {
        let (claiming, recording) = (Arc::clone(ledger), Arc::clone(ledger));
        Arc::new(Self {
            provider,
            claims: Gather::new(ROWS, move |batch| claim(Arc::clone(&claiming), batch)),
            records: Gather::new(ROWS, move |batch| record(Arc::clone(&recording), batch)),
            under_way: Flights::default(),
            known: Known::new(REMEMBERED),
            held: Mutex::default(),
            uploads: Semaphore::new(limits.concurrent),
            attempts: limits.attempts,
            resting: Mutex::default(),
            jitter,
        })
    }

    /// Returns once the content is pinned and the ledger says so.
    pub async fn ensure(self: &Arc<Self>, content: &Content) -> Result<(), Failure> {
        if self.known.contains(content.cid()) {
            return Ok(());
        }
        let (this, content) = (Arc::clone(self), content.clone());
        let cid = content.cid().clone();
        self.under_way.join(cid, move || async move { this.settle(&content).await }).await
    }

    /// Asks the ledger again the next time.
    pub fn forget(&self, cid: &Cid) {
        self.known.forget(cid);
    }

    async fn settle(&self, content: &Content) -> Result<(), Failure> {
        let pin = Pin {
            cid: content.cid().clone(),
            size: content.bytes().len() as u64,
            provider: self.provider.name().to_owned(),
        };
        let mut pauses = Backoff::new(LOOK, Arc::clone(&self.jitter));
        let mut elsewhere_since = None;
        loop {
            // A place before the claim: what waits for its turn must not use up its lease.
            let place = self.place().await;
            let until = Instant::now() + LEASE;
            let ours = match self.claims.call(pin.clone()).await.map_err(|error| error.failure())? {
                PinClaim::Pinned => {
                    self.known.insert(pin.cid);
                    return Ok(());
                }
                PinClaim::Yours => Some(until),
                PinClaim::Elsewhere => self.still_held(&pin.cid),
            };
            if let Some(until) = ours {
                return self.pin(content, pin, until).await;
            }
            drop(place);
            if elsewhere_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                let reason = format!("another worker has had {} in hand for too long", pin.cid);
                return Err(Failure::transient("pin-elsewhere", reason));
            }
            sleep(pauses.next_pause()).await;
        }
    }

    /// One of the places for uploads, while the provider wants any.
    async fn place(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        loop {
            let place = self.uploads.acquire().await;
            let Some(until) = self.resting_until() else { return place };
            drop(place);
            sleep_until(until).await;
        }
    }

    fn resting_until(&self) -> Option<Instant> {
        lock(&self.resting).filter(|until| *until > Instant::now())
    }

    /// Uploads and records what is ours until then.
    async fn pin(&self, content: &Content, pin: Pin, until: Instant) -> Result<(), Failure> {
        lock(&self.held).insert(pin.cid.clone(), until);
        self.upload(content, until).await?;
        self.records.call(pin.clone()).await.map_err(|error| error.failure())?;
        lock(&self.held).remove(&pin.cid);
        self.known.insert(pin.cid);
        Ok(())
    }

    fn still_held(&self, cid: &Cid) -> Option<Instant> {
        let mut held = lock(&self.held);
        held.retain(|_, until| *until > Instant::now());
        held.get(cid).copied()
    }

    async fn upload(&self, content: &Content, until: Instant) -> Result<(), Failure> {
        let mut pauses = Backoff::new(RETRY, Arc::clone(&self.jitter));
        let mut attempt = 1;
        loop {
            let error = match self.provider.pin(content).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if let PinError::RateLimited { retry_after: Some(wait) } = error {
                *lock(&self.resting) = Some(Instant::now() + wait.min(LONGEST_REST));
            }
            let failure = error.failure();
            let next = Instant::now() + pauses.next_pause();
            let next = self.resting_until().map_or(next, |rested| rested.max(next));
            if failure.is_permanent() || attempt >= self.attempts || next >= until {
                return Err(failure);
            }
            tracing::debug!(cid = %content.cid(), attempt, %failure, "not pinned yet");
            attempt += 1;
            sleep_until(next).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn claim<L: PinLedger>(ledger: Arc<L>, batch: Vec<Pin>) -> Vec<Result<PinClaim, StoreError>> {
    match ledger.claim(&batch).await {
        Ok(claims) => claims.into_iter().map(Ok).collect(),
        Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
    }
}

async fn record<L: PinLedger>(ledger: Arc<L>, batch: Vec<Pin>) -> Vec<Result<(), StoreError>> {
    let recorded = ledger.pinned(&batch).await;
    batch.iter().map(|_| recorded.clone()).collect()
}
