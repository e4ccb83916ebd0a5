//! What the chain holds at the addresses of an NFT.

use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use mpl_token_metadata::types::{Key, TokenStandard};
use solana_sdk::program_option::COption;
use solana_sdk::program_pack::Pack;
use solana_sdk::pubkey::Pubkey;
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::state::{Account as TokenAccount, Mint};

use crate::account_reader::Account;
use crate::token_metadata::NftAddresses;

const TOKEN_2022_PROGRAM: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Whether an NFT exists, by its mint account alone: it outlives a burn, the metadata account does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintState {
    /// The account belongs to the token program, and the edition is the mint's authority.
    Minted,
    /// The account belongs to no token program. Whoever wants to may have sent lamports there.
    Absent {
        /// What lies there.
        lamports: u64,
    },
    /// The account belongs to a token program, and the edition is not the mint's authority: none of ours.
    Foreign,
}

impl MintState {
    pub(crate) fn of(account: Option<&Account>, edition: &Pubkey) -> Self {
        match account {
            None => Self::Absent { lamports: 0 },
            Some(Account { owner, lamports, .. }) if ![TOKEN_PROGRAM, TOKEN_2022_PROGRAM].contains(owner) => {
                Self::Absent { lamports: *lamports }
            }
            Some(account) => match MintAccount::of(account) {
                Some(mint) if mint.authority == Some(*edition) => Self::Minted,
                Some(_) | None => Self::Foreign,
            },
        }
    }
}

/// A mint account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MintAccount {
    /// Digits behind the point.
    pub decimals: u8,
    /// Tokens there are: 1, or 0 once the NFT is burned.
    pub supply: u64,
    /// Who could mint more.
    pub authority: Option<Pubkey>,
    /// Who could freeze token accounts.
    pub freeze_authority: Option<Pubkey>,
}

impl MintAccount {
    pub(crate) fn of(account: &Account) -> Option<Self> {
        let mint = (account.owner == TOKEN_PROGRAM).then(|| Mint::unpack(&account.data).ok())??;
        Some(Self {
            decimals: mint.decimals,
            supply: mint.supply,
            authority: option(mint.mint_authority),
            freeze_authority: option(mint.freeze_authority),
        })
    }
}

/// A metadata account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataAccount {
    /// Whose metadata it is.
    pub mint: Pubkey,
    /// Who may change it.
    pub update_authority: Pubkey,
    /// Name, without the zeros it is padded with.
    pub name: String,
    /// Symbol, likewise.
    pub symbol: String,
    /// Where the content is, likewise.
    pub uri: String,
    /// Royalty in basis points.
    pub seller_fee_basis_points: u16,
    /// Address, whether verified, share in percent.
    pub creators: Vec<(Pubkey, bool, u8)>,
    /// Whether it can be changed.
    pub is_mutable: bool,
    /// Whether it is marked as a non-fungible token.
    pub non_fungible: bool,
    /// The collection it names, and whether that is verified.
    pub collection: Option<(Pubkey, bool)>,
    /// Whether it says that it is a collection itself.
    pub is_collection: bool,
}

impl MetadataAccount {
    pub(crate) fn of(account: &Account) -> Option<Self> {
        let metadata = program_account(account)
            .and_then(|data| Metadata::from_bytes(data).ok())
            .filter(|metadata| metadata.key == Key::MetadataV1)?;
        let unpadded = |text: String| text.trim_end_matches('\0').to_owned();
        Some(Self {
            mint: metadata.mint,
            update_authority: metadata.update_authority,
            name: unpadded(metadata.name),
            symbol: unpadded(metadata.symbol),
            uri: unpadded(metadata.uri),
            seller_fee_basis_points: metadata.seller_fee_basis_points,
            creators: metadata
                .creators
                .unwrap_or_default()
                .into_iter()
                .map(|creator| (creator.address, creator.verified, creator.share))
                .collect(),
            is_mutable: metadata.is_mutable,
            non_fungible: metadata.token_standard == Some(TokenStandard::NonFungible),
            collection: metadata.collection.map(|collection| (collection.key, collection.verified)),
            is_collection: metadata.collection_details.is_some(),
        })
    }
}

/// A token account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Of which mint.
    pub mint: Pubkey,
    /// Whose.
    pub owner: Pubkey,
    /// How many tokens.
    pub amount: u64,
}

impl Holding {
    pub(crate) fn of(account: &Account) -> Option<Self> {
        let token = (account.owner == TOKEN_PROGRAM).then(|| TokenAccount::unpack(&account.data).ok())??;
        Some(Self { mint: token.mint, owner: token.owner, amount: token.amount })
    }
}

/// The accounts of one NFT as of one slot. What is not there, or is something else, is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NftAccounts {
    /// Where they are.
    pub addresses: NftAddresses,
    /// When they were read.
    pub slot: u64,
    /// The mint.
    pub mint: Option<MintAccount>,
    /// Its metadata.
    pub metadata: Option<MetadataAccount>,
    /// Prints that its master edition allows; none is without limit.
    pub edition: Option<MaxSupply>,
    /// The owner's token account.
    pub holding: Option<Holding>,
}

/// How many prints a master edition allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxSupply {
    /// At most so many.
    Limited(u64),
    /// Any number.
    Unlimited,
}

impl NftAccounts {
    pub(crate) fn of(addresses: NftAddresses, slot: u64, accounts: &[Option<Account>]) -> Self {
        let account = |index: usize| accounts.get(index).and_then(Option::as_ref);
        Self {
            addresses,
            slot,
            mint: account(0).and_then(MintAccount::of),
            metadata: account(1).and_then(MetadataAccount::of),
            edition: account(2).and_then(max_supply),
            holding: account(3).and_then(Holding::of),
        }
    }
}

pub(crate) fn max_supply(account: &Account) -> Option<MaxSupply> {
    let edition = program_account(account)
        .and_then(|data| MasterEdition::from_bytes(data).ok())
        .filter(|edition| edition.key == Key::MasterEditionV2)?;
    Some(edition.max_supply.map_or(MaxSupply::Unlimited, MaxSupply::Limited))
}

fn program_account(account: &Account) -> Option<&[u8]> {
    (account.owner == mpl_token_metadata::ID).then_some(account.data.as_slice())
}

fn option(value: COption<Pubkey>) -> Option<Pubkey> {
    match value {
        COption::Some(key) => Some(key),
        COption::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDITION: Pubkey = Pubkey::new_from_array([3; 32]);

    fn mint(owner: Pubkey, authority: Pubkey) -> Account {
        let mint = Mint { mint_authority: COption::Some(authority), is_initialized: true, ..Mint::default() };
        let mut data = vec![0; Mint::LEN];
        Mint::pack(mint, &mut data).unwrap();
        Account { lamports: 1, owner, data }
    }

    #[test]
    fn minted_and_absent_are_told_by_the_mint_account_alone() {
        let state = |account: Option<&Account>| MintState::of(account, &EDITION);
        assert_eq!(state(None), MintState::Absent { lamports: 0 });
        let gift = Account { lamports: 5, owner: Pubkey::default(), data: vec![] };
        assert_eq!(state(Some(&gift)), MintState::Absent { lamports: 5 });
        assert_eq!(state(Some(&mint(TOKEN_PROGRAM, EDITION))), MintState::Minted);
        assert_eq!(state(Some(&mint(TOKEN_PROGRAM, Pubkey::default()))), MintState::Foreign);
        assert_eq!(state(Some(&mint(TOKEN_2022_PROGRAM, EDITION))), MintState::Foreign);
    }

    #[test]
    fn what_is_something_else_is_none() {
        let junk = Account { lamports: 1, owner: mpl_token_metadata::ID, data: vec![0; 700] };
        assert_eq!(MetadataAccount::of(&junk), None);
        assert_eq!(max_supply(&Account { data: vec![6], ..junk }), None);
        assert_eq!(Holding::of(&mint(TOKEN_PROGRAM, EDITION)), None);
    }
}
