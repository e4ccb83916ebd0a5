//! The mint step on the real program, where a transaction fails for its own sake, and the same bytes by two endpoints. One
//! chain with slots of 100 ms for all of them; what the fleet makes of the rest is in `exactly_once`, and what holds of the
//! chain's port in `solana`'s `real_chain`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use devstack::Progress;
use devstack::serve::{ChainServer, fetch_program};
use domain::{
    Attempt, Clock, Content, MintAddress, Nft, Operation, OperationId, OperationKind, Priority, State, SystemClock,
    Transition, WalletAddress,
};
use engine::{StepError, StepHandler};
use mint_submitter::Minter;
use resilience::Jitter;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Landing,
    MintOrder, MintPlan, MintSigner, MintStandard, MintState, Mints, Prefund, Pubkey, SendOutcome, SigningGround,
    TokenMetadata,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::{Keypair, write_keypair_file};
use tempfile::TempDir;
use testkit::{Crash, MemoryStore};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const SLOT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_mins(2);
const FIRST: SigningGround = SigningGround { lamports: 0, signed_before: 0, unit_price: None };
const CONTENT: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
/// A byte more than Token Metadata takes.
const TOO_LONG: &str = "A name of thirty-three bytes, one";

/// The chain, two endpoints of it, and a payer.
struct Ground {
    server: ChainServer,
    dir: TempDir,
}

impl Ground {
    async fn start() -> Result<Self> {
        let program = tokio::task::spawn_blocking(|| fetch_program(None, &Progress::silent())).await??;
        let anywhere = "127.0.0.1:0".parse()?;
        let server = ChainServer::start(&[anywhere, anywhere], SLOT, &program).await?;
        let ground = Self { server, dir: tempfile::tempdir()? };
        let payer = Keypair::new();
        write_keypair_file(&payer, ground.payer()).map_err(|error| anyhow::anyhow!("{error}"))?;
        let airdrop = json!([payer.pubkey().to_string(), 1_000_000_000_000_u64]);
        ground.endpoints(None)?.ask::<String>(RpcRequest::RequestAirdrop, airdrop).await?;
        Ok(ground)
    }

    fn payer(&self) -> std::path::PathBuf {
        self.dir.path().join("payer.json")
    }

    /// All of its endpoints, or one.
    fn endpoints(&self, only: Option<usize>) -> Result<Arc<Endpoints>> {
        let entries = self.server.entries();
        let chosen = entries.iter().enumerate().filter(|(index, _)| only.is_none_or(|only| only == *index));
        let addresses = chosen.filter_map(|(_, entry)| entry.split_once('='));
        let addresses = addresses.map(|(label, url)| EndpointAddress::new(label, url));
        let endpoints = Endpoints::connect(addresses, EndpointsSettings::default(), Arc::new(Jitter::from_seed(1)))?;
        Ok(Arc::new(endpoints))
    }

    fn cluster(&self, only: Option<usize>) -> Result<Cluster> {
        Ok(Cluster::start(self.endpoints(only)?, FeePolicy::default()))
    }

    fn mints<S: MintStandard>(&self, standard: S) -> Result<Mints<S>> {
        let signer = MintSigner::load(&self.payer(), &"17".repeat(32).into(), "test".into())?;
        Ok(Mints::new(signer, standard))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_transaction_meets_on_chain_there_is_one_nft_or_none() -> Result<()> {
    let ground = Ground::start().await?;
    tokio::try_join!(
        the_same_bytes_by_two_endpoints_at_once_are_one_nft(&ground),
        a_program_error_mints_nothing_and_is_told(&ground),
        too_few_units_are_no_end(&ground),
    )
    .map(drop)
}

async fn the_same_bytes_by_two_endpoints_at_once_are_one_nft(ground: &Ground) -> Result<()> {
    let (first, second) = (ground.cluster(Some(0))?, ground.cluster(Some(1))?);
    let (order, attempt) = signed(&first, &ground.mints(TokenMetadata)?, Uuid::now_v7(), FIRST).await?;
    tokio::join!(first.send(&attempt, Priority::Normal, 0, false), second.send(&attempt, Priority::Normal, 0, false),);
    for cluster in [&first, &second] {
        let landing = landed(cluster, &attempt, Commitment::Finalized).await?;
        ensure!(matches!(landing, Landing::Landed { .. }), "{landing:?}");
    }
    let nft = first.nft(&order.mint, &order.owner, 0).await?;
    ensure!(nft.mint.is_some_and(|mint| mint.supply == 1) && nft.holding.is_some_and(|held| held.amount == 1));
    Ok(())
}

/// What the program refuses fails once it can land no more, with the program's reason.
async fn a_program_error_mints_nothing_and_is_told(ground: &Ground) -> Result<()> {
    let mints = ground.mints(TokenMetadata)?;
    let refused = operation(TOO_LONG, "AIW3")?;
    let mint = mints.address(&refused.id);
    let (transition, signed) = carried(&minter(ground.cluster(None)?, mints), refused).await?;
    let Transition::Failed { failure, .. } = transition else { bail!("{transition:?}") };
    ensure!((failure.code.as_ref(), signed.len()) == ("program-error", 1), "{failure} after {}", signed.len());
    let cluster = ground.cluster(None)?;
    ensure!(cluster.mint_state(&mint, Commitment::Finalized, 0).await? == MintState::Absent { lamports: 0 });
    Ok(())
}

/// A budget that was measured too low costs an attempt or two, each of which expires first.
async fn too_few_units_are_no_end(ground: &Ground) -> Result<()> {
    let mints = ground.mints(Halved)?;
    let cluster = ground.cluster(None)?;
    let id = OperationId::from_uuid(Uuid::now_v7());
    let half = MintOrder { symbol: HALF.into(), ..order(mints.address(&id)) };
    mints.sign(&cluster, &id, &half, FIRST).await?;
    let hungry = operation("Hungry", "AIW3")?;
    let mint = mints.address(&hungry.id);
    let (transition, signed) = carried(&minter(ground.cluster(None)?, mints), hungry).await?;
    let Transition::Confirmed { signature, .. } = transition else { bail!("{transition:?}") };
    ensure!((2..=3).contains(&signed.len()), "{} transactions", signed.len());
    ensure!(signed.last().is_some_and(|attempt| attempt.signature == signature));
    let outcome = cluster.send(&signed[0], Priority::Normal, 0, true).await;
    ensure!(matches!(outcome, SendOutcome::BlockhashNotFound(_)), "the first one can land no more: {outcome:?}");
    ensure!(cluster.mint_state(&mint, Commitment::Confirmed, 0).await? == MintState::Minted);
    Ok(())
}

/// Orders with this symbol are planned without their last instruction: what is measured of them is too little for others.
const HALF: &str = "HALF";

#[derive(Debug)]
struct Halved;

impl MintStandard for Halved {
    fn plan(&self, order: &MintOrder, payer: &Pubkey, prefund: Option<Prefund>) -> MintPlan {
        let mut plan = TokenMetadata.plan(order, payer, prefund);
        if order.symbol == HALF {
            plan.instructions.pop();
        }
        plan
    }
}

fn minter<S: MintStandard>(cluster: Cluster, mints: Mints<S>) -> Minter<Cluster, S, SystemClock, MemoryStore> {
    let burns = MemoryStore::new(Arc::default(), Crash::never().into());
    Minter::new(cluster, mints, burns.into(), SystemClock)
}

/// Runs the mint step until the operation is minted or failed, and answers with that and every transaction it signed.
async fn carried<S: MintStandard>(
    minter: &Minter<Cluster, S, SystemClock, MemoryStore>,
    mut operation: Operation,
) -> Result<(Transition, Vec<Attempt>)> {
    let (deadline, mut signed) = (Instant::now() + PATIENCE, Vec::new());
    while Instant::now() < deadline {
        match minter.run(&operation).await {
            Ok(transition) => {
                operation = operation.after(&transition, SystemClock.now()).context("it may not follow")?;
                if operation.state != State::BlockchainSubmitted {
                    return Ok((transition, signed));
                }
                signed.extend(operation.open_attempt.clone());
            }
            Err(StepError::Dependency(_)) => sleep(SLOT).await,
            Err(error) => bail!(error),
        }
    }
    bail!("nothing came of it")
}

async fn signed(
    cluster: &Cluster,
    mints: &Mints<TokenMetadata>,
    id: Uuid,
    ground: SigningGround,
) -> Result<(MintOrder, Attempt)> {
    let id = OperationId::from_uuid(id);
    let order = order(mints.address(&id));
    let attempt = mints.sign(cluster, &id, &order, ground).await?;
    Ok((order, attempt))
}

async fn landed(cluster: &Cluster, attempt: &Attempt, commitment: Commitment) -> Result<Landing> {
    let landing = cluster.landing(attempt.into(), commitment, PATIENCE).await;
    ensure!(!matches!(landing, Landing::Unknown { .. } | Landing::Pending { .. }), "{landing:?}");
    Ok(landing)
}

fn order(mint: MintAddress) -> MintOrder {
    MintOrder {
        mint,
        owner: WalletAddress::from_bytes([9; 32]),
        name: "Quant Ape".into(),
        symbol: "AIW3".into(),
        uri: format!("ipfs://{CONTENT}"),
        seller_fee_basis_points: 500,
        collection: None,
    }
}

/// An operation whose content is pinned. Nobody has checked what it asks for.
fn operation(name: &str, symbol: &str) -> Result<Operation> {
    let nft = Nft {
        name: name.into(),
        symbol: symbol.into(),
        description: String::new(),
        level: 1,
        image: "asset:quant-ape.png".into(),
        attributes: vec![],
        seller_fee_basis_points: 500,
        collection: None,
    };
    let wallet_address = WalletAddress::from_bytes([9; 32]);
    Ok(Operation {
        content: Content { kind: OperationKind::Unlock, wallet_address, nft, burn: None },
        state: State::IpfsUploaded,
        version: 2,
        image_cid: Some(CONTENT.parse()?),
        metadata_cid: Some(CONTENT.parse()?),
        ..testkit::operation(OperationId::from_uuid(Uuid::now_v7()))
    })
}
