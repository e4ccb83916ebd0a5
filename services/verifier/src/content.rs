//! Content read back and known to be right: each distinct one once.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::{Cid, Failure};
use engine::StepError;
use ipfs::Gateways;
use tokio::sync::OnceCell;

/// Contents that are remembered as read: many operations share an image.
const MOST: usize = 10_000;

/// Gives content by its id, and never other bytes than the id names.
pub trait ContentSource: Send + Sync + 'static {
    /// Reads a content.
    fn fetch(&self, cid: &Cid) -> impl Future<Output = Result<Bytes, Failure>> + Send;
}

impl ContentSource for Gateways {
    async fn fetch(&self, cid: &Cid) -> Result<Bytes, Failure> {
        Self::fetch(self, cid).await.map_err(|error| error.failure())
    }
}

/// A source, and what has been read from it.
#[derive(Debug)]
pub(crate) struct CheckedContent<S> {
    source: S,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    by_cid: HashMap<Cid, Arc<OnceCell<()>>>,
    oldest_first: VecDeque<Cid>,
}

impl<S: ContentSource> CheckedContent<S> {
    pub fn new(source: S) -> Self {
        Self { source, seen: Mutex::default() }
    }

    /// Reads a content, for its bytes.
    pub async fn read(&self, cid: &Cid) -> Result<Bytes, StepError> {
        self.source.fetch(cid).await.map_err(StepError::of_dependency)
    }

    /// Makes sure that a content can be read. Whoever asks while another one reads it waits for that one.
    pub async fn check(&self, cid: &Cid) -> Result<(), StepError> {
        let seen = self.seen(cid);
        seen.get_or_try_init(|| async { self.read(cid).await.map(drop) }).await.copied()
    }

    fn seen(&self, cid: &Cid) -> Arc<OnceCell<()>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = seen.by_cid.get(cid) {
            return Arc::clone(cell);
        }
        if seen.oldest_first.len() >= MOST
            && let Some(oldest) = seen.oldest_first.pop_front()
        {
            seen.by_cid.remove(&oldest);
        }
        let cell = Arc::<OnceCell<()>>::default();
        seen.by_cid.insert(cid.clone(), Arc::clone(&cell));
        seen.oldest_first.push_back(cid.clone());
        cell
    }
}
