//! "Is it on chain already?": asked at `finalized`, of two endpoints where two are, each by itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use domain::{MintAddress, Signature};
use futures::future::join_all;
use resilience::Jitter;
use serde_json::{Value, json};
use service::config::SolanaSettings;
use solana::{ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, MintState};
use store::{AttemptsStanding, Store};

/// A person waits: no longer than this, whatever the workers' own limit is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many endpoints have to say that a mint is absent, where so many are.
const NEEDED: usize = 2;
/// Slots after its blockhash was read at which a transaction is over for good: 150 blocks and 31 to their finality.
const SLOTS_TO_EXPIRY: u64 = 181;

/// The endpoints, each asked by itself.
#[derive(Debug)]
pub struct Witnesses(Vec<Witness>);

#[derive(Debug)]
struct Witness {
    label: String,
    cluster: Result<Cluster, String>,
}

/// What the chain holds at a mint's address, at `finalized`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnChain {
    /// Nothing was ever signed for it.
    NeverSigned,
    /// Its NFT is not there, as so many endpoints say.
    Absent(usize),
    /// Its NFT is there, made by this transaction.
    Minted(Signature),
    /// That cannot be told now, for this reason.
    Unknown(String),
}

impl OnChain {
    /// For people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NeverSigned => "never signed, so not there".to_owned(),
            Self::Absent(endpoints) => format!("absent at finalized, as {endpoints} endpoint(s) say"),
            Self::Minted(signature) => format!("minted by {signature}"),
            Self::Unknown(reason) => format!("not known: {reason}"),
        }
    }

    /// For machines.
    #[must_use]
    pub fn document(&self) -> Value {
        match self {
            Self::NeverSigned => json!({ "state": "never-signed" }),
            Self::Absent(endpoints) => json!({ "state": "absent", "endpoints": endpoints }),
            Self::Minted(signature) => json!({ "state": "minted", "signature": signature }),
            Self::Unknown(reason) => json!({ "state": "unknown", "reason": reason }),
        }
    }
}

impl Witnesses {
    /// Gets to know the endpoints. One of another cluster than the fleet mints on, or that does not answer, is none.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn connect(settings: &SolanaSettings, store: &Store) -> Result<Self> {
        let genesis = store.recorded_identity().await?;
        let timeout = settings.timeout.min(PATIENCE);
        let connected = settings.endpoints.iter().map(async |endpoint| Witness {
            label: endpoint.label.clone(),
            cluster: connect(endpoint, timeout, genesis.as_deref()).await,
        });
        Ok(Self(join_all(connected).await))
    }

    /// What the chain holds at the address, as of a slot at which every transaction on record was over.
    pub async fn ask(&self, mint: Option<MintAddress>, attempts: AttemptsStanding) -> OnChain {
        let (Some(mint), Some(newest)) = (mint, attempts.newest_slot) else { return OnChain::NeverSigned };
        let asked = self.0.iter().map(async |witness| {
            let Witness { label, cluster } = witness;
            let cluster = cluster.as_ref().map_err(|reason| format!("{label}: {reason}"))?;
            let state = cluster.mint_state(&mint, Commitment::Finalized, newest + SLOTS_TO_EXPIRY).await;
            Ok((cluster, state.map_err(|error| error.to_string())?))
        });
        judge(mint, join_all(asked).await).await
    }
}

async fn connect(address: &EndpointAddress, timeout: Duration, genesis: Option<&str>) -> Result<Cluster, String> {
    // Asked by itself, it stands in for nobody.
    let address = EndpointAddress { emergency: false, ..address.clone() };
    let settings = EndpointsSettings { timeout, ..EndpointsSettings::default() };
    let endpoints = Endpoints::connect([address], settings, Arc::new(Jitter::from_os()));
    let endpoints = endpoints.map_err(|error| error.to_string())?;
    endpoints.check_cluster(genesis).await.map_err(|error| error.to_string())?;
    Ok(Cluster::start(Arc::new(endpoints), 0))
}

/// One that sees the mint outweighs all others; that it is absent two have to say, where two are.
async fn judge(mint: MintAddress, answers: Vec<Result<(&Cluster, MintState), String>>) -> OnChain {
    let needed = answers.len().min(NEEDED);
    let (mut absent, mut silent) = (0, Vec::new());
    for answer in answers {
        match answer {
            Ok((cluster, MintState::Minted)) => return minted(cluster, &mint).await,
            Ok((_, MintState::Foreign)) => {
                return OnChain::Unknown(format!("{mint} is a mint that its edition does not rule"));
            }
            Ok((_, MintState::Absent { .. })) => absent += 1,
            Err(reason) => silent.push(reason),
        }
    }
    if absent >= needed.max(1) {
        OnChain::Absent(absent)
    } else {
        OnChain::Unknown(format!("{needed} endpoint(s) have to say that it is absent: {}", silent.join("; ")))
    }
}

async fn minted(cluster: &Cluster, mint: &MintAddress) -> OnChain {
    match cluster.minted_by(mint).await {
        Ok(Some(signature)) => OnChain::Minted(signature),
        Ok(None) => OnChain::Unknown(format!("{mint} is minted, and the endpoint cannot show how")),
        Err(error) => OnChain::Unknown(format!("{mint} is minted, and how is not told: {error}")),
    }
}
