//! A provider, a ledger, an asset directory and operations.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::DateTime;
use domain::{Cid, Content as Wanted, Nft, Operation, OperationId, OperationKind, WalletAddress};
use engine::{OwedPin, Pin, PinClaim, PinLedger, Pinned, StoreError};
use image::{ImageFormat, Rgb, RgbImage};
use ipfs::{Compressor, Content, FetchOptions, Gateways, ImageFetcher, ImageLimits, Images, PinError, PinProvider};
use ipfs_uploader::{PinLimits, ProviderSetup, Providers, Uploader};
use resilience::{BreakerSettings, HealthBoard, Jitter, Rate};
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a claim lasts.
const LEASE: Duration = Duration::from_secs(20);

/// A plan that nobody uses up.
const PLENTY: (f64, u32) = (10_000.0, 1000);

/// Takes a moment for every upload; fails first as it is told.
#[derive(Debug, Clone)]
pub struct Provider(&'static str, Arc<Mutex<Uploads>>);

#[derive(Debug, Default)]
struct Uploads {
    troubles: VecDeque<PinError>,
    /// What it says to whoever wants something unpinned.
    keeps: Option<PinError>,
    /// What it says to everything, and to the question how it is.
    down: Option<PinError>,
    says_it_is_well: bool,
    taken: Vec<(Instant, Content)>,
    asked: u32,
    looked_at: u32,
    running: usize,
    most: usize,
}

impl Provider {
    fn named(name: &'static str) -> Self {
        Self(name, Arc::default())
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.1.lock().unwrap()
    }

    /// From now on it answers nothing else.
    pub fn go_down(&self, error: PinError) {
        self.lock().down = Some(error);
    }

    /// Uploads fail, and it says that all is well.
    pub fn pretend(&self, error: PinError) {
        self.go_down(error);
        self.lock().says_it_is_well = true;
    }

    /// From now on it unpins nothing.
    pub fn keep(&self, error: PinError) {
        self.lock().keeps = Some(error);
    }

    pub fn come_back(&self) {
        self.lock().down = None;
    }

    /// How often it was asked how it is.
    pub fn looked_at(&self) -> u32 {
        self.lock().looked_at
    }

    pub fn fail(&self, troubles: impl IntoIterator<Item = PinError>) {
        self.lock().troubles.extend(troubles);
    }

    /// What it holds, in the order in which it came.
    pub fn taken(&self) -> Vec<Cid> {
        self.lock().taken.iter().map(|(_, content)| content.cid().clone()).collect()
    }

    pub fn contents(&self) -> Vec<Content> {
        self.lock().taken.iter().map(|(_, content)| content.clone()).collect()
    }

    pub fn asked(&self) -> u32 {
        self.lock().asked
    }

    /// When the last upload was taken.
    pub fn last(&self) -> Instant {
        self.lock().taken.last().expect("an upload").0
    }

    /// Most uploads that ran at once.
    pub fn most(&self) -> usize {
        self.lock().most
    }
}

impl PinProvider for Provider {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        {
            let mut uploads = self.lock();
            uploads.asked += 1;
            uploads.running += 1;
            uploads.most = uploads.most.max(uploads.running);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut uploads = self.lock();
        uploads.running -= 1;
        if let Some(trouble) = uploads.troubles.pop_front().or_else(|| uploads.down.clone()) {
            return Err(trouble);
        }
        uploads.taken.push((Instant::now(), content.clone()));
        Ok(())
    }

    async fn unpin(&self, cid: &Cid) -> Result<(), PinError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut uploads = self.lock();
        if let Some(error) = &uploads.keeps {
            return Err(error.clone());
        }
        uploads.taken.retain(|(_, content)| content.cid() != cid);
        Ok(())
    }

    async fn status(&self) -> Result<(), PinError> {
        let mut uploads = self.lock();
        uploads.looked_at += 1;
        match &uploads.down {
            Some(error) if !uploads.says_it_is_well => Err(error.clone()),
            Some(_) | None => Ok(()),
        }
    }
}

/// `pinned_content` in memory, with its leases.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    pinned: HashSet<(Cid, String)>,
    claimed: HashMap<Cid, Instant>,
    statements: u32,
    troubles: VecDeque<StoreError>,
}

impl Ledger {
    pub fn statements(&self) -> u32 {
        self.0.lock().unwrap().statements
    }

    pub fn holds(&self, cid: &Cid) -> bool {
        self.0.lock().unwrap().holds(cid)
    }

    /// Who holds it, by name.
    pub fn holders(&self, cid: &Cid) -> Vec<String> {
        let rows = self.0.lock().unwrap();
        let mut holders: Vec<_> =
            rows.pinned.iter().filter(|(pinned, _)| pinned == cid).map(|(_, provider)| provider.clone()).collect();
        holders.sort();
        holders
    }

    /// Somebody unpins it.
    pub fn unpin(&self, cid: &Cid) {
        self.0.lock().unwrap().pinned.retain(|(pinned, _)| pinned != cid);
    }

    /// Somebody claims it and dies.
    pub fn claim_and_die(&self, cid: &Cid) {
        self.0.lock().unwrap().claimed.insert(cid.clone(), Instant::now() + LEASE);
    }

    pub fn let_claims_run_out(&self) {
        self.0.lock().unwrap().claimed.values_mut().for_each(|until| *until = Instant::now());
    }

    pub fn fail(&self, trouble: StoreError) {
        self.0.lock().unwrap().troubles.push_back(trouble);
    }

    async fn statement<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> Result<T, StoreError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let mut rows = self.0.lock().unwrap();
        rows.statements += 1;
        match rows.troubles.pop_front() {
            Some(trouble) => Err(trouble),
            None => Ok(work(&mut rows)),
        }
    }
}

impl PinLedger for Ledger {
    async fn claim(&self, batch: &[Pin]) -> Result<Vec<PinClaim>, StoreError> {
        let distinct: HashSet<_> = batch.iter().collect();
        assert_eq!(distinct.len(), batch.len(), "a content twice in a batch");
        self.statement(|rows| batch.iter().map(|pin| rows.claim(&pin.cid)).collect()).await
    }

    async fn pinned(&self, batch: &[Pinned]) -> Result<(), StoreError> {
        let held = batch.iter().map(|Pinned { pin, .. }| (pin.cid.clone(), pin.provider.clone()));
        self.statement(|rows| rows.pinned.extend(held)).await
    }

    async fn owed(&self, provider: &str, most: u16) -> Result<Vec<OwedPin>, StoreError> {
        let owed = |cid| OwedPin { cid, since: DateTime::UNIX_EPOCH };
        self.statement(|rows| rows.owed(provider, most).into_iter().map(owed).collect()).await
    }
}

impl Rows {
    fn holds(&self, cid: &Cid) -> bool {
        self.pinned.iter().any(|(pinned, _)| pinned == cid)
    }

    fn owed(&mut self, provider: &str, most: u16) -> Vec<Cid> {
        let now = Instant::now();
        let is_owed = |cid: &&Cid| self.holds(cid) && !self.pinned.contains(&((*cid).clone(), provider.to_owned()));
        let free = self.claimed.iter().filter(|(_, until)| **until <= now).map(|(cid, _)| cid);
        let owed: Vec<Cid> = free.filter(is_owed).take(most.into()).cloned().collect();
        for cid in &owed {
            self.claimed.insert(cid.clone(), now + Duration::from_mins(1));
        }
        owed
    }

    fn claim(&mut self, cid: &Cid) -> PinClaim {
        let now = Instant::now();
        if self.holds(cid) {
            PinClaim::Pinned
        } else if self.claimed.get(cid).is_some_and(|until| *until > now) {
            PinClaim::Elsewhere
        } else {
            self.claimed.insert(cid.clone(), now + LEASE);
            PinClaim::Yours { since: DateTime::UNIX_EPOCH }
        }
    }
}

/// A worker's step and what it works with.
pub struct Rig {
    pub provider: Provider,
    pub backup: Provider,
    pub ledger: Arc<Ledger>,
    assets: Arc<TempDir>,
}

impl Rig {
    /// With one asset: `ape.png`.
    pub fn new() -> Self {
        let assets = tempfile::tempdir().unwrap();
        std::fs::write(assets.path().join("ape.png"), ape()).unwrap();
        std::fs::write(assets.path().join("note.png"), "no image").unwrap();
        let (provider, backup) = (Provider::named("first"), Provider::named("backup"));
        Self { provider, backup, ledger: Arc::default(), assets: Arc::new(assets) }
    }

    /// One process's step. Several of them share providers and ledger.
    pub fn worker(&self, limits: PinLimits) -> Uploader<Provider> {
        self.worker_over(self.alone_within(PLENTY), limits)
    }

    pub fn worker_over(&self, providers: Arc<Providers<Provider>>, limits: PinLimits) -> Uploader<Provider> {
        self.worker_with(providers, &self.ledger, limits)
    }

    /// With another ledger than its own.
    pub fn worker_with<L: PinLedger>(
        &self,
        providers: Arc<Providers<Provider>>,
        ledger: &Arc<L>,
        limits: PinLimits,
    ) -> Uploader<Provider> {
        let images = images(self.assets.path());
        Uploader::new(images, providers, ledger, limits, Arc::new(Jitter::from_seed(1)))
    }

    /// The first provider and the one that stands in for it.
    pub fn with_backup(&self) -> Arc<Providers<Provider>> {
        self.providers(PLENTY, vec![self.backup.clone()])
    }

    /// The first provider alone, whose plan allows that much: calls a second, and at once.
    pub fn alone_within(&self, plan: (f64, u32)) -> Arc<Providers<Provider>> {
        self.providers(plan, vec![])
    }

    fn providers(&self, (per_second, burst): (f64, u32), backups: Vec<Provider>) -> Arc<Providers<Provider>> {
        let rate = Rate::new(per_second, burst).unwrap();
        let setup = |provider: Provider| ProviderSetup { provider, rate };
        let backups = backups.into_iter().map(setup).collect();
        let line = HealthBoard::default().dependency("pins", 3);
        let providers = Providers::new(setup(self.provider.clone()), backups, BreakerSettings::default(), line);
        tokio::spawn(Arc::clone(&providers).watch_over());
        providers
    }
}

fn images(assets: &Path) -> Images {
    let nobody = Gateways::new(&["http://127.0.0.1:9".parse().unwrap()]).unwrap();
    let options = FetchOptions {
        assets: Some(assets.to_owned()),
        allow_private: true,
        bytes: 100_000,
        ..FetchOptions::default()
    };
    let fetcher = ImageFetcher::new(&options, nobody).unwrap();
    Images::new(fetcher, Compressor::new(ImageLimits::default()), 1 << 20)
}

fn ape() -> Vec<u8> {
    let image =
        RgbImage::from_fn(64, 64, |x, y| Rgb([(x / 8 * 30).to_le_bytes()[0], (y / 8 * 30).to_le_bytes()[0], 90]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// An operation that waits for its upload.
pub fn operation(number: u128, name: &str, image: &str) -> Operation {
    let nft = Nft {
        name: name.into(),
        symbol: "AIW3".into(),
        description: "Reads order books for breakfast.".into(),
        level: 2,
        image: image.into(),
        attributes: vec![],
        seller_fee_basis_points: 500,
        collection: None,
    };
    Operation {
        id: OperationId::from_uuid(Uuid::from_u128(number)),
        content: Wanted {
            kind: OperationKind::Unlock,
            wallet_address: WalletAddress::from_bytes([7; 32]),
            nft,
            burn: None,
        },
        ..testkit::operation(testkit::operation_id(1))
    }
}
