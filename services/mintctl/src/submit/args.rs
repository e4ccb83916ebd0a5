//! What `submit` is told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use domain::{
    Attribute, Burn, MintAddress, Nft, OperationId, OperationKind, OperationRequested, Priority, Signature,
    WalletAddress,
};

const EXAMPLES: &str = "A line of the file is one event of nft-operations, with its own operationId: the same file sent
twice mints nothing twice. Refused lines are reported with their number and do not stop the
others; exit code 1 tells. The ids of what was published are printed, one a line.

Examples:
  mintctl submit --wallet 7xKX… --name 'Quant Ape' --symbol AIW3 --level 2 \\
    --image asset:quant-ape.png --attribute Level=2 --attribute Background=Gold
  mintctl submit --file drop.jsonl --dry-run
  generate-drop | mintctl submit --file - --json";

/// Arguments of `submit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SubmitArgs {
    /// JSONL file of operations; `-` is standard input
    #[arg(long, short, value_name = "PATH", conflicts_with = "OneArgs")]
    pub file: Option<PathBuf>,

    /// Check everything, publish nothing
    #[arg(long)]
    pub dry_run: bool,

    /// One operation.
    #[command(flatten)]
    pub one: Option<OneArgs>,
}

/// One operation, from flags.
#[derive(Debug, Args)]
#[group(id = "OneArgs", multiple = true)]
pub struct OneArgs {
    /// Who gets the NFT: a Solana address
    #[arg(long, value_name = "ADDRESS", required = false, required_unless_present = "file")]
    pub wallet: WalletAddress,

    /// Name on chain, at most 32 bytes
    #[arg(long, required = false, required_unless_present = "file")]
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
    #[arg(long, required = false, required_unless_present = "file")]
    pub image: String,

    /// A trait; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_attribute)]
    pub attribute: Vec<Attribute>,

    /// Royalty in basis points
    #[arg(long, value_name = "BASIS_POINTS", default_value_t = 0)]
    pub royalty: u16,

    /// Mint address of a collection of ours, into which it is verified
    #[arg(long, value_name = "ADDRESS")]
    pub collection: Option<MintAddress>,

    /// Why it is minted
    #[arg(long = "type", value_enum, default_value_t = Kind::Unlock)]
    pub kind: Kind,

    /// Mint address of the NFT that was burned for an upgrade
    #[arg(long, value_name = "ADDRESS", requires = "burn_signature")]
    pub burned: Option<MintAddress>,

    /// The transaction that burned it
    #[arg(long, value_name = "SIGNATURE", requires = "burned")]
    pub burn_signature: Option<Signature>,

    /// Whom it is done for
    #[arg(long, default_value = "mintctl")]
    pub user: String,

    /// How urgently
    #[arg(long, value_enum, default_value_t = Urgency::Normal)]
    pub priority: Urgency,

    /// Idempotency key; a new UUIDv7 where it is left out
    #[arg(long, value_name = "UUID")]
    pub id: Option<OperationId>,
}

impl OneArgs {
    /// The event it stands for; `new_id` where no id was given.
    #[must_use]
    pub fn event(self, new_id: OperationId) -> OperationRequested {
        OperationRequested {
            operation_id: self.id.unwrap_or(new_id),
            kind: self.kind.into(),
            user_id: self.user,
            wallet_address: self.wallet,
            priority: self.priority.into(),
            nft: Nft {
                name: self.name,
                symbol: self.symbol,
                description: self.description,
                level: self.level,
                image: self.image,
                attributes: self.attribute,
                seller_fee_basis_points: self.royalty,
                collection: self.collection,
            },
            burn: self.burned.zip(self.burn_signature).map(|(mint, signature)| Burn { mint, signature }),
        }
    }
}

/// `domain`'s kinds, for the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The user earned it
    Unlock,
    /// The user burned a lower one for it
    Upgrade,
    /// A campaign gives it
    Airdrop,
}

impl From<Kind> for OperationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Unlock => Self::Unlock,
            Kind::Upgrade => Self::Upgrade,
            Kind::Airdrop => Self::Airdrop,
        }
    }
}

/// `domain`'s priorities, for the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Urgency {
    /// First, whatever else waits
    Critical,
    /// The usual
    Normal,
    /// Campaigns
    Bulk,
}

impl From<Urgency> for Priority {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Critical => Self::Critical,
            Urgency::Normal => Self::Normal,
            Urgency::Bulk => Self::Bulk,
        }
    }
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// What is wanted instead.
pub fn parse_attribute(text: &str) -> Result<Attribute, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok(Attribute { trait_type: name.to_owned(), value: value.to_owned() })
        }
        _ => Err("NAME=VALUE is wanted".into()),
    }
}
