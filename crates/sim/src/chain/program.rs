//! The rules of Token Metadata that count: one NFT for each mint address, made by one transaction that its key signed.

use solana_sdk::instruction::InstructionError;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;

use super::transaction::{Creation, MintTransaction, Step};

/// What `CreateV1` fails with where there is an NFT already: `ExpectedUninitialized`.
const EXPECTED_UNINITIALIZED: u32 = 199;
/// A program error that no state of the chain explains: for operations that are to fail.
const NAME_TOO_LONG: u32 = 11;
/// Such operations ask for a name that begins so.
pub const HOPELESS: &str = "Hopeless";

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
}

/// Runs a transaction: all of it happens, or nothing. Answers with the NFTs it makes.
///
/// # Errors
/// As the real programs.
pub fn run(transaction: &MintTransaction, exists: impl Fn(&Pubkey) -> bool) -> Result<Vec<Nft>, TransactionError> {
    let mut created: Vec<&Creation> = Vec::new();
    let mut made = Vec::new();
    for (index, step) in transaction.steps.iter().enumerate() {
        let fails = |error| TransactionError::InstructionError(u8::try_from(index).unwrap_or(u8::MAX), error);
        match step {
            Step::InitializeMint | Step::Other => {}
            Step::Create(creation) => {
                create(creation, exists(&creation.mint)).map_err(fails)?;
                created.push(creation);
            }
            Step::Mint { mint, token, owner } => {
                let creation = created.iter().find(|creation| creation.mint == *mint);
                let creation = creation.ok_or(InstructionError::UninitializedAccount).map_err(fails)?;
                made.push(Nft {
                    slot: 0,
                    signature: transaction.signature,
                    creation: Creation::clone(creation),
                    token: *token,
                    owner: *owner,
                });
            }
        }
    }
    Ok(made)
}

fn create(creation: &Creation, exists: bool) -> Result<(), InstructionError> {
    if exists {
        return Err(InstructionError::Custom(EXPECTED_UNINITIALIZED));
    }
    if !creation.signed {
        return Err(InstructionError::MissingRequiredSignature);
    }
    if creation.args.name.starts_with(HOPELESS) {
        return Err(InstructionError::Custom(NAME_TOO_LONG));
    }
    Ok(())
}
