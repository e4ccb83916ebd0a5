//! What strangers and owners do with an NFT's address.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::demo::Order;
use domain::{State, WalletAddress};
use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use mpl_token_metadata::instructions::BurnNftBuilder;
use solana::{MintSigner, Mints, TokenMetadata};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use spl_associated_token_account_interface::address::get_associated_token_address as token_account;
use spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent;
use spl_token_interface::ID as TOKEN_PROGRAM;

use crate::world::World;

const GIFT: u64 = 1_000_000;
/// What a sale and a burn cost, with much to spare.
const POCKET_MONEY: u64 = 50_000_000;
const STANDSTILL: Duration = Duration::from_mins(1);

pub async fn a_stranger_sent_lamports_first(world: &mut World) -> Result<()> {
    let orders = world.orders(1);
    let address = derived_address(world, &orders[0])?;
    world.give(&world.payer, &address, GIFT).await?;
    let follower = world.publish(&orders).await?;
    world.one_nft_each(follower).await?;
    world.ensure_verdicts(&orders, &["finalized"]).await
}

/// One owner sells the NFT and the other one burns it while nobody verifies: both were minted, and VERIFIED they are.
pub async fn sold_or_burned_before_it_was_verified(world: &mut World) -> Result<()> {
    world.stack.terminate_worker("verifier").await?;
    let (seller, burner) = (Keypair::new(), Keypair::new());
    let mut orders = world.orders(2);
    for (order, owner) in orders.iter_mut().zip([&seller, &burner]) {
        order.event.wallet_address = WalletAddress::from_bytes(owner.pubkey().to_bytes());
        world.give(&world.payer, &owner.pubkey(), POCKET_MONEY).await?;
    }
    let mut follower = world.publish(&orders).await?;
    follower.until_reached(STANDSTILL, State::BlockchainConfirmed, orders.len()).await?;
    sell(world, &seller, &world.mint(&orders[0]).await?).await?;
    burn(world, &burner, world.mint(&orders[1]).await?).await?;

    world.stack.start_worker("verifier").await?;
    let journeys = world.verified(follower).await?;
    let sold = journeys.into_iter().next().context("a journey")?;
    world.is_told(sold);
    world.ensure_verdicts(&orders, &["finalized"]).await
}

async fn sell(world: &World, seller: &Keypair, mint: &Pubkey) -> Result<()> {
    let (from, buyer) = (seller.pubkey(), Pubkey::new_unique());
    let (source, target) = (token_account(&from, mint), token_account(&buyer, mint));
    let open = create_associated_token_account_idempotent(&from, &buyer, mint, &TOKEN_PROGRAM);
    let move_it =
        spl_token_interface::instruction::transfer_checked(&TOKEN_PROGRAM, &source, mint, &target, &from, &[], 1, 0)?;
    world.act(seller, &[open, move_it]).await
}

async fn burn(world: &World, owner: &Keypair, mint: Pubkey) -> Result<()> {
    let burn = BurnNftBuilder::new()
        .metadata(Metadata::find_pda(&mint).0)
        .owner(owner.pubkey())
        .mint(mint)
        .token_account(token_account(&owner.pubkey(), &mint))
        .master_edition_account(MasterEdition::find_pda(&mint).0)
        .spl_token_program(TOKEN_PROGRAM)
        .instruction();
    world.act(owner, &[burn]).await
}

/// Where an operation's NFT will be, before anybody has ordered it.
fn derived_address(world: &World, order: &Order) -> Result<Pubkey> {
    let env = world.stack.env();
    let secret = std::fs::read_to_string(&env["MINT_MASTER_SECRET_FILE"])?;
    let payer = Path::new(&env["MINT_PAYER_KEYPAIR"]);
    let signer = MintSigner::load(payer, &secret.into(), env["MINT_KEY_ID"].clone())?;
    let address = Mints::new(signer, TokenMetadata).address(&order.event.operation_id);
    Ok(Pubkey::new_from_array(*address.as_bytes()))
}
