//! What the local chain does by itself: mints signed beforehand, sent a few at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use domain::{OperationId, Priority, WalletAddress};
use futures::{StreamExt, TryStreamExt, stream};
use resilience::Jitter;
use solana::{
    Chain, Cluster, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, MintOrder, MintSigner, Mints,
    SendOutcome, SigningGround, TokenMetadata,
};
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use uuid::Uuid;

use crate::{Stack, figures};

/// Sends at once: enough that the chain never waits for the next.
const SENDERS: usize = 8;
/// A key of the bench's own, so that its NFTs are none of the fleet's.
const KEY_ID: &str = "bench";

/// Mints a second, straight to the chain.
pub async fn mints_per_second(stack: &Stack, mints: usize) -> Result<f64> {
    let endpoint = EndpointAddress::new("chain", stack.chain_url());
    let endpoints = Endpoints::connect([endpoint], EndpointsSettings::default(), Arc::new(Jitter::from_os()))?;
    let cluster = Cluster::start(Arc::new(endpoints), FeePolicy::NOTHING);
    let payer = stack.env().get("MINT_PAYER_KEYPAIR").context("the stack has no MINT_PAYER_KEYPAIR")?;
    let secret = hex::encode(Keypair::new().to_bytes().first_chunk::<32>().context("a secret")?);
    let signer = MintSigner::load(Path::new(payer), &secret.into(), KEY_ID.into())?;
    let minting = Mints::new(signer, TokenMetadata);

    let mut attempts = Vec::with_capacity(mints);
    for number in 0..mints {
        let id = OperationId::from_uuid(Uuid::now_v7());
        let order = MintOrder {
            mint: minting.address(&id),
            owner: WalletAddress::from_bytes(Keypair::new().pubkey().to_bytes()),
            name: format!("Limit #{number}"),
            symbol: "AIW3".into(),
            uri: "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into(),
            seller_fee_basis_points: 500,
            collection: None,
        };
        let ground = SigningGround { lamports: 0, signed_before: 0, unit_price: None };
        attempts.push(minting.sign(&cluster, &id, &order, ground).await?);
    }
    let started = Instant::now();
    stream::iter(&attempts)
        .map(Ok)
        .try_for_each_concurrent(SENDERS, async |attempt| {
            let outcome = cluster.send(attempt, Priority::Normal, 0, false).await;
            ensure!(outcome == SendOutcome::Accepted, "the chain did not take a mint: {outcome:?}");
            Ok(())
        })
        .await?;
    Ok(figures::rate(mints, started.elapsed()))
}
