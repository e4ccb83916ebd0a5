//! Top-ups on a real chain with a real PostgreSQL: each lands once, whatever crashes, and what it moved is what is on
//! record.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use domain::{Clock, Priority, Shortage, SystemClock, Verdict};
use mint_submitter::{FundingKeeper, PayerFunds, Standing};
use resilience::Jitter;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, FundingPolicy,
    Landing, Opinions, Pubkey, Purse, SendOutcome, TopUpOrder, Treasury, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::signature::{Keypair, Signer};
use store::{PoolSettings, Store, TopUpReport};
use testkit::Database;

const SOL: u64 = 1_000_000_000;
const POLICY: FundingPolicy =
    FundingPolicy { pause_below: SOL / 10, top_up_below: SOL, top_up: 2 * SOL, per_day: 100 * SOL };
/// A blockhash lives for a minute, and what no block took is final half a minute later.
const PATIENCE: Duration = Duration::from_mins(4);

struct World {
    endpoints: Arc<Endpoints>,
    store: Arc<Store>,
    treasury: Treasury,
    _database: Database,
}

impl World {
    async fn with_treasury(lamports: u64) -> Self {
        let urls = variable("SOLANA_RPC_ENDPOINTS");
        let addresses = urls.split(',').enumerate().map(|(index, entry)| {
            let url = entry.split_once('=').map_or(entry, |(_, url)| url);
            EndpointAddress::new(format!("e{index}"), url)
        });
        let endpoints = Endpoints::connect(addresses, EndpointsSettings::default(), Arc::new(Jitter::from_seed(1)));
        let database = Database::fresh().await;
        let store = Arc::new(Store::connect(&PoolSettings::new(database.url())).await.unwrap());
        let treasury = Treasury::new(Keypair::new());
        let world = Self { endpoints: Arc::new(endpoints.unwrap()), store, treasury, _database: database };
        world.give(&world.treasury.address(), lamports).await;
        world
    }

    fn cluster(&self) -> Cluster {
        Cluster::start(Arc::clone(&self.endpoints), FeePolicy::default())
    }

    async fn give(&self, account: &Pubkey, lamports: u64) {
        let params = json!([account.to_string(), lamports]);
        let airdrop = self.endpoints.ask::<String>(RpcRequest::RequestAirdrop, params).await.unwrap().value;
        let watch = Watch { signature: airdrop.parse().unwrap(), signed_at: None };
        let landing = self.cluster().landing(watch, Commitment::Confirmed, PATIENCE).await;
        assert!(matches!(landing, Landing::Landed { .. }), "{landing:?}");
    }

    async fn holds(&self, account: Pubkey) -> u64 {
        self.cluster().balances(&[account], 0).await.unwrap()[0]
    }

    async fn treasury_holds(&self) -> u64 {
        self.holds(self.treasury.address()).await
    }

    async fn top_ups(&self) -> Vec<TopUpReport> {
        self.store.top_ups(DateTime::UNIX_EPOCH).await.unwrap()
    }

    fn process(&self, payers: &[Pubkey]) -> Process {
        let (funds, treasury) = (Arc::new(PayerFunds::default()), Some(self.treasury.clone()));
        let (store, payers) = (Arc::clone(&self.store), payers.to_vec());
        let keeper =
            FundingKeeper::new(self.cluster(), store, SystemClock, POLICY, treasury, payers, Arc::clone(&funds));
        Process { keeper, funds }
    }
}

struct Process {
    keeper: FundingKeeper<Cluster, Store, SystemClock>,
    funds: Arc<PayerFunds>,
}

impl Process {
    /// Goes on until no top-up is under way.
    async fn settle(&self) {
        let settling = async { while self.keeper.round().await.unwrap() {} };
        tokio::time::timeout(PATIENCE, settling).await.expect("it is decided");
    }
}

fn payer() -> Pubkey {
    Keypair::new().pubkey()
}

#[tokio::test]
async fn a_top_up_lands_once_and_moves_what_is_on_record() {
    let world = World::with_treasury(20 * SOL).await;
    let (first, second) = (payer(), payer());
    assert!(world.process(&[first]).keeper.round().await.unwrap(), "on record, and the process dies before it sends");
    assert_eq!(world.holds(first).await, 0);

    let before = world.treasury_holds().await;
    let (one, other) = (world.process(&[first]), world.process(&[first]));
    tokio::join!(one.settle(), other.settle());
    assert_eq!(world.holds(first).await, POLICY.top_up);
    assert_eq!(one.funds.of(&first), Some(Standing::Enough));
    let lost = before - world.treasury_holds().await;
    let marker = world.cluster().rent(165).await.unwrap();
    let fees = lost - POLICY.top_up - marker;
    assert!((5_000..10_000).contains(&fees), "{fees}");

    // The next one closes the marker that the first one left behind.
    let before = world.treasury_holds().await;
    world.process(&[first, second]).settle().await;
    assert_eq!((world.holds(first).await, world.holds(second).await), (POLICY.top_up, POLICY.top_up));
    assert_eq!(before - world.treasury_holds().await, POLICY.top_up + fees);
    let top_ups = world.top_ups().await;
    assert_eq!(top_ups.iter().map(|top_up| top_up.verdict).collect::<Vec<_>>(), [Some(Verdict::Finalized); 2]);
    assert_eq!(world.store.treasury_book().await.unwrap().given, 2 * POLICY.top_up);
}

#[tokio::test]
async fn the_same_bytes_again_move_nothing() {
    let world = World::with_treasury(20 * SOL).await;
    let (cluster, payer) = (world.cluster(), payer());
    let order = TopUpOrder { payer, lamports: SOL, last_marker: None };
    let top_up = world.treasury.sign(&cluster, order).await.unwrap();
    assert_eq!(cluster.send(&top_up.attempt, Priority::Critical, 0, true).await, SendOutcome::Accepted);
    let landing = cluster.landing(Watch::from(&top_up.attempt), Commitment::Confirmed, PATIENCE).await;
    assert!(matches!(landing, Landing::Landed { .. }), "{landing:?}");
    let again = cluster.send(&top_up.attempt, Priority::Critical, 1, true).await;
    assert_eq!(again, SendOutcome::AlreadyProcessed);
    cluster.send(&top_up.attempt, Priority::Critical, 2, false).await;
    assert_eq!(world.holds(payer).await, SOL);
    assert_eq!(
        cluster.expired(top_up.attempt.last_valid_block_height, &top_up.marker, Opinions::Two).await,
        Ok(false),
        "its marker is there"
    );
}

/// A blockhash lives for about a minute, so this takes more than that.
#[tokio::test]
async fn what_no_block_took_makes_room_for_another_and_lands_no_more() {
    let world = World::with_treasury(20 * SOL).await;
    let (cluster, payer) = (world.cluster(), payer());
    let order = TopUpOrder { payer, lamports: POLICY.top_up, last_marker: None };
    let lost = world.treasury.sign(&cluster, order).await.unwrap();
    world.store.record_top_up(&lost, None, POLICY.per_day).await.unwrap();
    let until_expired = async {
        while cluster.expired(lost.attempt.last_valid_block_height, &lost.marker, Opinions::Two).await != Ok(true) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until_expired).await.expect("it expires");
    let process = world.process(&[payer]);
    process.settle().await;
    process.settle().await;
    let verdicts: HashMap<_, _> =
        world.top_ups().await.into_iter().map(|top_up| (top_up.signature, top_up.verdict)).collect();
    assert_eq!(verdicts.get(&lost.attempt.signature), Some(&Some(Verdict::Expired)));
    assert_eq!((verdicts.len(), world.holds(payer).await), (2, POLICY.top_up));
}

#[tokio::test]
async fn an_empty_treasury_pauses_once_and_its_funds_resume() {
    let world = World::with_treasury(SOL).await;
    let payer = payer();
    let processes = [world.process(&[payer]), world.process(&[payer])];
    for process in &processes {
        assert!(!process.keeper.round().await.unwrap());
        assert_eq!(process.funds.of(&payer), Some(Standing::Short(Shortage::TreasuryEmpty)));
    }
    let pauses = async || world.store.pauses(DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(pauses().await.iter().filter(|pause| pause.ended_at.is_none()).count(), 1);
    world.give(&world.treasury.address(), 10 * SOL).await;
    for process in &processes {
        process.settle().await;
        assert_eq!(process.funds.of(&payer), Some(Standing::Enough));
    }
    let pauses = pauses().await;
    assert!(pauses.len() == 1 && pauses[0].ended_at.is_some_and(|ended| ended <= SystemClock.now()), "{pauses:?}");
    assert_eq!(world.top_ups().await.len(), 1);
}

#[expect(clippy::disallowed_methods, reason = "the one place where these tests learn of the stack")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}
