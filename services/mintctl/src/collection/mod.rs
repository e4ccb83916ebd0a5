//! `mintctl collection`: what NFTs are verified into.

mod create;
mod creation;

use anyhow::Result;
use clap::{Args, Subcommand};
use store::Store;

use crate::exit::Exit;

const EXAMPLES: &str =
    "An order names its collection by address (`submit --collection`), and its NFT is verified into it by the
transaction that mints it. The collection has to be ruled by a payer whose key is there; orders into
any other fail before anything is signed.

Examples:
  mintctl collection create --name 'Quant Apes' --symbol AIW3 --uri ipfs://bafkrei…";

/// Arguments of `collection`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CollectionArgs {
    #[command(subcommand)]
    command: CollectionCommand,
}

#[derive(Debug, Subcommand)]
enum CollectionCommand {
    /// Create a collection, once, and print its address
    Create(create::CreateArgs),
}

/// Does it.
///
/// # Errors
/// Arguments that make no sense, keys or endpoints that are not configured, the chain's trouble or the database's.
pub async fn run(args: &CollectionArgs, store: &Store, json: bool) -> Result<Exit> {
    match &args.command {
        CollectionCommand::Create(args) => create::run(args, store, json).await,
    }
}
