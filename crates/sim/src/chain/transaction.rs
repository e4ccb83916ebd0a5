//! What the chain reads of a transaction: its real wire bytes, with real signatures.

use borsh::BorshDeserialize;
use mpl_token_metadata::instructions::CreateV1InstructionArgs;
use solana_sdk::hash::Hash;
use solana_sdk::message::Message;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::Transaction;
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::instruction::TokenInstruction;

/// First bytes of the two instructions of Token Metadata that mint an NFT.
const CREATE_V1: [u8; 2] = [42, 0];
const MINT_V1: [u8; 2] = [43, 0];

/// A transaction, taken apart.
#[derive(Debug, Clone)]
pub struct MintTransaction {
    /// Its name: the payer's signature.
    pub signature: Signature,
    /// What it was signed with.
    pub blockhash: Hash,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// One instruction, as far as it changes anything that the chain keeps here.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sets a mint account up by hand, for an address that holds lamports.
    InitializeMint(Pubkey),
    /// Token Metadata's `CreateV1`.
    Create(Box<Creation>),
    /// Token Metadata's `MintV1`.
    Mint {
        /// What is minted,
        mint: Pubkey,
        /// into which account,
        token: Pubkey,
        /// of whom.
        owner: Pubkey,
    },
    /// Anything else.
    Other,
}

/// What `CreateV1` creates.
#[derive(Debug, Clone)]
pub struct Creation {
    /// The mint.
    pub mint: Pubkey,
    /// Whether its key signed.
    pub signed: bool,
    /// Its metadata account.
    pub metadata: Pubkey,
    /// Its master edition.
    pub edition: Pubkey,
    /// Who may change it.
    pub update_authority: Pubkey,
    /// What it says.
    pub args: CreateV1InstructionArgs,
}

impl MintTransaction {
    /// Takes wire bytes apart.
    ///
    /// # Errors
    /// What a node would say: bytes that are no transaction, or whose signatures are not what they should be.
    pub fn read(wire: &[u8]) -> Result<Self, String> {
        let transaction = decoded(wire)?;
        transaction.verify().map_err(|_| "Transaction signature verification failure".to_owned())?;
        Self::of(&transaction)
    }

    /// Takes the wire bytes of one apart that is only tried out: nobody has to have signed it.
    ///
    /// # Errors
    /// Bytes that are no transaction.
    pub fn read_unsigned(wire: &[u8]) -> Result<Self, String> {
        Self::of(&decoded(wire)?)
    }

    fn of(transaction: &Transaction) -> Result<Self, String> {
        let signature = *transaction.signatures.first().ok_or("no signature")?;
        let message = &transaction.message;
        let steps = (0..message.instructions.len()).map(|index| Step::read(message, index)).collect();
        Ok(Self { signature, blockhash: message.recent_blockhash, steps })
    }

    /// The mints that it creates.
    pub fn creations(&self) -> impl Iterator<Item = &Creation> {
        self.steps.iter().filter_map(|step| match step {
            Step::Create(creation) => Some(&**creation),
            Step::InitializeMint(_) | Step::Mint { .. } | Step::Other => None,
        })
    }
}

fn decoded(wire: &[u8]) -> Result<Transaction, String> {
    bincode::deserialize(wire).map_err(|error| format!("failed to deserialize transaction: {error}"))
}

impl Step {
    fn read(message: &Message, index: usize) -> Self {
        Self::of(message, index).unwrap_or(Self::Other)
    }

    fn of(message: &Message, index: usize) -> Option<Self> {
        let instruction = message.instructions.get(index)?;
        let program = message.account_keys.get(usize::from(instruction.program_id_index))?;
        let place = |at: usize| instruction.accounts.get(at).map(|place| usize::from(*place));
        let account = |at: usize| message.account_keys.get(place(at)?).copied();
        if *program == TOKEN_PROGRAM {
            let does = TokenInstruction::unpack(&instruction.data).ok()?;
            let initializes = matches!(does, TokenInstruction::InitializeMint2 { .. });
            return account(0).filter(|_| initializes).map(Self::InitializeMint);
        }
        if *program != mpl_token_metadata::ID {
            return None;
        }
        if instruction.data.starts_with(&MINT_V1) {
            return Some(Self::Mint { token: account(0)?, owner: account(1)?, mint: account(5)? });
        }
        let mut args = instruction.data.strip_prefix(&CREATE_V1)?;
        Some(Self::Create(Box::new(Creation {
            metadata: account(0)?,
            edition: account(1)?,
            mint: account(2)?,
            signed: message.is_signer(place(2)?),
            update_authority: account(5)?,
            args: CreateV1InstructionArgs::deserialize(&mut args).ok()?,
        })))
    }
}
