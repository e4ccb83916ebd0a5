//! The treasury: signs transfers to payers, each of which can land once. Nothing here sends anything: what is signed has
//! to be on record first.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use domain::{Attempt, MintAddress, Signature, TopUp, WalletAddress};
use sha2::{Digest, Sha256};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::program_pack::Pack;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signer};
use solana_sdk::transaction::Transaction;
use solana_system_interface::instruction as system;
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::instruction::{close_account, initialize_account3};
use spl_token_interface::native_mint::ID as WRAPPED_SOL;
use spl_token_interface::state::Account as TokenAccount;

use crate::chain::Chain;
use crate::key_error::KeyError;
use crate::keys::read_keypair;
use crate::purse::Purse;
use crate::rpc_error::RpcError;
use crate::token_metadata::pubkey;

/// Size of a marker, bytes.
const MARKER_SIZE: u64 = TokenAccount::LEN as u64;
/// Compute units that a top-up may use: some four times what its five instructions take.
const UNITS: u32 = 60_000;
/// How dear its units are: as those of a transaction that is signed anew, for the payers wait for it.
const URGENCY: u32 = 1;

/// Signs for the treasury.
#[derive(Clone)]
pub struct Treasury(Arc<Keypair>);

/// Shows what is public.
impl fmt::Debug for Treasury {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Treasury").field(&self.address()).finish()
    }
}

/// A transfer to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUpOrder {
    /// Who gets it.
    pub payer: Pubkey,
    /// How much.
    pub lamports: u64,
    /// The marker of the top-up before, which lies on chain: it is closed, and its rent comes back.
    pub last_marker: Option<MintAddress>,
}

impl Treasury {
    /// The treasury whose key this is.
    #[must_use]
    pub fn new(keypair: Keypair) -> Self {
        Self(Arc::new(keypair))
    }

    /// Reads the treasury's file, as `solana-keygen` writes it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(keypair: &Path) -> Result<Self, KeyError> {
        Ok(Self::new(read_keypair(keypair)?))
    }

    /// Where its money lies.
    #[must_use]
    pub fn address(&self) -> Pubkey {
        self.0.pubkey()
    }

    /// What the treasury must hold for a transfer of that much: its marker, the fees, and what keeps the treasury itself
    /// free of rent.
    ///
    /// # Errors
    /// [`RpcError`] where rents cannot be learned.
    pub async fn needs<P: Purse>(purse: &P, lamports: u64) -> Result<u64, RpcError> {
        // Fees are less than the rent of an empty account by far.
        let (marker, empty) = (purse.rent(MARKER_SIZE).await?, purse.rent(0).await?);
        Ok(lamports.saturating_add(marker).saturating_add(2 * empty))
    }

    /// Signs the transaction of a top-up.
    ///
    /// # Errors
    /// [`RpcError`] where blockhash or rent cannot be learned.
    ///
    /// # Panics
    /// Never: the treasury is the only one who signs.
    pub async fn sign<C: Chain + Purse>(&self, chain: &C, order: TopUpOrder) -> Result<TopUp, RpcError> {
        let rent = chain.rent(MARKER_SIZE).await?;
        let price = chain.unit_price(URGENCY).await;
        let blockhash = chain.blockhash().await?;
        let treasury = self.address();
        let (seed, marker) = marker(&treasury, &order, &blockhash.hash);
        let instructions = instructions(&treasury, &order, &seed, &marker, rent, price);
        let mut transaction = Transaction::new_with_payer(&instructions, Some(&treasury));
        transaction.try_sign(&[&*self.0], blockhash.hash).expect("the treasury is the only one who signs");
        Ok(TopUp {
            treasury: wallet(&treasury),
            payer: wallet(&order.payer),
            lamports: order.lamports,
            marker: MintAddress::from_bytes(marker.to_bytes()),
            attempt: Attempt {
                signature: Signature::from_bytes(transaction.signatures[0].into()),
                wire: bincode::serialize(&transaction).expect("a transaction has a wire form"),
                payer: Some(wallet(&treasury)),
                blockhash: blockhash.hash.to_string(),
                last_valid_block_height: blockhash.last_valid_block_height,
                context_slot: blockhash.context_slot,
                compute_unit_price: price,
                endpoint: blockhash.endpoint.to_string(),
                cost: None,
            },
        })
    }
}

fn wallet(account: &Pubkey) -> WalletAddress {
    WalletAddress::from_bytes(account.to_bytes())
}

/// The marker's seed and address. They come from all that makes two of our transfers different, so that no other
/// transaction takes them.
fn marker(treasury: &Pubkey, order: &TopUpOrder, blockhash: &Hash) -> (String, Pubkey) {
    let name = Sha256::new()
        .chain_update(b"mintfleet/top-up/v1")
        .chain_update(blockhash)
        .chain_update(order.payer)
        .chain_update(order.lamports.to_le_bytes())
        .finalize();
    // A seed has 32 bytes at most.
    let seed = hex::encode(&name[..16]);
    let marker = Pubkey::create_with_seed(treasury, &seed, &TOKEN_PROGRAM)
        .expect("a seed of 32 bytes is no longer than allowed");
    (seed, marker)
}

/// All or none of which happen. The marker is an empty account of wrapped SOL: it belongs to the token program, which no
/// stranger's lamports can make it do, and its owner can close it at any time.
fn instructions(
    treasury: &Pubkey,
    order: &TopUpOrder,
    seed: &str,
    marker: &Pubkey,
    rent: u64,
    price: u64,
) -> Vec<Instruction> {
    const REASON: &str = "the token program is the token program";
    let close = order
        .last_marker
        .map(|last| close_account(&TOKEN_PROGRAM, &pubkey(last.as_bytes()), treasury, treasury, &[]).expect(REASON));
    let create = system::create_account_with_seed(treasury, marker, treasury, seed, rent, MARKER_SIZE, &TOKEN_PROGRAM);
    let initialize = initialize_account3(&TOKEN_PROGRAM, marker, &WRAPPED_SOL, treasury).expect(REASON);
    let transfer = system::transfer(treasury, &order.payer, order.lamports);
    let price = (price > 0).then(|| ComputeBudgetInstruction::set_compute_unit_price(price));
    [Some(ComputeBudgetInstruction::set_compute_unit_limit(UNITS)), price]
        .into_iter()
        .flatten()
        .chain([create, initialize, transfer])
        .chain(close)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_transfers_have_one_marker() {
        let treasury = Pubkey::new_from_array([1; 32]);
        let order = TopUpOrder { payer: Pubkey::new_from_array([2; 32]), lamports: 5, last_marker: None };
        let of = |order: TopUpOrder, blockhash: u8| marker(&treasury, &order, &[blockhash; 32].into()).1;
        assert_eq!(of(order, 1), of(order, 1));
        let others = [
            of(order, 2),
            of(TopUpOrder { lamports: 6, ..order }, 1),
            of(TopUpOrder { payer: Pubkey::new_from_array([3; 32]), ..order }, 1),
        ];
        assert!(others.iter().all(|other| *other != of(order, 1)), "{others:?}");
    }
}
