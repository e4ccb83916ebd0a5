//! What a reconciler asks of the chain: many mints at once, and what an account has signed.

use std::future::Future;

use domain::{MintAddress, Signature};
use mpl_token_metadata::accounts::MasterEdition;
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_sdk::pubkey::Pubkey;

use crate::chain::ChainView;
use crate::cluster::Cluster;
use crate::commitment::Commitment;
use crate::creation::Creation;
use crate::nft::{MintAccount, MintState};
use crate::rpc_error::RpcError;
use crate::token_metadata::pubkey;
use crate::wire::{SignatureOfAddress, TokenBalance, Transaction};

/// Mints that one call asks for.
pub const MINTS_PER_CALL: usize = 100;
/// Signatures that one call answers with.
pub const SIGNATURES_PER_CALL: usize = 1_000;

/// What lies at a mint's address, at `finalized`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintFound {
    /// The NFT, or what its owner left of it: with a supply of 0 it was burned.
    Minted {
        /// Tokens there are.
        supply: u64,
    },
    /// No mint.
    Absent,
    /// A mint that its edition does not rule.
    Foreign,
}

/// What is asked. [`Cluster`] answers for real.
pub trait AuditedChain: ChainView {
    /// What lies at each of at most [`MINTS_PER_CALL`] addresses, as of a slot that is not before `min_context_slot`.
    fn mints(
        &self,
        mints: &[MintAddress],
        min_context_slot: u64,
    ) -> impl Future<Output = Result<Vec<MintFound>, RpcError>> + Send;

    /// The next [`SIGNATURES_PER_CALL`] final transactions that name `account`, newest first, `before` that one; with
    /// whether each succeeded.
    fn transactions_of(
        &self,
        account: &Pubkey,
        before: Option<Signature>,
    ) -> impl Future<Output = Result<Vec<(Signature, bool)>, RpcError>> + Send;

    /// The mints whose first and only token this transaction made and whose creation `by` signed; none where it is not final.
    fn minted_in(
        &self,
        transaction: &Signature,
        by: &Pubkey,
    ) -> impl Future<Output = Result<Vec<MintAddress>, RpcError>> + Send;
}

impl AuditedChain for Cluster {
    async fn mints(&self, mints: &[MintAddress], min_context_slot: u64) -> Result<Vec<MintFound>, RpcError> {
        let addresses: Vec<_> = mints.iter().map(|mint| pubkey(mint.as_bytes())).collect();
        let snapshot = self.finalized_accounts(addresses.clone(), min_context_slot).await?;
        let found = addresses.iter().zip(&snapshot.accounts).map(|(mint, account)| {
            let (edition, _) = MasterEdition::find_pda(mint);
            match MintState::of(account.as_ref(), &edition) {
                MintState::Absent { .. } => MintFound::Absent,
                MintState::Foreign => MintFound::Foreign,
                MintState::Minted => {
                    let supply = account.as_ref().and_then(MintAccount::of).map_or(0, |mint| mint.supply);
                    MintFound::Minted { supply }
                }
            }
        });
        Ok(found.collect())
    }

    async fn transactions_of(
        &self,
        account: &Pubkey,
        before: Option<Signature>,
    ) -> Result<Vec<(Signature, bool)>, RpcError> {
        let before = before.map(|before| before.to_string());
        let found = self.signatures_of(account, Commitment::Finalized, before.as_deref()).await?;
        let read = |one: SignatureOfAddress| Some((one.signature.parse().ok()?, one.err.is_none()));
        Ok(found.into_iter().filter_map(read).collect())
    }

    async fn minted_in(&self, transaction: &Signature, by: &Pubkey) -> Result<Vec<MintAddress>, RpcError> {
        let config = json!({
            "encoding": "json", "commitment": Commitment::Finalized.as_str(), "maxSupportedTransactionVersion": 0,
        });
        let params = json!([transaction.to_string(), config]);
        let found: Option<Transaction> = self.ask(RpcRequest::GetTransaction, params).await?;
        let Some(transaction) = found else { return Ok(vec![]) };
        let is_theirs =
            |mint: &MintAddress| Creation::of(&transaction, mint).is_some_and(|creation| creation.authority == *by);
        Ok(minted(&transaction).into_iter().filter(is_theirs).collect())
    }
}

/// The mints of which there was nothing before and is one token after.
fn minted(transaction: &Transaction) -> Vec<MintAddress> {
    let Some(meta) = transaction.meta.as_ref().filter(|meta| meta.err.is_none()) else { return vec![] };
    let held = |balances: &[TokenBalance], mint: &str| -> u64 {
        let of_mint = balances.iter().filter(|balance| balance.mint == mint);
        of_mint.filter_map(|balance| balance.ui_token_amount.amount.parse::<u64>().ok()).sum()
    };
    let before = meta.pre_token_balances.as_deref().unwrap_or_default();
    let after = meta.post_token_balances.as_deref().unwrap_or_default();
    let mut mints: Vec<&str> = after.iter().map(|balance| balance.mint.as_str()).collect();
    mints.sort_unstable();
    mints.dedup();
    let new = mints.into_iter().filter(|mint| held(before, mint) == 0 && held(after, mint) == 1);
    new.filter_map(|mint| mint.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(err: &serde_json::Value, before: &[(u8, &str)], after: &[(u8, &str)]) -> Transaction {
        let balances = |held: &[(u8, &str)]| -> Vec<_> {
            let one = |(mint, amount): &(u8, &str)| json!({ "mint": MintAddress::from_bytes([*mint; 32]), "uiTokenAmount": { "amount": amount } });
            held.iter().map(one).collect()
        };
        let meta = json!({ "err": err, "preTokenBalances": balances(before), "postTokenBalances": balances(after) });
        serde_json::from_value(json!({ "slot": 1, "meta": meta })).unwrap()
    }

    #[test]
    fn a_mint_is_told_from_a_transfer_and_from_coins() {
        let none = serde_json::Value::Null;
        let of = |mint| MintAddress::from_bytes([mint; 32]);
        assert_eq!(minted(&transaction(&none, &[], &[(1, "1")])), [of(1)]);
        assert!(minted(&transaction(&none, &[(1, "1")], &[(1, "0"), (1, "1")])).is_empty(), "given away");
        assert!(minted(&transaction(&none, &[], &[(1, "1000000")])).is_empty(), "coins");
        assert!(minted(&transaction(&json!({ "x": 1 }), &[], &[(1, "1")])).is_empty(), "it failed");
        assert_eq!(minted(&transaction(&none, &[(2, "1")], &[(1, "1"), (2, "1")])), [of(1)]);
    }
}
