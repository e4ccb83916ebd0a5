//! Collections: what lies at the address that an order names, read once for all who order into it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::MintAddress;
use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use solana_sdk::pubkey::Pubkey;

use crate::account_reader::{Account, AccountReader};
use crate::nft::{MaxSupply, MetadataAccount, MintState, max_supply};
use crate::refreshed::Refreshed;
use crate::rpc_error::RpcError;
use crate::token_metadata::pubkey;

/// A collection that was just created, or changed hands, is known as that so much later at most.
const KEEP: Duration = Duration::from_mins(1);
/// Collections that are remembered: more than any fleet has.
const MOST: usize = 1_000;

/// What lies at an address that is named as a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionState {
    /// A collection.
    Standing {
        /// Its update authority, by whose signature NFTs are put into it.
        authority: Pubkey,
    },
    /// No token.
    Absent,
    /// A token that is no collection, or none any more.
    NoCollection,
}

impl CollectionState {
    /// A collection is what Token Metadata lets NFTs be put into, and what says of itself that it is one: the program
    /// alone would take any NFT for a collection.
    fn of(mint: Option<&Account>, metadata: Option<&Account>, edition: Option<&Account>, edition_at: &Pubkey) -> Self {
        match MintState::of(mint, edition_at) {
            MintState::Absent { .. } => Self::Absent,
            MintState::Foreign => Self::NoCollection,
            MintState::Minted => {
                let is_unique = edition.and_then(max_supply) == Some(MaxSupply::Limited(0));
                let metadata = metadata.and_then(MetadataAccount::of);
                match metadata.filter(|metadata| is_unique && metadata.non_fungible && metadata.is_collection) {
                    Some(metadata) => Self::Standing { authority: metadata.update_authority },
                    None => Self::NoCollection,
                }
            }
        }
    }
}

/// Reads what lies there now.
pub(crate) async fn read(accounts: &AccountReader, mint: &MintAddress) -> Result<CollectionState, RpcError> {
    let mint = pubkey(mint.as_bytes());
    let ((metadata, _), (edition, _)) = (Metadata::find_pda(&mint), MasterEdition::find_pda(&mint));
    let snapshot = accounts.read(vec![mint, metadata, edition], 0).await?;
    let account = |index: usize| snapshot.accounts.get(index).and_then(Option::as_ref);
    Ok(CollectionState::of(account(0), account(1), account(2), &edition))
}

/// What was read of each collection lately.
#[derive(Debug, Default)]
pub(crate) struct Collections(Mutex<HashMap<MintAddress, Arc<Refreshed<CollectionState>>>>);

impl Collections {
    /// What lies there, by `read` where that is too long ago.
    pub(crate) async fn get<F>(&self, mint: &MintAddress, read: F) -> Result<CollectionState, RpcError>
    where
        F: Future<Output = Result<CollectionState, RpcError>>,
    {
        let shared = self.shared(mint);
        shared.get(read).await
    }

    fn shared(&self, mint: &MintAddress) -> Arc<Refreshed<CollectionState>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(mint) {
            known.clear();
        }
        Arc::clone(known.entry(*mint).or_insert_with(|| Arc::new(Refreshed::new(KEEP))))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use mpl_token_metadata::types::{CollectionDetails, Key, TokenStandard};
    use solana_sdk::program_option::COption;
    use solana_sdk::program_pack::Pack;
    use spl_token_interface::ID as TOKEN_PROGRAM;
    use spl_token_interface::state::Mint;

    use super::*;

    const AUTHORITY: Pubkey = Pubkey::new_from_array([1; 32]);
    const MINT: Pubkey = Pubkey::new_from_array([2; 32]);
    const EDITION: Pubkey = Pubkey::new_from_array([3; 32]);

    fn mint() -> Account {
        let mint = Mint { mint_authority: COption::Some(EDITION), is_initialized: true, ..Mint::default() };
        let mut data = vec![0; Mint::LEN];
        Mint::pack(mint, &mut data).unwrap();
        Account { lamports: 1, owner: TOKEN_PROGRAM, data }
    }

    fn of_program(account: &impl borsh::BorshSerialize) -> Account {
        Account { lamports: 1, owner: mpl_token_metadata::ID, data: borsh::to_vec(account).unwrap() }
    }

    fn metadata(collection_details: Option<CollectionDetails>) -> Account {
        of_program(&Metadata {
            key: Key::MetadataV1,
            update_authority: AUTHORITY,
            mint: MINT,
            name: "Quant Apes".into(),
            symbol: "AIW3".into(),
            uri: "ipfs://x".into(),
            seller_fee_basis_points: 0,
            creators: None,
            primary_sale_happened: false,
            is_mutable: true,
            edition_nonce: None,
            token_standard: Some(TokenStandard::NonFungible),
            collection: None,
            uses: None,
            collection_details,
            programmable_config: None,
        })
    }

    fn edition(max_supply: Option<u64>) -> Account {
        of_program(&MasterEdition { key: Key::MasterEditionV2, supply: 0, max_supply })
    }

    #[test]
    fn a_collection_is_a_unique_nft_that_says_it_is_one() {
        let state = |mint: Option<&Account>, metadata: Option<&Account>, edition: &Account| {
            CollectionState::of(mint, metadata, Some(edition), &EDITION)
        };
        let (mint, sized) = (mint(), metadata(Some(CollectionDetails::V1 { size: 7 })));
        let standing = CollectionState::Standing { authority: AUTHORITY };
        assert_eq!(state(Some(&mint), Some(&sized), &edition(Some(0))), standing);
        assert_eq!(state(None, None, &edition(Some(0))), CollectionState::Absent);
        let coin = Account { data: vec![0; Mint::LEN], ..mint.clone() };
        for (mint, metadata, edition) in [
            (&mint, Some(&metadata(None)), edition(Some(0))),
            (&mint, Some(&sized), edition(None)),
            (&mint, Some(&sized), edition(Some(10))),
            (&mint, None, edition(Some(0))),
            (&coin, Some(&sized), edition(Some(0))),
        ] {
            assert_eq!(state(Some(mint), metadata, &edition), CollectionState::NoCollection);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_collection_is_read_once_a_minute_however_many_ask() {
        let (collections, reads) = (Collections::default(), Cell::new(0));
        let ask = async |mint: u8| {
            let read = async {
                reads.set(reads.get() + 1);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(CollectionState::Absent)
            };
            collections.get(&MintAddress::from_bytes([mint; 32]), read).await
        };
        futures::future::join_all((0..100).map(|number| ask(number % 2))).await;
        assert_eq!(reads.get(), 2);
        tokio::time::advance(KEEP).await;
        ask(0).await.unwrap();
        assert_eq!(reads.get(), 3);
    }
}
