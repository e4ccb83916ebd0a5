//! The rules of Token Metadata that count: one NFT for each mint address, made by one transaction that its key signed.

use mpl_token_metadata::MAX_NAME_LENGTH;
use solana_sdk::instruction::InstructionError;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;

use super::transaction::{Creation, MintTransaction, Step};

/// What `CreateV1` fails with where there is an NFT already: `ExpectedUninitialized`.
const EXPECTED_UNINITIALIZED: u32 = 199;
/// What the system program refuses to create an account with where lamports lie: `AccountAlreadyInUse`.
const ALREADY_IN_USE: u32 = 0;
/// A program error that no state of the chain explains.
const NAME_TOO_LONG: u32 = 11;
/// Operations that are to fail with it ask for a name that begins so, for one that is too long gets no further than their
/// event.
pub const HOPELESS: &str = "Hopeless";

/// What lies at the address of a mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Lamports that a stranger sent.
    Lamports(u64),
    /// An NFT.
    Nft,
}

/// An NFT.
#[derive(Debug, Clone)]
pub struct Nft {
    /// The slot in which it was made.
    pub slot: u64,
    /// By which transaction.
    pub signature: Signature,
    /// What was created.
    pub creation: Creation,
    /// Where it lies.
    pub token: Pubkey,
    /// Whose it is.
    pub owner: Pubkey,
    /// Lamports that lay on its mint's address before.
    pub gift: u64,
}

/// Runs a transaction: all of it happens, or nothing. Answers with the NFTs it makes.
///
/// # Errors
/// As the real programs.
pub fn run(transaction: &MintTransaction, found: impl Fn(&Pubkey) -> Found) -> Result<Vec<Nft>, TransactionError> {
    let mut set_up: Vec<Pubkey> = Vec::new();
    let mut created: Vec<(&Creation, u64)> = Vec::new();
    let mut made = Vec::new();
    for (index, step) in transaction.steps.iter().enumerate() {
        let fails = |error| TransactionError::InstructionError(u8::try_from(index).unwrap_or(u8::MAX), error);
        match step {
            Step::Other => {}
            Step::InitializeMint(mint) => set_up.push(*mint),
            Step::Create(creation) => {
                let gift = create(creation, found(&creation.mint), &set_up).map_err(fails)?;
                created.push((creation, gift));
            }
            Step::Mint { mint, token, owner } => {
                let created = created.iter().find(|(creation, _)| creation.mint == *mint);
                let (creation, gift) = created.ok_or(InstructionError::UninitializedAccount).map_err(fails)?;
                made.push(Nft {
                    slot: 0,
                    signature: transaction.signature,
                    creation: Creation::clone(creation),
                    token: *token,
                    owner: *owner,
                    gift: *gift,
                });
            }
        }
    }
    Ok(made)
}

/// Answers with the lamports that lay there.
fn create(creation: &Creation, found: Found, set_up: &[Pubkey]) -> Result<u64, InstructionError> {
    let gift = match found {
        Found::Nothing => 0,
        Found::Lamports(lamports) if set_up.contains(&creation.mint) => lamports,
        Found::Lamports(_) => return Err(InstructionError::Custom(ALREADY_IN_USE)),
        Found::Nft => return Err(InstructionError::Custom(EXPECTED_UNINITIALIZED)),
    };
    if !creation.signed {
        return Err(InstructionError::MissingRequiredSignature);
    }
    let name = &creation.args.name;
    if name.starts_with(HOPELESS) || name.len() > MAX_NAME_LENGTH {
        return Err(InstructionError::Custom(NAME_TOO_LONG));
    }
    Ok(gift)
}
