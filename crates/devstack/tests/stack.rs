//! The stack in this process, as the demo and the fleet's tests use it.

use std::time::Duration;

use devstack::{Extent, Stack, StackOptions, TOKEN_METADATA};
use mpl_token_metadata::{
    accounts::{MasterEdition, Metadata},
    instructions::{CreateV1Builder, MintV1Builder},
    types::{PrintSupply, TokenStandard},
};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_sdk::{
    pubkey::Pubkey,
    signer::{
        Signer,
        keypair::{Keypair, read_keypair_file},
    },
    transaction::Transaction,
};
use spl_associated_token_account_interface::address::get_associated_token_address;

async fn bare(dir: &std::path::Path) -> Stack {
    let mut options = StackOptions::new(dir);
    options.extent = Extent::Bare;
    options.slot = Duration::from_millis(100);
    Stack::start(options).await.unwrap()
}

fn endpoint(stack: &Stack, index: usize) -> RpcClient {
    let entry = stack.env()["SOLANA_RPC_ENDPOINTS"].split(',').nth(index).unwrap();
    let (_label, url) = entry.split_once('=').unwrap();
    RpcClient::new(url.to_owned())
}

/// One NFT in the payer's own wallet, by one transaction.
async fn mint(rpc: &RpcClient, payer: &Keypair) -> Pubkey {
    let mint = Keypair::new();
    let (metadata, _) = Metadata::find_pda(&mint.pubkey());
    let (edition, _) = MasterEdition::find_pda(&mint.pubkey());
    let create = CreateV1Builder::new()
        .metadata(metadata)
        .master_edition(Some(edition))
        .mint(mint.pubkey(), true)
        .authority(payer.pubkey())
        .payer(payer.pubkey())
        .update_authority(payer.pubkey(), true)
        .spl_token_program(Some(spl_token_interface::ID))
        .name("Tech Chicken".into())
        .symbol("AIW3".into())
        .uri("ipfs://bafkreitest".into())
        .seller_fee_basis_points(500)
        .token_standard(TokenStandard::NonFungible)
        .print_supply(PrintSupply::Zero)
        .instruction();
    let into_wallet = MintV1Builder::new()
        .token(get_associated_token_address(&payer.pubkey(), &mint.pubkey()))
        .token_owner(Some(payer.pubkey()))
        .metadata(metadata)
        .master_edition(Some(edition))
        .mint(mint.pubkey())
        .authority(payer.pubkey())
        .payer(payer.pubkey())
        .amount(1)
        .instruction();
    let blockhash = rpc.get_latest_blockhash().await.unwrap();
    let transaction =
        Transaction::new_signed_with_payer(&[create, into_wallet], Some(&payer.pubkey()), &[payer, &mint], blockhash);
    rpc.send_and_confirm_transaction(&transaction).await.unwrap();
    mint.pubkey()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stacks_live_side_by_side_and_each_chain_mints() {
    let place = tempfile::tempdir().unwrap();
    let (one_dir, other_dir) = (place.path().join("one"), place.path().join("other"));
    let (mut one, other) = tokio::join!(bare(&one_dir), bare(&other_dir));
    for name in ["DATABASE_URL", "KAFKA_BROKERS", "SOLANA_RPC_ENDPOINTS", "PINATA_API_URL", "IPFS_GATEWAYS"] {
        assert_ne!(one.env()[name], other.env()[name], "{name}");
    }

    let program = endpoint(&one, 0).get_account(&TOKEN_METADATA.parse().unwrap()).await.unwrap();
    assert!(program.executable);

    one.reset_rpc_counts();
    let payer = read_keypair_file(&one.env()["MINT_PAYER_KEYPAIR"]).unwrap();
    let minted = mint(&endpoint(&one, 0), &payer).await;
    let counts = one.rpc_counts();
    assert_eq!(counts["sendTransaction"], 1, "{counts:?}");
    assert!(other.rpc_counts().is_empty(), "nobody called the other chain");

    // All endpoints are the same chain, and it is not the other stack's.
    let wallet = get_associated_token_address(&payer.pubkey(), &minted);
    let balance = endpoint(&one, 1).get_token_account_balance(&wallet).await.unwrap();
    assert_eq!((balance.amount.as_str(), balance.decimals), ("1", 0));
    assert!(endpoint(&other, 0).get_account(&minted).await.is_err());

    let before = (one.pid("postgres"), one.pid("kafka"));
    one.restart_postgres().await.unwrap();
    one.restart_kafka().await.unwrap();
    assert_ne!(before.0, one.pid("postgres"));
    assert_ne!(before.1, one.pid("kafka"));

    one.stop().await.unwrap();
    other.stop().await.unwrap();
    assert!(!one_dir.exists() && !other_dir.exists(), "nothing is left behind");
}
