//! From an order to a signed transaction. Nothing here sends anything: what is signed has to be on record first.

use domain::{Attempt, MintAddress, MintOrigin, Signature};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signer;
use solana_sdk::transaction::Transaction;

use crate::chain::Chain;
use crate::compute::{self, ComputeBudget};
use crate::rpc_error::RpcError;
use crate::signer::MintSigner;
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

impl<S: MintStandard> Mints<S> {
    /// Signs with `signer`.
    #[must_use]
    pub fn new(signer: MintSigner, standard: S) -> Self {
        Self { signer, standard, budget: ComputeBudget::default(), tolls: Tolls::default() }
    }

    /// Who pays.
    #[must_use]
    pub fn payer(&self) -> Pubkey {
        self.signer.payer()
    }

    /// The address of an operation's NFT.
    #[must_use]
    pub fn address(&self, origin: impl Into<MintOrigin>) -> MintAddress {
        self.signer.address(&origin.into())
    }

    /// Whether what `authority` mints is ours.
    #[must_use]
    pub fn mints_as(&self, authority: &Pubkey) -> bool {
        self.signer.payer() == *authority
    }

    /// The name of the master secret.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.signer.key_id()
    }

    /// Signs the one transaction that mints `order`, which is owed to `origin`.
    ///
    /// # Errors
    /// [`RpcError`] where blockhash, rent or budget cannot be learned.
    pub async fn sign<C: Chain>(
        &self,
        chain: &C,
        origin: impl Into<MintOrigin>,
        order: &MintOrder,
        ground: SigningGround,
    ) -> Result<Attempt, RpcError> {
        let origin = origin.into();
        let prefund = prefund(chain, ground.lamports).await?;
        let payer = self.signer.payer();
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
        let transaction = self.signed(unsigned(&plan, limit, price, &payer), &origin, blockhash.hash);
        Ok(Attempt {
            signature: Signature::from_bytes(transaction.signatures[0].into()),
            wire: wire(&transaction),
            blockhash: blockhash.hash.to_string(),
            last_valid_block_height: blockhash.last_valid_block_height,
            context_slot: blockhash.context_slot,
            compute_unit_price: price,
            endpoint: blockhash.endpoint.to_string(),
            cost: toll.map(|toll| toll.cost(prefund, limit, price)),
        })
    }

    /// A transaction of this order ran out of compute units: the next one gets more.
    pub async fn raise_budget(&self, order: &MintOrder, lamports: u64) {
        let prefund = (lamports > 0).then_some(Prefund { lamports, rent: 0 });
        let shape = self.standard.plan(order, &self.signer.payer(), prefund).shape;
        self.budget.raise(&shape).await;
    }

    fn signed(&self, mut transaction: Transaction, origin: &MintOrigin, blockhash: Hash) -> Transaction {
        let mint = self.signer.mint(origin);
        transaction
            .try_sign(&[self.signer.payer_keypair() as &dyn Signer, &mint], blockhash)
            .expect("a mint is signed by the payer and the mint, and both keys are at hand");
        transaction
    }
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
