//! Upgrades on real parts: a user burns one NFT and gets another for it, once, and nobody else does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::demo::{Follower, Journey, Order, Referee, campaign, publish};
use devstack::{Stack, StackOptions};
use domain::{Attempt, Burn, MintAddress, OperationKind, Priority, Signature, State, WalletAddress};
use mpl_token_metadata::instructions::BurnNftBuilder;
use resilience::Jitter;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Landing,
    NftAddresses, SendOutcome, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use solana_sdk::transaction::Transaction;
use spl_token_interface::ID as TOKEN_PROGRAM;

const STANDSTILL: Duration = Duration::from_mins(1);

/// A user with a wallet of their own.
struct User {
    wallet: Keypair,
    endpoints: Arc<Endpoints>,
    cluster: Cluster,
}

impl User {
    fn of(stack: &Stack) -> Result<Self> {
        let endpoint = EndpointAddress::new("chain", stack.chain_url());
        let endpoints = Endpoints::connect([endpoint], EndpointsSettings::default(), Arc::new(Jitter::from_os()))?;
        let endpoints = Arc::new(endpoints);
        Ok(Self {
            wallet: Keypair::new(),
            cluster: Cluster::start(Arc::clone(&endpoints), FeePolicy::NOTHING),
            endpoints,
        })
    }

    fn address(&self) -> WalletAddress {
        WalletAddress::from_bytes(self.wallet.pubkey().to_bytes())
    }

    async fn confirmed(&self, signature: Signature) -> Result<()> {
        let watch = Watch { signature, signed_at: None };
        let landing = self.cluster.landing(watch, Commitment::Confirmed, STANDSTILL).await;
        ensure!(matches!(landing, Landing::Landed { .. }), "{signature}: {landing:?}");
        Ok(())
    }

    /// Burns what the user holds, and does not wait until that is final.
    async fn burn(&self, mint: MintAddress) -> Result<Burn> {
        let funds = json!([self.wallet.pubkey().to_string(), 1_000_000_000]);
        let funds = self.endpoints.ask::<String>(RpcRequest::RequestAirdrop, funds).await?;
        self.confirmed(funds.value.parse()?).await?;
        let at = NftAddresses::of(&mint, &self.address());
        let burn = BurnNftBuilder::new()
            .metadata(at.metadata)
            .owner(self.wallet.pubkey())
            .mint(at.mint)
            .token_account(at.token)
            .master_edition_account(at.edition)
            .spl_token_program(TOKEN_PROGRAM)
            .instruction();
        let blockhash = self.cluster.blockhash().await?;
        let mut transaction = Transaction::new_with_payer(&[burn], Some(&self.wallet.pubkey()));
        transaction.try_sign(&[&self.wallet], blockhash.hash)?;
        let signature = Signature::from_bytes(transaction.signatures[0].into());
        let attempt = Attempt {
            signature,
            wire: bincode::serialize(&transaction)?,
            payer: None,
            blockhash: blockhash.hash.to_string(),
            last_valid_block_height: blockhash.last_valid_block_height,
            context_slot: blockhash.context_slot,
            compute_unit_price: 0,
            endpoint: "chain".into(),
            cost: None,
        };
        let outcome = self.cluster.send(&attempt, Priority::Normal, 0, true).await;
        ensure!(outcome == SendOutcome::Accepted, "{outcome:?}");
        self.confirmed(signature).await?;
        Ok(Burn { mint, signature })
    }
}

fn ordered(wallet: WalletAddress, burn: Option<Burn>) -> Result<Order> {
    let mut order = campaign(1).pop().context("an order")?;
    order.event.wallet_address = wallet;
    order.event.burn = burn;
    if burn.is_some() {
        order.event.kind = OperationKind::Upgrade;
        order.event.nft.name = format!("Upgrade {}", &order.event.operation_id.to_string()[24..]);
    }
    Ok(order)
}

async fn carried(stack: &Stack, orders: &[Order]) -> Result<Vec<Journey>> {
    let mut follower = Follower::start(stack.env(), orders)?;
    publish(stack.env(), orders).await?;
    follower.until_ended(STANDSTILL, &[]).await
}

fn failed_with(journey: &Journey) -> Option<&str> {
    let latest = journey.latest.as_ref().filter(|latest| latest.state == State::Failed)?;
    latest.error.as_ref().map(|error| error.code.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burned_nft_pays_for_one_upgrade_of_the_user_who_burned_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let options = StackOptions { slot: Duration::from_millis(100), ..StackOptions::new(dir.path().join("stack")) };
    let stack = Stack::start(options).await?;
    let (user, thief) = (User::of(&stack)?, User::of(&stack)?);

    let unlocked = carried(&stack, &[ordered(user.address(), None)?]).await?;
    let unlocked = unlocked[0].latest.as_ref().and_then(|latest| latest.mint_address).context("an NFT to burn")?;
    let burn = user.burn(unlocked).await?;

    // Not final yet when they are ordered: both wait until it is.
    let orders = [ordered(user.address(), Some(burn))?, ordered(thief.address(), Some(burn))?];
    let journeys = carried(&stack, &orders).await?;
    ensure!(failed_with(&journeys[1]) == Some("burn-by-another-user"), "{:?}", journeys[1].latest);
    let referee = Referee::new(&stack)?;
    let problems: Vec<_> = referee.judge(&journeys[..1]).await?.into_iter().flat_map(|found| found.problems).collect();
    ensure!(problems.is_empty(), "{problems:#?}");

    let again = carried(&stack, &[ordered(user.address(), Some(burn))?]).await?;
    ensure!(failed_with(&again[0]) == Some("burn-already-used"), "{:?}", again[0].latest);
    let surplus = referee.surplus(&journeys[..1]).await?;
    ensure!(surplus.is_empty(), "{surplus:#?}");
    stack.stop().await
}
