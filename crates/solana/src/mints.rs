//! From an order to a signed transaction. Nothing here sends anything: what is signed has to be on record first.

use domain::{Attempt, Failure, FailureClass, MintAddress, MintOrigin, OperationId, Owed, Signature, WalletAddress};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::transaction::Transaction;

use crate::chain::Chain;
use crate::compute::{self, ComputeBudget};
use crate::keys::MintSigner;
use crate::master::MasterSecret;
use crate::payers::{Payers, checked_signature};
use crate::rpc_error::RpcError;
use crate::signer::{Signer, SignerError};
use crate::standard::{MintOrder, MintPlan, MintStandard, Prefund};
use crate::toll::Tolls;

/// Signs the mints of one standard.
#[derive(Debug)]
pub struct Mints<S> {
    signer: MintSigner,
    standard: S,
    budget: ComputeBudget,
    tolls: Tolls,
}

/// What the signing of one order depends on.
#[derive(Debug, Clone, Copy)]
pub struct SigningGround {
    /// What lies on the mint's address already.
    pub lamports: u64,
    /// How often the operation was signed before: its price rises with it.
    pub signed_before: u32,
    /// What a person set for a compute unit, micro-lamports.
    pub unit_price: Option<u64>,
}

/// An order that was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Blockhash, rent or budget cannot be learned.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The payer's signer did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// No secret of ours gives the order its address.
    #[error(transparent)]
    Key(#[from] WrongKey),
}

impl SignError {
    /// The failure it is for the operation.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Rpc(error) => error.failure(),
            Self::Signer(error) => error.failure(),
            Self::Key(error) => error.failure(),
        }
    }
}

/// An address that cannot be signed for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongKey {
    /// The secret that it is said to come from is not configured.
    #[error("its address was derived from the master secret {key_id:?}, which is not configured")]
    Unknown {
        /// The secret's name.
        key_id: String,
    },
    /// The secret that it is said to come from gives it another one.
    #[error("its address is {mint}, and key {key_id:?} derives {derived}")]
    OtherAddress {
        /// The address on record.
        mint: MintAddress,
        /// The secret's name.
        key_id: String,
        /// What the secret derives.
        derived: MintAddress,
    },
}

impl WrongKey {
    /// The failure it is for the operation: a secret can still be configured, another address is for ever.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Unknown { .. } => Failure::new(FailureClass::Outage, "mint-key-not-configured", self),
            Self::OtherAddress { .. } => Failure::permanent("mint-address-mismatch", self),
        }
    }
}

impl<S: MintStandard> Mints<S> {
    /// Signs with `signer`.
    #[must_use]
    pub fn new(signer: MintSigner, standard: S) -> Self {
        Self { signer, standard, budget: ComputeBudget::default(), tolls: Tolls::default() }
    }

    /// The address that an NFT gets where it has none yet.
    #[must_use]
    pub fn address(&self, origin: impl Into<MintOrigin>) -> MintAddress {
        self.signer.masters().active().address(origin)
    }

    /// Whether what `authority` mints is ours, or was.
    #[must_use]
    pub fn mints_as(&self, authority: &Pubkey) -> bool {
        self.payers().include(authority)
    }

    /// The addresses that the master secrets of before give it, each with the secret's name.
    pub fn retired_addresses(&self, origin: impl Into<MintOrigin>) -> impl Iterator<Item = (&str, MintAddress)> {
        let origin = origin.into();
        self.signer.masters().retired().map(move |secret| (secret.key_id(), secret.address(origin)))
    }

    /// The name of the master secret in use.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.signer.masters().active().key_id()
    }

    /// The name of the secret that gives an NFT the address on record: the one that the row names, where it names one.
    ///
    /// # Errors
    /// [`WrongKey`]: nothing may be signed for that address.
    pub fn key_of(
        &self,
        origin: impl Into<MintOrigin>,
        mint: &MintAddress,
        named: Option<&str>,
    ) -> Result<&str, WrongKey> {
        self.secret_of(origin.into(), mint, named).map(MasterSecret::key_id)
    }

    /// Who may pay.
    #[must_use]
    pub const fn payers(&self) -> &Payers {
        self.signer.payers()
    }

    /// Signs the one transaction that mints `order`, which is owed.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign<C: Chain>(
        &self,
        chain: &C,
        owed: impl Into<Owed>,
        order: &MintOrder,
        ground: SigningGround,
    ) -> Result<Attempt, SignError> {
        let owed = owed.into();
        let secret = self.secret_of(owed.origin, &order.mint, None)?;
        let signer = self.payers().signer_of(&owed.by);
        let payer = signer.address();
        let prefund = prefund(chain, ground.lamports).await?;
        let plan = self.standard.plan(order, &payer, prefund);
        let probe = unsigned(&plan, compute::MOST, 0, &payer);
        let measure = async { chain.simulate(&wire(&probe)).await };
        let limit = self.budget.limit(&plan.shape, plan.search_steps, measure).await?;
        let price = match ground.unit_price {
            Some(price) => price,
            None => chain.unit_price(ground.signed_before).await,
        };
        let toll = self.tolls.get(&plan.shape, chain.toll(&probe, &plan.funded, ground.lamports)).await;
        let blockhash = chain.blockhash().await?;
        let mut transaction = unsigned(&plan, limit, price, &payer);
        let signature = sign(&mut transaction, signer, &secret.mint(&owed.origin), blockhash.hash).await?;
        Ok(Attempt {
            signature,
            wire: wire(&transaction),
            payer: Some(WalletAddress::from_bytes(payer.to_bytes())),
            blockhash: blockhash.hash.to_string(),
            last_valid_block_height: blockhash.last_valid_block_height,
            context_slot: blockhash.context_slot,
            compute_unit_price: price,
            endpoint: blockhash.endpoint.to_string(),
            cost: toll.map(|toll| toll.cost(prefund, limit, price)),
        })
    }

    /// A transaction of operation `id` for this order ran out of compute units: the next one gets more.
    pub async fn raise_budget(&self, id: &OperationId, order: &MintOrder, lamports: u64) {
        let prefund = (lamports > 0).then_some(Prefund { lamports, rent: 0 });
        let shape = self.standard.plan(order, &self.payers().of(id), prefund).shape;
        self.budget.raise(&shape).await;
    }

    fn secret_of(
        &self,
        origin: MintOrigin,
        mint: &MintAddress,
        named: Option<&str>,
    ) -> Result<&MasterSecret, WrongKey> {
        let masters = self.signer.masters();
        let secret = match named {
            None => masters.deriving(origin, mint).unwrap_or_else(|| masters.active()),
            Some(name) => masters
                .all()
                .find(|secret| secret.key_id() == name)
                .ok_or_else(|| WrongKey::Unknown { key_id: name.to_owned() })?,
        };
        let derived = secret.address(origin);
        if derived == *mint {
            Ok(secret)
        } else {
            Err(WrongKey::OtherAddress { mint: *mint, key_id: secret.key_id().to_owned(), derived })
        }
    }
}

/// Signs for the mint and the payer, in this order: whoever keeps the payer's key sees the message as it will be sent.
async fn sign(
    transaction: &mut Transaction,
    payer: &dyn Signer,
    mint: &Keypair,
    blockhash: Hash,
) -> Result<Signature, SignerError> {
    transaction.try_partial_sign(&[mint], blockhash).expect("the mint is one of the two who sign");
    let signature = checked_signature(payer, &transaction.message_data()).await?;
    let slot = transaction.signatures.first_mut().expect("the payer signs first");
    *slot = (*signature.as_bytes()).into();
    Ok(signature)
}

/// Lamports of a stranger, where there are any.
async fn prefund<C: Chain>(chain: &C, lamports: u64) -> Result<Option<Prefund>, RpcError> {
    Ok(match lamports {
        0 => None,
        lamports => Some(Prefund { lamports, rent: chain.mint_rent().await? }),
    })
}

/// A transaction that cannot land: what is simulated must never carry a signature, for whoever holds a signed
/// transaction can send it.
fn unsigned(plan: &MintPlan, limit: u32, price: u64, payer: &Pubkey) -> Transaction {
    let budget = [
        Some(ComputeBudgetInstruction::set_compute_unit_limit(limit)),
        (price > 0).then(|| ComputeBudgetInstruction::set_compute_unit_price(price)),
    ];
    let instructions: Vec<Instruction> =
        budget.into_iter().flatten().chain(plan.instructions.iter().cloned()).collect();
    Transaction::new_with_payer(&instructions, Some(payer))
}

fn wire(transaction: &Transaction) -> Vec<u8> {
    bincode::serialize(transaction).expect("a transaction has a wire form")
}
