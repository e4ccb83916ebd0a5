//! The accounts of an NFT, as the programs write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use borsh::BorshSerialize;
use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use mpl_token_metadata::types::Key;
use serde_json::{Value, json};
use solana_sdk::program_option::COption;
use solana_sdk::program_pack::Pack;
use solana_sdk::pubkey::Pubkey;
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};

use super::program::Nft;

/// What Token Metadata asks for itself: its metadata account holds so much beyond the rent.
pub const PROTOCOL_FEE: u64 = 10_000_000;
const SYSTEM_PROGRAM: Pubkey = Pubkey::new_from_array([0; 32]);

/// Which of an NFT's accounts an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The mint.
    Mint,
    /// Its metadata.
    Metadata,
    /// Its master edition.
    Edition,
    /// Its owner's token account.
    Token,
}

impl Nft {
    /// Its four addresses.
    #[must_use]
    pub fn addresses(&self) -> [(Pubkey, Kind); 4] {
        let creation = &self.creation;
        [
            (creation.mint, Kind::Mint),
            (creation.metadata, Kind::Metadata),
            (creation.edition, Kind::Edition),
            (self.token, Kind::Token),
        ]
    }

    /// One of its accounts, as `getMultipleAccounts` and `simulateTransaction` show it.
    #[must_use]
    pub fn account(&self, kind: Kind) -> Value {
        let (owner, data, fee) = match kind {
            Kind::Mint => (TOKEN_PROGRAM, self.mint(), 0),
            Kind::Metadata => (mpl_token_metadata::ID, self.metadata(), PROTOCOL_FEE),
            Kind::Edition => (mpl_token_metadata::ID, edition(), 0),
            Kind::Token => (TOKEN_PROGRAM, self.holding(), 0),
        };
        let least = rent(data.len() as u64) + fee;
        account(owner, if kind == Kind::Mint { least.max(self.gift) } else { least }, data)
    }

    fn mint(&self) -> Vec<u8> {
        let authority = COption::Some(self.creation.edition);
        packed(Mint {
            mint_authority: authority,
            supply: 1,
            decimals: 0,
            is_initialized: true,
            freeze_authority: authority,
        })
    }

    fn metadata(&self) -> Vec<u8> {
        let args = self.creation.args.clone();
        borsh(&Metadata {
            key: Key::MetadataV1,
            update_authority: self.creation.update_authority,
            mint: self.creation.mint,
            name: args.name,
            symbol: args.symbol,
            uri: args.uri,
            seller_fee_basis_points: args.seller_fee_basis_points,
            creators: args.creators,
            primary_sale_happened: args.primary_sale_happened,
            is_mutable: args.is_mutable,
            edition_nonce: None,
            token_standard: Some(args.token_standard),
            collection: args.collection,
            uses: args.uses,
            collection_details: None,
            programmable_config: None,
        })
    }

    fn holding(&self) -> Vec<u8> {
        packed(TokenAccount {
            mint: self.creation.mint,
            owner: self.owner,
            amount: 1,
            state: AccountState::Initialized,
            ..TokenAccount::default()
        })
    }
}

/// The account at an address to which a stranger sent lamports, and where there is nothing else.
#[must_use]
pub fn gift(lamports: u64) -> Value {
    account(SYSTEM_PROGRAM, lamports, vec![])
}

fn account(owner: Pubkey, lamports: u64, data: Vec<u8>) -> Value {
    let space = data.len();
    json!({
        "lamports": lamports, "owner": owner.to_string(), "space": space, "data": [BASE64.encode(data), "base64"],
    })
}

/// What an account of that many bytes holds to be free of rent.
pub fn rent(bytes: u64) -> u64 {
    (128 + bytes) * 6_960
}

fn edition() -> Vec<u8> {
    borsh(&MasterEdition { key: Key::MasterEditionV2, supply: 0, max_supply: Some(0) })
}

fn borsh(account: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(account).expect("memory takes all that is written")
}

fn packed<T: Pack>(account: T) -> Vec<u8> {
    let mut data = vec![0; T::LEN];
    T::pack(account, &mut data).expect("there is room for all of it");
    data
}
