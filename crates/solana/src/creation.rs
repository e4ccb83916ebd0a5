//! What a minting transaction said of the NFT it made, read from its instructions: they outlive a burn, the metadata
//! account does not.

use borsh::BorshDeserialize as _;
use domain::MintAddress;
use mpl_token_metadata::instructions::CreateV1InstructionArgs;
use solana_sdk::pubkey::Pubkey;

use crate::wire::{Instruction, Transaction};

/// How `CreateV1` begins.
const CREATE_V1: [u8; 2] = [42, 0];
/// Where its mint and the mint's authority stand among its accounts.
const MINT: usize = 2;
const AUTHORITY: usize = 3;

/// The creation of an NFT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Who was the mint's authority and signed for it: nobody else can have made it.
    pub authority: Pubkey,
    /// The collection it was put into.
    pub collection: Option<MintAddress>,
}

impl Creation {
    /// The creation of `mint`, where this transaction is it. What programs called each other for is not looked at: no
    /// fleet mints like that.
    pub(crate) fn of(transaction: &Transaction, mint: &MintAddress) -> Option<Self> {
        let keys = transaction.keys();
        let mint = mint.to_string();
        let signers = transaction.signed.message.header.num_required_signatures;
        let mut create = transaction.signed.message.instructions.iter().filter(|instruction| {
            let program = keys.get(instruction.program_id_index);
            program.is_some_and(|program| **program == mpl_token_metadata::ID.to_string())
        });
        create.find_map(|instruction| read(instruction, &keys, &mint, signers))
    }
}

fn read(instruction: &Instruction, keys: &[&String], mint: &str, signers: usize) -> Option<Creation> {
    let data = bs58::decode(&instruction.data).into_vec().ok()?;
    let mut arguments = data.strip_prefix(&CREATE_V1)?;
    let arguments = CreateV1InstructionArgs::deserialize(&mut arguments).ok()?;
    let account = |at: usize| instruction.accounts.get(at).copied();
    let authority = account(AUTHORITY).filter(|index| *index < signers)?;
    if keys.get(account(MINT)?)?.as_str() != mint {
        return None;
    }
    let collection = arguments.collection.map(|collection| MintAddress::from_bytes(collection.key.to_bytes()));
    Some(Creation { authority: keys.get(authority)?.parse().ok()?, collection })
}

#[cfg(test)]
mod tests {
    use domain::WalletAddress;
    use serde_json::json;

    use super::*;
    use crate::standard::{Membership, MintOrder, MintStandard};
    use crate::token_metadata::TokenMetadata;

    const MINTED: MintAddress = MintAddress::from_bytes([3; 32]);
    const COLLECTION: MintAddress = MintAddress::from_bytes([5; 32]);
    const PAYER: Pubkey = Pubkey::new_from_array([2; 32]);

    /// A minting transaction as `getTransaction` tells it, with so many signers.
    fn told(collection: Option<MintAddress>, signers: Option<u8>) -> Transaction {
        let order = MintOrder {
            mint: MINTED,
            owner: WalletAddress::from_bytes([9; 32]),
            name: "Quant Ape".into(),
            symbol: "AIW3".into(),
            uri: "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into(),
            seller_fee_basis_points: 500,
            collection: collection.map(|collection| Membership { collection, authority: PAYER }),
        };
        let plan = TokenMetadata.plan(&order, &PAYER, None);
        let message = solana_sdk::transaction::Transaction::new_with_payer(&plan.instructions, Some(&PAYER)).message;
        let keys: Vec<_> = message.account_keys.iter().map(ToString::to_string).collect();
        let instructions = message.instructions.iter().map(|instruction| {
            let data = bs58::encode(&instruction.data).into_string();
            json!({ "programIdIndex": instruction.program_id_index, "accounts": instruction.accounts, "data": data })
        });
        let signers = signers.unwrap_or(message.header.num_required_signatures);
        let message = json!({
            "header": { "numRequiredSignatures": signers }, "accountKeys": keys,
            "instructions": instructions.collect::<Vec<_>>(),
        });
        serde_json::from_value(json!({ "slot": 7, "meta": null, "transaction": { "message": message } })).unwrap()
    }

    #[test]
    fn a_minting_transaction_says_who_made_it_and_into_which_collection() {
        for collection in [None, Some(COLLECTION)] {
            let creation = Creation::of(&told(collection, None), &MINTED);
            assert_eq!(creation, Some(Creation { authority: PAYER, collection }));
        }
    }

    #[test]
    fn nothing_else_is_a_creation() {
        assert_eq!(Creation::of(&told(None, None), &COLLECTION), None, "of another mint");
        assert_eq!(Creation::of(&told(None, Some(0)), &MINTED), None, "an authority that did not sign");
        let mut cut = told(None, None);
        for instruction in &mut cut.signed.message.instructions {
            instruction.accounts.truncate(2);
        }
        assert_eq!(Creation::of(&cut, &MINTED), None);
        let mut garbled = told(None, None);
        for instruction in &mut garbled.signed.message.instructions {
            instruction.data = "0OIl".into();
        }
        assert_eq!(Creation::of(&garbled, &MINTED), None);
        let empty = serde_json::from_value(json!({ "slot": 7, "meta": null })).unwrap();
        assert_eq!(Creation::of(&empty, &MINTED), None, "an endpoint that tells little");
    }
}
