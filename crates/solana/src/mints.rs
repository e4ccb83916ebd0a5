//! From an order to a signed transaction. Nothing here sends anything: what is signed has to be on record first.

use domain::{Attempt, MintAddress, MintOrigin, OperationId, Owed, WalletAddress};
use futures::future::try_join_all;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signature, Signer as _};
use solana_sdk::transaction::Transaction;

use crate::chain::Chain;
use crate::compute::{self, ComputeBudget};
use crate::keys::MintSigner;
use crate::master::MasterSecret;
use crate::payers::{Payers, checked_signature};
use crate::rpc_error::RpcError;
use crate::sign_error::{SignError, WrongKey};
use crate::standard::{MintOrder, MintPlan, MintStandard, Prefund};
use crate::token_metadata::TokenMetadata;
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

    /// Whether NFTs can be put into the collections of `authority`: it is one of our payers, and its key is here.
    #[must_use]
    pub fn puts_into_collections_of(&self, authority: &Pubkey) -> bool {
        self.payers().signer(authority).is_some()
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
        let payer = self.payers().of(&owed.by);
        let plan = |prefund| self.standard.plan(order, &payer, prefund);
        self.sign_plan(chain, plan, payer, || secret.mint(&owed.origin), ground).await
    }

    async fn sign_plan<C: Chain>(
        &self,
        chain: &C,
        plan: impl FnOnce(Option<Prefund>) -> MintPlan + Send,
        payer: Pubkey,
        mint: impl FnOnce() -> Keypair + Send,
        ground: SigningGround,
    ) -> Result<Attempt, SignError> {
        let prefund = prefund(chain, ground.lamports).await?;
        let plan = plan(prefund);
        let probe = unsigned(&plan, compute::MOST, 0, &payer);
        let measure = async { chain.simulate(&wire(&probe)).await };
        let limit = self.budget.limit(&plan.shape, plan.search_steps, measure).await?;
        let price = match ground.unit_price {
            Some(price) => price,
            None => chain.unit_price(ground.signed_before).await,
        };
        let toll = self.tolls.get(&plan.shape, chain.toll(&probe, &plan.funded, ground.lamports)).await;
        let blockhash = chain.blockhash().await?;
        let transaction = self.signed(unsigned(&plan, limit, price, &payer), &mint(), blockhash.hash).await?;
        Ok(Attempt {
            signature: domain::Signature::from_bytes(transaction.signatures[0].into()),
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

    /// Lets everybody sign who has to: the mint, whoever pays, and whoever rules its collection. Each of their signers sees
    /// the message as it will be sent.
    async fn signed(
        &self,
        mut transaction: Transaction,
        mint: &Keypair,
        blockhash: Hash,
    ) -> Result<Transaction, SignError> {
        transaction.message.recent_blockhash = blockhash;
        let message = transaction.message_data();
        let signers = transaction.message.signer_keys().into_iter();
        transaction.signatures = try_join_all(signers.map(|signer| self.signature(signer, mint, &message))).await?;
        Ok(transaction)
    }

    async fn signature(&self, of: &Pubkey, mint: &Keypair, message: &[u8]) -> Result<Signature, SignError> {
        if *of == mint.pubkey() {
            return Ok(mint.sign_message(message));
        }
        let signer = self.payers().signer(of).ok_or(SignError::NoKey { address: *of })?;
        let signature = checked_signature(signer, message).await?;
        Ok((*signature.as_bytes()).into())
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

impl Mints<TokenMetadata> {
    /// The address that the collection of that label gets where it has none yet.
    #[must_use]
    pub fn collection_address(&self, label: &str) -> MintAddress {
        self.signer.masters().active().collection_address(label)
    }

    /// The addresses that the master secrets of before give it.
    pub fn retired_collection_addresses(&self, label: &str) -> impl Iterator<Item = MintAddress> {
        self.signer.masters().retired().map(move |secret| secret.collection_address(label))
    }

    /// Signs the one transaction in which `payer` creates the collection `order`, at the address that its label has from the
    /// master secret in use.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign_collection<C: Chain>(
        &self,
        chain: &C,
        label: &str,
        order: &MintOrder,
        payer: Pubkey,
        ground: SigningGround,
    ) -> Result<Attempt, SignError> {
        let mint = || self.signer.masters().active().collection(label);
        let plan = |prefund| TokenMetadata::plan_collection(order, &payer, prefund);
        self.sign_plan(chain, plan, payer, mint, ground).await
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use secrecy::SecretBox;

    use super::*;
    use crate::master::MasterSecrets;
    use crate::signer::{KeypairSigner, Signer};
    use crate::standard::Membership;

    /// What a transaction may have at most, bytes.
    const LARGEST: usize = 1_232;
    const PREFUND: Option<Prefund> = Some(Prefund { lamports: 1, rent: 1_461_600 });

    fn keypair(byte: u8) -> Keypair {
        Keypair::new_from_array([byte; 32])
    }

    /// All texts as long as they may be, into a collection of `authority`.
    fn longest(mint: &Pubkey, authority: Pubkey) -> MintOrder {
        MintOrder {
            mint: MintAddress::from_bytes(mint.to_bytes()),
            owner: WalletAddress::from_bytes([3; 32]),
            name: "n".repeat(mpl_token_metadata::MAX_NAME_LENGTH),
            symbol: "s".repeat(mpl_token_metadata::MAX_SYMBOL_LENGTH),
            uri: "u".repeat(mpl_token_metadata::MAX_URI_LENGTH),
            seller_fee_basis_points: 10_000,
            collection: Some(Membership { collection: MintAddress::from_bytes([4; 32]), authority }),
        }
    }

    #[test]
    fn the_largest_mint_fits_into_a_transaction() {
        let payer = keypair(1).pubkey();
        let order = longest(&keypair(9).pubkey(), payer);
        let size = |plan: &MintPlan| wire(&unsigned(plan, compute::MOST, u64::MAX, &payer)).len();
        let into_collection = size(&TokenMetadata.plan(&order, &payer, PREFUND));
        assert!(into_collection <= LARGEST, "{into_collection} bytes");
        let collection = MintOrder { collection: None, ..order.clone() };
        let collection = size(&TokenMetadata::plan_collection(&collection, &payer, PREFUND));
        assert!(collection < into_collection, "{collection} bytes");

        // A third signature and account, and the URI that the fleet gives its NFTs.
        let uri = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into();
        let cosigned = MintOrder { uri, ..longest(&keypair(9).pubkey(), keypair(2).pubkey()) };
        let cosigned = size(&TokenMetadata.plan(&cosigned, &payer, PREFUND));
        assert!(cosigned <= LARGEST, "{cosigned} bytes");
    }

    #[tokio::test]
    async fn whoever_pays_and_whoever_rules_the_collection_both_sign() {
        let signers = [1, 2].map(|byte| Arc::new(KeypairSigner::new(keypair(byte))) as Arc<dyn Signer>);
        let masters = MasterSecrets::one(MasterSecret::new("k1".into(), SecretBox::new(Box::new([7; 32]))));
        let mints = Mints::new(MintSigner::of(Payers::new(signers, &[]).unwrap(), masters), TokenMetadata);
        let (payer, mint) = (keypair(1).pubkey(), keypair(9));
        let signed = async |authority| {
            let plan = TokenMetadata.plan(&longest(&mint.pubkey(), authority), &payer, None);
            mints.signed(unsigned(&plan, 1, 1, &payer), &mint, Hash::new_from_array([5; 32])).await
        };
        for (authority, signatures) in [(1, 2), (2, 3)] {
            let transaction = signed(keypair(authority).pubkey()).await.unwrap();
            assert_eq!(transaction.signatures.len(), signatures);
            assert!(transaction.verify().is_ok());
        }
        let stranger = keypair(8).pubkey();
        assert_eq!(signed(stranger).await, Err(SignError::NoKey { address: stranger }));
    }
}
