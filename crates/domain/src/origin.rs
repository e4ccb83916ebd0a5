//! What the address of an NFT is derived from: whoever owes the same NFT derives the same address.

use crate::{MintAddress, Operation, OperationId};

/// What stands for an NFT that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MintOrigin {
    /// The operation itself: one operation, one NFT.
    Operation(OperationId),
    /// The NFT whose burn pays for it: one burn, one NFT, whichever operation holds the claim on it.
    Burn(MintAddress),
}

/// An NFT that is owed, and who is to mint it now: its address comes from the one, its payer is chosen by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owed {
    /// What stands for it.
    pub origin: MintOrigin,
    /// The operation that mints it.
    pub by: OperationId,
}

impl From<&OperationId> for Owed {
    fn from(id: &OperationId) -> Self {
        Self { origin: id.into(), by: *id }
    }
}

impl From<&Operation> for Owed {
    fn from(operation: &Operation) -> Self {
        Self { origin: operation.into(), by: operation.id }
    }
}

impl From<&OperationId> for MintOrigin {
    fn from(id: &OperationId) -> Self {
        Self::Operation(*id)
    }
}

impl From<&Operation> for MintOrigin {
    fn from(operation: &Operation) -> Self {
        operation.content.burn.map_or(Self::Operation(operation.id), |burn| Self::Burn(burn.mint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Burn, Content, NewOperation, Nft, OperationKind, Priority, Signature, WalletAddress};

    #[test]
    fn a_burn_takes_the_place_of_the_operation() {
        let id: OperationId = "0199a0b0-0000-7000-8000-000000000001".parse().unwrap();
        let burned = MintAddress::from_bytes([3; 32]);
        let operation = |kind, burn| {
            let nft = Nft {
                name: "Quant Ape".into(),
                symbol: String::new(),
                description: String::new(),
                level: 2,
                image: "asset:quant-ape.png".into(),
                attributes: vec![],
                seller_fee_basis_points: 0,
                collection: None,
            };
            let content = Content { kind, wallet_address: WalletAddress::from_bytes([9; 32]), nft, burn };
            let new = NewOperation {
                id,
                user_id: "u".into(),
                priority: Priority::Normal,
                content_hash: content.hash(),
                content,
                trace_parent: None,
                event_at: chrono::DateTime::UNIX_EPOCH,
            };
            Operation::initiated(&new, chrono::DateTime::UNIX_EPOCH)
        };
        let burn = Burn { mint: burned, signature: Signature::from_bytes([4; 64]) };
        assert_eq!(MintOrigin::from(&operation(OperationKind::Unlock, None)), MintOrigin::Operation(id));
        let upgrade = operation(OperationKind::Upgrade, Some(burn));
        assert_eq!(Owed::from(&upgrade), Owed { origin: MintOrigin::Burn(burned), by: id });
    }
}
