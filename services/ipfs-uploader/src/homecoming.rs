//! What a backup took while the first pin provider was down is brought home: the ledger's rows are the queue, and
//! whatever uploads are going on come first.

use std::sync::Arc;
use std::time::Duration;

use domain::{Failure, MediaType};
use engine::{OwedPin, Pin, PinLedger, Pinned};
use ipfs::{Content, Gateways, ImageKind, PinProvider};
use tokio::time::sleep;

use crate::metrics;
use crate::providers::Providers;

/// How often the ledger is asked.
const LOOK: Duration = Duration::from_secs(5);
/// Contents of one claim, which lasts a minute.
const AT_ONCE: u16 = 20;
/// Between two contents: at most ten a second.
const PAUSE: Duration = Duration::from_millis(100);

/// Brings contents home.
#[derive(Debug)]
pub struct Homecoming<P, L> {
    /// Whose first one is home.
    pub providers: Arc<Providers<P>>,
    /// Who holds what.
    pub ledger: Arc<L>,
    /// Where contents are read back; one of them must reach the backups.
    pub gateways: Gateways,
}

impl<P: PinProvider, L: PinLedger> Homecoming<P, L> {
    /// Does so for as long as it is polled.
    pub async fn run(self) {
        loop {
            sleep(LOOK).await;
            while !self.providers.first.is_open() && self.bring_some().await == usize::from(AT_ONCE) {}
        }
    }

    /// Answers how many it brought home.
    async fn bring_some(&self) -> usize {
        let owed = match self.ledger.owed(self.providers.first.name(), AT_ONCE).await {
            Ok(owed) => owed,
            Err(error) => {
                tracing::warn!(%error, "what is to be brought home could not be read");
                return 0;
            }
        };
        let mut brought = 0;
        for owed in owed {
            let outcome = self.bring(&owed).await;
            metrics::brought_home(outcome.as_ref().map_or_else(|failure| failure.code.to_string(), |()| "ok".into()));
            match outcome {
                Ok(()) => brought += 1,
                // It is owed still, and comes round again in a minute.
                Err(failure) => tracing::warn!(content.cid = %owed.cid, %failure, "not brought home yet"),
            }
            if self.providers.first.is_open() {
                break;
            }
            sleep(PAUSE).await;
        }
        if brought > 0 {
            tracing::info!(contents = brought, provider = self.providers.first.name(), "brought home from a backup");
        }
        brought
    }

    async fn bring(&self, OwedPin { cid, since }: &OwedPin) -> Result<(), Failure> {
        let first = &self.providers.first;
        let bytes = self.gateways.fetch(cid).await.map_err(|error| error.failure())?;
        // The ledger does not say which; nothing else is ever uploaded.
        let media_type = ImageKind::sniff(&bytes).map_or(MediaType::JSON, ImageKind::media_type);
        let content = Content::new(bytes, media_type);
        let leave = first.idle_leave().await;
        first.pin(&content, leave).await.map_err(|refusal| refusal.failure())?;
        let pin =
            Pin { cid: content.cid().clone(), size: content.bytes().len() as u64, provider: first.name().to_owned() };
        let pinned = Pinned { pin, since: *since };
        self.ledger.pinned(&[pinned]).await.map_err(|error| error.failure())
    }
}
