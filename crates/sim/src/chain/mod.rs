//! A simulated chain, cut as low as it goes: it answers JSON-RPC, one sender for each endpoint of each process, over one
//! ledger. All that `solana` does with endpoints, blockhashes, statuses and expiry runs on it as it is.

mod accounts;
mod answers;
#[cfg(test)]
mod conformance;
mod endpoint;
mod ledger;
mod program;
mod sender;
mod transaction;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::answers::Ask;
use self::endpoint::{Conduct, Server};
pub use self::ledger::{BLOCKHASH_LIFE, FINALITY, Happening, Ledger};
pub use self::program::HOPELESS;
pub use self::sender::endpoints;
pub use self::transaction::MintTransaction;
use crate::api;
use crate::dice::Dice;
use crate::timeline::Timeline;
use crate::weather::Sky;

const SLOT: Duration = Duration::from_millis(400);
/// Several, so that two can be well while one is not.
const ENDPOINTS: usize = 3;

/// The chain and its endpoints.
#[derive(Debug)]
pub struct Chain {
    began: Instant,
    sky: Arc<Sky>,
    timeline: Timeline,
    place: Arc<str>,
    servers: Vec<Server>,
    ledger: Mutex<Ledger>,
}

impl Chain {
    /// Begins now.
    #[must_use]
    pub fn new(seed: u64, sky: &Arc<Sky>, timeline: &Timeline) -> Arc<Self> {
        let servers = (0..ENDPOINTS).map(|index| Server::new(Dice::of(seed, &format!("rpc-{index}")), Arc::clone(sky)));
        Arc::new(Self {
            began: Instant::now(),
            sky: Arc::clone(sky),
            timeline: timeline.clone(),
            place: "chain".into(),
            servers: servers.collect(),
            ledger: Mutex::new(Ledger::new(seed, Arc::clone(sky))),
        })
    }

    /// The ledger as of now.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.began.elapsed().as_millis() / SLOT.as_millis();
        ledger.advance(u64::try_from(passed).unwrap_or(u64::MAX));
        for happening in ledger.happened() {
            self.note(happening);
        }
        ledger
    }

    /// How an endpoint takes the next call.
    fn conduct(&self, endpoint: usize) -> Conduct {
        self.servers[endpoint].conduct()
    }

    /// What an endpoint answers to a call.
    fn ask<'a>(&'a self, endpoint: usize, ledger: &'a mut Ledger) -> Ask<'a> {
        Ask::of(&self.servers[endpoint], &self.sky, ledger)
    }

    fn note(&self, happening: Happening) {
        let (transaction, what) = match happening {
            Happening::Landed(transaction, slot, None) => (transaction, format!("lands in slot {slot}")),
            Happening::Landed(transaction, slot, Some(error)) => {
                (transaction, format!("lands in slot {slot} and fails: {error}"))
            }
            Happening::TooLate(transaction, slot) => (transaction, format!("comes too late, in slot {slot}")),
            Happening::TakenBack(transaction, slot) => (transaction, format!("is taken out of slot {slot} by a fork")),
        };
        let operation = transaction.creations().next().and_then(|creation| api::operation_of(&creation.args.name));
        self.timeline.note(&self.place, operation, format!("{} {what}", brief(&transaction.signature)));
    }
}

/// As much of a signature as tells it from others of a run.
#[must_use]
pub fn brief(signature: &impl ToString) -> String {
    let mut text = signature.to_string();
    text.truncate(6);
    text
}

#[cfg(test)]
mod tests {
    use domain::{MintCost, WalletAddress};
    use secrecy::SecretBox;
    use solana::{Cluster, FeePolicy, MintOrder, MintSigner, Mints, SigningGround, TokenMetadata};
    use solana_sdk::signature::Keypair;

    use super::*;
    use crate::life::Life;
    use crate::weather::Weather;

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_a_mint_costs() {
        let (sky, timeline) = (Arc::new(Sky::new(Weather::fair())), Timeline::begin());
        let chain = Chain::new(1, &sky, &timeline);
        let endpoints = endpoints(&chain, &Life::begin("test", 1, sky, timeline), 1).unwrap();
        let cluster = Cluster::start(endpoints, FeePolicy::NOTHING);
        let secret = SecretBox::new(Box::new([7; 32]));
        let mints = Mints::new(MintSigner::new(Keypair::new(), secret, "k1".into()), TokenMetadata);
        let id = testkit::operation_id(1);
        let order = MintOrder {
            mint: mints.address(&id),
            owner: WalletAddress::from_bytes([9; 32]),
            name: "Quant Ape".into(),
            symbol: "AIW3".into(),
            uri: "ipfs://x".into(),
            seller_fee_basis_points: 500,
            collection: None,
        };
        let ground = SigningGround { lamports: 0, signed_before: 0, unit_price: None };
        let cost = mints.sign(&cluster, &id, &order, ground).await.unwrap().cost.expect("it is known");
        // Mint and token account alone are 82 and 165 bytes.
        let least = accounts::rent(82) + accounts::rent(165);
        assert!(cost.rent > least, "{cost:?}");
        assert_eq!(
            cost,
            MintCost { base_fee: 10_000, priority_fee: 0, protocol_fee: accounts::PROTOCOL_FEE, rent: cost.rent }
        );
    }
}
