//! What `airdrop` is told.

use std::path::PathBuf;

use clap::Args;
use domain::{Attribute, MintAddress};

use crate::submit::{Urgency, parse_attribute};

const EXAMPLES: &str =
    "A line of the file is one NFT, as JSON: walletAddress, and where it differs from the flags key, userId,
name, symbol, description, level, image, attributes. The operation's id is made of the campaign and
the row's key (the wallet, where it has none): the same file sent twice mints nothing twice, and a
file that was extended mints what is new in it. A wallet that is to get several needs keys.
Every row is checked first. If one is bad, all bad ones are reported and nothing is published.

Examples:
  echo '{\"walletAddress\":\"7xKX…\"}' > winners.jsonl
  mintctl airdrop winners.jsonl --campaign spring-2026 --name 'Quant Ape' --symbol AIW3 --level 2 \\
    --image asset:quant-ape.png --dry-run
  mintctl airdrop - --campaign spring-2026 --image asset:quant-ape.png < named.jsonl
  mintctl list --type airdrop --state failed";

/// Arguments of `airdrop`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AirdropArgs {
    /// JSONL file of rows; `-` is standard input
    pub file: PathBuf,

    /// Name of the airdrop: part of every operation's id
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub campaign: String,

    /// Check everything, publish nothing
    #[arg(long)]
    pub dry_run: bool,

    /// What every row gets that does not say otherwise.
    #[command(flatten)]
    pub template: Template,
}

/// What every row gets that does not say otherwise.
#[derive(Debug, Clone, Args)]
pub struct Template {
    /// Name on chain, at most 32 bytes
    #[arg(long, default_value = "")]
    pub name: String,

    /// Symbol on chain, at most 10 bytes
    #[arg(long, default_value = "")]
    pub symbol: String,

    /// Text for people
    #[arg(long, default_value = "")]
    pub description: String,

    /// Level it stands for
    #[arg(long, default_value_t = 1)]
    pub level: u32,

    /// Where its image is: asset:NAME, https://… or ipfs://CID[/PATH]
    #[arg(long, default_value = "")]
    pub image: String,

    /// A trait; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_attribute)]
    pub attribute: Vec<Attribute>,

    /// Royalty in basis points
    #[arg(long, value_name = "BASIS_POINTS", default_value_t = 0)]
    pub royalty: u16,

    /// Mint address of a collection of ours, into which they are verified
    #[arg(long, value_name = "ADDRESS")]
    pub collection: Option<MintAddress>,

    /// How urgently
    #[arg(long, value_enum, default_value_t = Urgency::Bulk)]
    pub priority: Urgency,
}
