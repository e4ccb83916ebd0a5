//! A provider, a ledger, an asset directory and operations.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{Cid, Content as Wanted, Nft, Operation, OperationId, OperationKind, WalletAddress};
use engine::{Pin, PinClaim, PinLedger, StoreError};
use image::{ImageFormat, Rgb, RgbImage};
use ipfs::{Compressor, Content, FetchOptions, Gateways, ImageFetcher, ImageLimits, Images, PinError, PinProvider};
use ipfs_uploader::{PinLimits, Uploader};
use resilience::Jitter;
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a claim lasts.
const LEASE: Duration = Duration::from_secs(15);

/// Takes a moment for every upload; fails first as it is told.
#[derive(Debug, Clone, Default)]
pub struct Provider(Arc<Mutex<Uploads>>);

#[derive(Debug, Default)]
struct Uploads {
    troubles: VecDeque<PinError>,
    taken: Vec<(Instant, Cid)>,
    asked: u32,
    running: usize,
    most: usize,
}

impl Provider {
    pub fn fail(&self, troubles: impl IntoIterator<Item = PinError>) {
        self.0.lock().unwrap().troubles.extend(troubles);
    }

    /// What it holds, in the order in which it came.
    pub fn taken(&self) -> Vec<Cid> {
        self.0.lock().unwrap().taken.iter().map(|(_, cid)| cid.clone()).collect()
    }

    pub fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }

    /// When the last upload was taken.
    pub fn last(&self) -> Instant {
        self.0.lock().unwrap().taken.last().expect("an upload").0
    }

    /// Most uploads that ran at once.
    pub fn most(&self) -> usize {
        self.0.lock().unwrap().most
    }
}

impl PinProvider for Provider {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn pin(&self, content: &Content) -> Result<(), PinError> {
        {
            let mut uploads = self.0.lock().unwrap();
            uploads.asked += 1;
            uploads.running += 1;
            uploads.most = uploads.most.max(uploads.running);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut uploads = self.0.lock().unwrap();
        uploads.running -= 1;
        if let Some(trouble) = uploads.troubles.pop_front() {
            return Err(trouble);
        }
        uploads.taken.push((Instant::now(), content.cid().clone()));
        Ok(())
    }

    async fn status(&self) -> Result<(), PinError> {
        Ok(())
    }
}

/// `pinned_content` in memory, with its leases.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    pinned: HashSet<Cid>,
    claimed: HashMap<Cid, Instant>,
    statements: u32,
    troubles: VecDeque<StoreError>,
}

impl Ledger {
    pub fn statements(&self) -> u32 {
        self.0.lock().unwrap().statements
    }

    pub fn holds(&self, cid: &Cid) -> bool {
        self.0.lock().unwrap().pinned.contains(cid)
    }

    /// Somebody unpins it.
    pub fn unpin(&self, cid: &Cid) {
        self.0.lock().unwrap().pinned.remove(cid);
    }

    /// Somebody claims it and dies.
    pub fn claim_and_die(&self, cid: &Cid) {
        self.0.lock().unwrap().claimed.insert(cid.clone(), Instant::now() + LEASE);
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

    async fn pinned(&self, batch: &[Pin]) -> Result<(), StoreError> {
        self.statement(|rows| rows.pinned.extend(batch.iter().map(|pin| pin.cid.clone()))).await
    }
}

impl Rows {
    fn claim(&mut self, cid: &Cid) -> PinClaim {
        let now = Instant::now();
        if self.pinned.contains(cid) {
            PinClaim::Pinned
        } else if self.claimed.get(cid).is_some_and(|until| *until > now) {
            PinClaim::Elsewhere
        } else {
            self.claimed.insert(cid.clone(), now + LEASE);
            PinClaim::Yours
        }
    }
}

/// A worker's step and what it works with.
pub struct Rig {
    pub provider: Provider,
    pub ledger: Arc<Ledger>,
    assets: Arc<TempDir>,
}

impl Rig {
    /// With one asset: `ape.png`.
    pub fn new() -> Self {
        let assets = tempfile::tempdir().unwrap();
        std::fs::write(assets.path().join("ape.png"), ape()).unwrap();
        std::fs::write(assets.path().join("note.png"), "no image").unwrap();
        Self { provider: Provider::default(), ledger: Arc::default(), assets: Arc::new(assets) }
    }

    /// One process's step. Several of them share provider and ledger.
    pub fn worker(&self, limits: PinLimits) -> Uploader<Provider> {
        let images = images(self.assets.path());
        Uploader::new(images, self.provider.clone(), &self.ledger, limits, Arc::new(Jitter::from_seed(1)))
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
