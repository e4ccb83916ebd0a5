//! NFTs of Metaplex's Token Metadata program: one mint, its metadata, and a master edition without prints.

use domain::{MintAddress, WalletAddress};
use mpl_token_metadata::accounts::{MasterEdition, Metadata};
use mpl_token_metadata::instructions::{CreateV1Builder, MintV1Builder, VerifySizedCollectionItemBuilder};
use mpl_token_metadata::types::{Collection, CollectionDetails, Creator, PrintSupply, TokenStandard};
use solana_sdk::instruction::Instruction;
use solana_sdk::program_pack::Pack;
use solana_sdk::pubkey::Pubkey;
use solana_system_interface::instruction as system;
use spl_associated_token_account_interface::program::ID as ASSOCIATED_TOKEN_PROGRAM;
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::instruction::initialize_mint2;
use spl_token_interface::state::Mint;

use crate::compute::Shape;
use crate::standard::{Membership, MintOrder, MintPlan, MintStandard, Prefund};

/// Size of a mint account, bytes.
pub(crate) const MINT_SIZE: usize = Mint::LEN;
const HIGHEST_BUMP: u8 = u8::MAX;

/// Where the accounts of an NFT are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NftAddresses {
    /// The mint.
    pub mint: Pubkey,
    /// Its metadata.
    pub metadata: Pubkey,
    /// Its master edition, which is the authority of the mint.
    pub edition: Pubkey,
    /// The owner's token account.
    pub token: Pubkey,
    search_steps: u32,
}

impl NftAddresses {
    /// The addresses that belong to a mint and its owner.
    #[must_use]
    pub fn of(mint: &MintAddress, owner: &WalletAddress) -> Self {
        let (mint, owner) = (pubkey(mint.as_bytes()), pubkey(owner.as_bytes()));
        let (metadata, metadata_bump) = Metadata::find_pda(&mint);
        let (edition, edition_bump) = MasterEdition::find_pda(&mint);
        let seeds = [owner.as_ref(), TOKEN_PROGRAM.as_ref(), mint.as_ref()];
        let (token, token_bump) = Pubkey::find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM);
        let search_steps =
            [metadata_bump, edition_bump, token_bump].into_iter().map(|bump| u32::from(HIGHEST_BUMP - bump)).sum();
        Self { mint, metadata, edition, token, search_steps }
    }

    fn funded(&self) -> Vec<Pubkey> {
        vec![self.mint, self.metadata, self.edition, self.token]
    }
}

/// Immutable NFTs whose only creator is the payer, verified by its signature; and the collections they are verified into.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenMetadata;

impl TokenMetadata {
    const NAME: &'static str = "token-metadata";
    const COLLECTION: &'static str = "token-metadata-collection";

    /// Plans the one transaction that creates a collection and that cannot succeed twice for one mint. It says of itself
    /// that it is one (a sized one, as the program calls it), which sets it apart from every other NFT; and it is no more
    /// than a name and a picture, so its authority may change it.
    pub(crate) fn plan_collection(order: &MintOrder, payer: &Pubkey, prefund: Option<Prefund>) -> MintPlan {
        let at = NftAddresses::of(&order.mint, &order.owner);
        let mut create = Self::create(order, &at, payer);
        create.is_mutable(true).collection_details(CollectionDetails::V1 { size: 0 });
        let mut instructions = Self::set_up(&at.mint, payer, prefund);
        instructions.extend([create.instruction(), Self::mint(order, &at, payer)]);
        let prefunded = prefund.is_some();
        let shape = Shape { standard: Self::COLLECTION, prefunded, collection: false, cosigned: false };
        MintPlan { instructions, shape, funded: at.funded(), search_steps: at.search_steps }
    }

    fn create(order: &MintOrder, at: &NftAddresses, payer: &Pubkey) -> CreateV1Builder {
        let mut create = CreateV1Builder::new();
        create
            .metadata(at.metadata)
            .master_edition(Some(at.edition))
            .mint(at.mint, true)
            .authority(*payer)
            .payer(*payer)
            .update_authority(*payer, true)
            .spl_token_program(Some(TOKEN_PROGRAM))
            .name(order.name.clone())
            .symbol(order.symbol.clone())
            .uri(order.uri.clone())
            .seller_fee_basis_points(order.seller_fee_basis_points)
            .creators(vec![Creator { address: *payer, verified: true, share: 100 }])
            .is_mutable(false)
            .token_standard(TokenStandard::NonFungible)
            .print_supply(PrintSupply::Zero);
        // The program takes nobody's word that it is verified: an instruction of its own does that, further on.
        if let Some(into) = &order.collection {
            create.collection(Collection { verified: false, key: pubkey(into.collection.as_bytes()) });
        }
        create
    }

    fn mint(order: &MintOrder, at: &NftAddresses, payer: &Pubkey) -> Instruction {
        MintV1Builder::new()
            .token(at.token)
            .token_owner(Some(pubkey(order.owner.as_bytes())))
            .metadata(at.metadata)
            .master_edition(Some(at.edition))
            .mint(at.mint)
            .authority(*payer)
            .payer(*payer)
            .amount(1)
            .instruction()
    }

    /// Verifies the NFT into its collection, where the program counts it: mints into one collection write one account. And
    /// the steps that the program's search for the collection's edition takes beyond the least. The instruction is the
    /// older one for sized collections: unlike `Verify`, every release of the program knows it, the local stack's too.
    fn verify(at: &NftAddresses, into: &Membership, payer: &Pubkey) -> (Instruction, u32) {
        let collection = pubkey(into.collection.as_bytes());
        let (metadata, _) = Metadata::find_pda(&collection);
        let (edition, edition_bump) = MasterEdition::find_pda(&collection);
        let verify = VerifySizedCollectionItemBuilder::new()
            .metadata(at.metadata)
            .collection_authority(into.authority)
            .payer(*payer)
            .collection_mint(collection)
            .collection(metadata)
            .collection_master_edition_account(edition)
            .instruction();
        (verify, u32::from(HIGHEST_BUMP - edition_bump))
    }

    /// What `CreateV1` does for an empty address, done by hand for one that holds lamports: the system program creates
    /// no account there.
    fn set_up(mint: &Pubkey, payer: &Pubkey, prefund: Option<Prefund>) -> Vec<Instruction> {
        let Some(prefund) = prefund else { return vec![] };
        let shortfall = prefund.rent.saturating_sub(prefund.lamports);
        let fund = (shortfall > 0).then(|| system::transfer(payer, mint, shortfall));
        let initialize = initialize_mint2(&TOKEN_PROGRAM, mint, payer, Some(payer), 0)
            .expect("the token program is the token program");
        fund.into_iter()
            .chain([system::allocate(mint, MINT_SIZE as u64), system::assign(mint, &TOKEN_PROGRAM), initialize])
            .collect()
    }
}

impl MintStandard for TokenMetadata {
    fn plan(&self, order: &MintOrder, payer: &Pubkey, prefund: Option<Prefund>) -> MintPlan {
        let at = NftAddresses::of(&order.mint, &order.owner);
        let mut instructions = Self::set_up(&at.mint, payer, prefund);
        instructions.extend([Self::create(order, &at, payer).instruction(), Self::mint(order, &at, payer)]);
        let mut search_steps = at.search_steps;
        if let Some(into) = &order.collection {
            let (verify, steps) = Self::verify(&at, into, payer);
            instructions.push(verify);
            search_steps += steps;
        }
        let shape = Shape {
            standard: Self::NAME,
            prefunded: prefund.is_some(),
            collection: order.collection.is_some(),
            cosigned: order.collection.is_some_and(|into| into.authority != *payer),
        };
        MintPlan { instructions, shape, funded: at.funded(), search_steps }
    }
}

pub(crate) const fn pubkey(bytes: &[u8; 32]) -> Pubkey {
    Pubkey::new_from_array(*bytes)
}
