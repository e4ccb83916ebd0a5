//! "Is it on chain already?": asked at `finalized`, of two endpoints where two are, each by itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use domain::{Attempt, DecidedAttempt, MintAddress, Signature, Verdict};
use futures::future::join_all;
use resilience::Jitter;
use serde_json::{Value, json};
use service::config::SolanaSettings;
use solana::{
    Chain, ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Landing,
    MintState, Opinions, SLOTS_TO_EXPIRY, Watch,
};
use store::{AttemptsStanding, Store};

/// A person waits: no longer than this, whatever the workers' own limit is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an endpoint is given to say whether a transaction is final: time for one look.
const LOOK: Duration = Duration::from_secs(2);
/// How many endpoints have to say that a mint is absent, where so many are.
const NEEDED: usize = 2;

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

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It minted nothing and never will.
    Decided(DecidedAttempt),
    /// It minted, at `finalized`.
    Landed,
    /// It may still mint, or did: for this reason nothing is decided.
    Open(String),
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

    /// What became of an open transaction, as the minter decides it: by its own finality, or because no block can take it
    /// any more and its mint is absent, as two endpoints say where two are.
    pub async fn fate(&self, attempt: &Attempt, mint: &MintAddress) -> Fate {
        let asked = self.0.iter().map(async |Witness { label, cluster }| {
            let cluster = cluster.as_ref().map_err(|reason| format!("{label}: {reason}"))?;
            match cluster.landing(Watch::from(attempt), Commitment::Finalized, LOOK).await {
                Landing::Landed { .. } => return Ok(Opinion::Landed),
                Landing::Failed { .. } => return Ok(Opinion::FailedOnChain),
                Landing::Pending { .. } => return Err(format!("{label}: a block has it that is not final yet")),
                Landing::Unknown { .. } => {}
            }
            match cluster.expired(attempt.last_valid_block_height, mint, Opinions::One).await {
                Ok(true) => Ok(Opinion::Expired),
                Ok(false) => {
                    let height = attempt.last_valid_block_height;
                    Err(format!(
                        "{label}: blocks may take it up to height {height}, and that one is not final with two more"
                    ))
                }
                Err(error) => Err(error.to_string()),
            }
        });
        fate(attempt.signature, join_all(asked).await)
    }
}

/// What one endpoint says of a transaction; what it cannot say is a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opinion {
    Landed,
    FailedOnChain,
    Expired,
}

/// That it is final one endpoint can show; that it expired is what nobody can, so two have to agree, where two are.
fn fate(signature: Signature, opinions: Vec<Result<Opinion, String>>) -> Fate {
    let needed = opinions.len().clamp(1, NEEDED);
    let said = |wanted| opinions.iter().filter(|opinion| **opinion == Ok(wanted)).count();
    let decided = |verdict| Fate::Decided(DecidedAttempt { signature, verdict });
    if said(Opinion::Landed) > 0 {
        Fate::Landed
    } else if said(Opinion::FailedOnChain) > 0 {
        decided(Verdict::FailedOnChain)
    } else if said(Opinion::Expired) >= needed {
        decided(Verdict::Expired)
    } else {
        let reasons: Vec<_> = opinions.into_iter().filter_map(Result::err).collect();
        Fate::Open(reasons.join("; "))
    }
}

async fn connect(address: &EndpointAddress, timeout: Duration, genesis: Option<&str>) -> Result<Cluster, String> {
    // Asked by itself, it stands in for nobody.
    let address = EndpointAddress { emergency: false, ..address.clone() };
    let settings = EndpointsSettings { timeout, ..EndpointsSettings::default() };
    let endpoints = Endpoints::connect([address], settings, Arc::new(Jitter::from_os()));
    let endpoints = endpoints.map_err(|error| error.to_string())?;
    endpoints.check_cluster(genesis).await.map_err(|error| error.to_string())?;
    Ok(Cluster::start(Arc::new(endpoints), FeePolicy::NOTHING))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_endpoint_shows_what_is_final_and_two_agree_on_what_is_not_there() {
        let signature = Signature::from_bytes([9; 64]);
        let decided = |verdict| Fate::Decided(DecidedAttempt { signature, verdict });
        let silent = || Err("two: away".to_owned());
        let (expired, failed, landed) = (Ok(Opinion::Expired), Ok(Opinion::FailedOnChain), Ok(Opinion::Landed));
        for (opinions, expected) in [
            (vec![expired.clone(), expired.clone()], decided(Verdict::Expired)),
            (vec![expired.clone(), silent(), expired.clone()], decided(Verdict::Expired)),
            (vec![expired.clone()], decided(Verdict::Expired)),
            (vec![expired.clone(), silent()], Fate::Open("two: away".into())),
            (vec![silent()], Fate::Open("two: away".into())),
            (vec![], Fate::Open(String::new())),
            (vec![silent(), failed.clone()], decided(Verdict::FailedOnChain)),
            (vec![expired.clone(), expired, landed.clone()], Fate::Landed),
            (vec![failed, landed], Fate::Landed),
        ] {
            assert_eq!(fate(signature, opinions.clone()), expected, "{opinions:?}");
        }
    }
}
