//! Pins every content once, however many operations and worker processes want it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Cid, Failure};
use engine::{Pin, PinClaim, PinLedger, Pinned, StoreError};
use ipfs::{Content, Flights, PinProvider};
use resilience::{Backoff, BackoffPolicy, Gather, Jitter, Policies, PolicyName};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::guarded::{Leave, Refusal};
use crate::known::Known;
use crate::providers::Providers;

/// Most rows of one statement.
const ROWS: usize = 500;
/// A claim is ours for 20 s. The first provider is not tried again after this much of it; what takes longer does no harm:
/// the same content pinned twice is pinned once, and what is unpinned meanwhile is not recorded as pinned.
const LEASE: Duration = Duration::from_secs(17);
/// Pauses between looks at what another process has in hand. An upload takes about as long as the first ones.
const LOOK: BackoffPolicy =
    BackoffPolicy { first: Duration::from_millis(50), factor: 2.0, cap: Duration::from_secs(2), jitter: 0.2 };
/// By now whoever had it in hand lost its claim at least once.
const PATIENCE: Duration = Duration::from_secs(40);
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

/// A claim of ours.
#[derive(Debug, Clone, Copy)]
struct Lease {
    /// The ledger's time of it.
    since: DateTime<Utc>,
    until: Instant,
}

/// The providers and the ledger of what they hold.
#[derive(Debug)]
pub(crate) struct Pinning<P> {
    providers: Arc<Providers<P>>,
    claims: Gather<Pin, Result<PinClaim, StoreError>>,
    records: Gather<Pinned, Result<(), StoreError>>,
    under_way: Flights<Cid, Result<(), Failure>>,
    known: Known,
    /// Claims of ours whose upload failed: the ledger does not say whose a claim is.
    held: Mutex<HashMap<Cid, Lease>>,
    uploads: Semaphore,
    attempts: u32,
    /// Between attempts.
    pauses: BackoffPolicy,
    jitter: Arc<Jitter>,
}

impl<P: PinProvider> Pinning<P> {
    pub fn new<L: PinLedger>(
        providers: Arc<Providers<P>>,
        ledger: &Arc<L>,
        limits: PinLimits,
        jitter: Arc<Jitter>,
    ) -> Arc<Self> {
        let (claiming, recording) = (Arc::clone(ledger), Arc::clone(ledger));
        Arc::new(Self {
            providers,
            claims: Gather::new(ROWS, move |batch| claim(Arc::clone(&claiming), batch)),
            records: Gather::new(ROWS, move |batch| record(Arc::clone(&recording), batch)),
            under_way: Flights::default(),
            known: Known::new(REMEMBERED),
            held: Mutex::default(),
            uploads: Semaphore::new(limits.concurrent),
            attempts: limits.attempts,
            pauses: Policies::default()[PolicyName::ImageUpload].pauses,
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
            provider: self.providers.first.name().to_owned(),
        };
        let mut pauses = Backoff::new(LOOK, Arc::clone(&self.jitter));
        let mut elsewhere_since = None;
        loop {
            // A place and leave before the claim: what waits for its turn must not use up its lease.
            let place = self.uploads.acquire().await;
            let leave = self.providers.first.leave().await;
            let until = Instant::now() + LEASE;
            let ours = match self.claims.call(pin.clone()).await.map_err(|error| error.failure())? {
                PinClaim::Pinned => {
                    self.known.insert(pin.cid);
                    return Ok(());
                }
                PinClaim::Yours { since } => Some(Lease { since, until }),
                PinClaim::Elsewhere => self.still_held(&pin.cid),
            };
            if let Some(ours) = ours {
                return self.pin(content, pin, leave, ours).await;
            }
            drop((place, leave));
            if elsewhere_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                let reason = format!("another worker has had {} in hand for too long", pin.cid);
                return Err(Failure::transient("pin-elsewhere", reason));
            }
            sleep(pauses.next_pause()).await;
        }
    }

    /// Uploads and records what is ours for so long. What a backup took, the first provider is owed: its row is still there,
    /// pending.
    async fn pin(&self, content: &Content, pin: Pin, leave: Leave<'_>, ours: Lease) -> Result<(), Failure> {
        lock(&self.held).insert(pin.cid.clone(), ours);
        let holder = match self.upload(content, leave, ours.until).await {
            Ok(()) => self.providers.first.name(),
            Err(refused) => self.providers.fail_over(content, refused).await?,
        };
        let pin = Pin { provider: holder.to_owned(), ..pin };
        let pinned = Pinned { pin: pin.clone(), since: ours.since };
        self.records.call(pinned).await.map_err(|error| error.failure())?;
        lock(&self.held).remove(&pin.cid);
        self.known.insert(pin.cid);
        Ok(())
    }

    fn still_held(&self, cid: &Cid) -> Option<Lease> {
        let mut held = lock(&self.held);
        held.retain(|_, lease| lease.until > Instant::now());
        held.get(cid).copied()
    }

    /// All attempts at the first provider, or as many as the lease and the provider's own `Retry-After` allow.
    async fn upload(&self, content: &Content, mut leave: Leave<'_>, until: Instant) -> Result<(), Refusal> {
        let first = &self.providers.first;
        let mut pauses = Backoff::new(self.pauses, Arc::clone(&self.jitter));
        let mut attempt = 1;
        loop {
            let refused = match first.pin(content, leave).await {
                Ok(()) => {
                    self.providers.is_well();
                    return Ok(());
                }
                Err(refused) => refused,
            };
            let next = Instant::now() + pauses.next_pause().max(refused.retry_after().unwrap_or_default());
            if !refused.may_pass() || attempt >= self.attempts || next >= until {
                return Err(refused);
            }
            tracing::debug!(content.cid = %content.cid(), attempt, %refused, "not pinned yet");
            attempt += 1;
            sleep_until(next).await;
            leave = match timeout_at(until, first.leave()).await {
                Ok(leave) => leave,
                Err(_) => return Err(refused),
            };
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

async fn record<L: PinLedger>(ledger: Arc<L>, batch: Vec<Pinned>) -> Vec<Result<(), StoreError>> {
    let recorded = ledger.pinned(&batch).await;
    batch.iter().map(|_| recorded.clone()).collect()
}
