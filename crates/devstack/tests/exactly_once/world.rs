//! The stack, and what the outcomes have in common.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use devstack::demo::{Follower, Journey, Order, Referee, orders, publish};
use devstack::faults::{Fault, FaultKind};
use devstack::{Stack, StackOptions};
use domain::State;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::{Keypair, read_keypair_file};
use solana_sdk::transaction::Transaction;
use sqlx::{Connection, PgConnection, query_scalar};
use surfpool_core::solana_commitment_config::CommitmentConfig;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub const SLOT: Duration = Duration::from_millis(100);
/// The longest that nothing moves: a blockhash expires, or a dropped transaction is missed.
const STANDSTILL: Duration = Duration::from_mins(2);
const PATIENCE: Duration = Duration::from_mins(1);
/// The payer is to find out in the middle of its work that it is poor, and not before.
const SETTINGS: [(&str, &str); 3] = [
    ("CB_TIMEOUT_MS", "3000"),
    ("KAFKA_PROPERTIES", "session.timeout.ms=6000"),
    ("MINT_PAYER_PAUSE_BELOW_LAMPORTS", "0"),
];

pub struct World {
    pub stack: Stack,
    /// The chain itself, past the endpoints that can be told to fail.
    pub rpc: RpcClient,
    pub payer: Keypair,
    ordered: usize,
    told: Vec<Journey>,
    _dir: TempDir,
}

impl World {
    pub async fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut options = StackOptions::new(dir.path().join("stack"));
        options.slot = SLOT;
        options.settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let stack = Stack::start(options).await?;
        let rpc = RpcClient::new_with_commitment(stack.chain_url(), CommitmentConfig::confirmed());
        let payer = read_keypair_file(&stack.env()["MINT_PAYER_KEYPAIR"]).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { stack, rpc, payer, ordered: 0, told: Vec::new(), _dir: dir })
    }

    /// Nobody minted anything that was not ordered, and nothing twice.
    pub async fn end(self) -> Result<()> {
        let surplus = Referee::new(&self.stack)?.surplus(&self.told).await?;
        ensure!(surplus.is_empty(), "{surplus:#?}");
        self.stack.stop().await
    }

    pub fn orders(&mut self, count: usize) -> Vec<Order> {
        let first = self.ordered;
        self.ordered += count;
        orders(first).take(count).collect()
    }

    pub async fn publish(&self, orders: &[Order]) -> Result<Follower> {
        let follower = Follower::start(self.stack.env(), orders)?;
        publish(self.stack.env(), orders).await?;
        Ok(follower)
    }

    /// Waits until all are VERIFIED, each of them one NFT with its owner and content.
    pub async fn one_nft_each(&mut self, follower: Follower) -> Result<()> {
        let journeys = self.verified(follower).await?;
        let findings = Referee::new(&self.stack)?.judge(&journeys).await?;
        let problems: Vec<_> = findings.into_iter().flat_map(|finding| finding.problems).collect();
        ensure!(problems.is_empty(), "{problems:#?}");
        self.told.extend(journeys);
        Ok(())
    }

    /// Waits until all are VERIFIED, whatever became of their NFTs since.
    pub async fn verified(&self, mut follower: Follower) -> Result<Vec<Journey>> {
        let journeys = follower.until_ended(STANDSTILL, &[]).await?;
        for journey in &journeys {
            let latest = journey.latest.as_ref();
            let state = latest.map(|latest| latest.state);
            ensure!(state == Some(State::Verified), "{} ended {latest:?}", journey.order.event.operation_id);
        }
        Ok(journeys)
    }

    /// An operation whose NFT is still there, though not as the referee would have it.
    pub fn is_told(&mut self, journey: Journey) {
        self.told.push(journey);
    }

    pub async fn let_fail(&self, target: &str, kind: FaultKind) -> Result<()> {
        self.stack.faults().set(&Fault::new(target, kind)).await?;
        Ok(())
    }

    /// Ends the faults of a target and says how often they struck.
    pub fn let_be(&self, target: &str) -> Result<u64> {
        let struck = self.stack.faults().report().faults.iter().map(|fault| fault.struck).sum();
        self.stack.faults().clear(Some(target))?;
        Ok(struck)
    }

    /// The verdicts of an operation's transactions in the order in which they were signed.
    pub async fn verdicts(&self, order: &Order) -> Result<Vec<String>> {
        let of_it = "SELECT coalesce(verdict, 'open') FROM mint_attempts WHERE operation_id = $1 ORDER BY signed_at";
        let id = *order.event.operation_id.as_uuid();
        Ok(query_scalar(of_it).bind(id).fetch_all(&mut self.database().await?).await?)
    }

    pub async fn ensure_verdicts(&self, orders: &[Order], expected: &[&str]) -> Result<()> {
        for order in orders {
            let verdicts = self.verdicts(order).await?;
            ensure!(verdicts == expected, "{}: {verdicts:?}", order.event.nft.name);
        }
        Ok(())
    }

    /// A number that the database gives for an operation.
    pub async fn number(&self, sql: &'static str, order: &Order) -> Result<i64> {
        let id = *order.event.operation_id.as_uuid();
        Ok(query_scalar(sql).bind(id).fetch_one(&mut self.database().await?).await?)
    }

    pub async fn mint(&self, order: &Order) -> Result<Pubkey> {
        let sql = "SELECT mint_address FROM minting_operations WHERE id = $1";
        let id = *order.event.operation_id.as_uuid();
        let mint: Option<String> = query_scalar(sql).bind(id).fetch_one(&mut self.database().await?).await?;
        Ok(mint.context("no mint address")?.parse()?)
    }

    async fn database(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.stack.env()["DATABASE_URL"]).await?)
    }

    /// Does this on chain, past the fleet, and waits until it is confirmed.
    pub async fn act(&self, who: &Keypair, instructions: &[Instruction]) -> Result<()> {
        let blockhash = self.rpc.get_latest_blockhash().await?;
        let payer = who.pubkey();
        let transaction = Transaction::new_signed_with_payer(instructions, Some(&payer), &[who], blockhash);
        let signature = self.rpc.send_transaction(&transaction).await?;
        until("it is confirmed", async || Ok(self.rpc.confirm_transaction(&signature).await?)).await
    }

    pub async fn give(&self, from: &Keypair, to: &Pubkey, lamports: u64) -> Result<()> {
        self.act(from, &[solana_system_interface::instruction::transfer(&from.pubkey(), to, lamports)]).await
    }
}

/// Asks again and again, until it is so.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await.with_context(|| what.to_owned())? {
        ensure!(Instant::now() < deadline, "still not so: {what}");
        sleep(SLOT / 2).await;
    }
    Ok(())
}
