//! Why nothing was signed for an order.

use domain::{Failure, FailureClass, MintAddress};
use solana_sdk::pubkey::Pubkey;

use crate::rpc_error::RpcError;
use crate::signer::SignerError;

/// An order that was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Blockhash, rent or budget cannot be learned.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The signer of the payer, or of its collection's authority, did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// Somebody has to sign whose key is not here.
    #[error("{address} has to sign, and its key is not here")]
    NoKey {
        /// Who.
        address: Pubkey,
    },
    /// No secret of ours gives the order its address.
    #[error(transparent)]
    Key(#[from] WrongKey),
}

impl SignError {
    /// The failure it is for the operation.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Rpc(error) => error.failure(),
            Self::Signer(error) => error.failure(),
            Self::NoKey { .. } => Failure::new(FailureClass::Outage, "signing-key-missing", self),
            Self::Key(error) => error.failure(),
        }
    }
}

/// An address that cannot be signed for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongKey {
    /// The secret that it is said to come from is not configured.
    #[error("its address was derived from the master secret {key_id:?}, which is not configured")]
    Unknown {
        /// The secret's name.
        key_id: String,
    },
    /// The secret that it is said to come from gives it another one.
    #[error("its address is {mint}, and key {key_id:?} derives {derived}")]
    OtherAddress {
        /// The address on record.
        mint: MintAddress,
        /// The secret's name.
        key_id: String,
        /// What the secret derives.
        derived: MintAddress,
    },
}

impl WrongKey {
    /// The failure it is for the operation: a secret can still be configured, another address is for ever.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Unknown { .. } => Failure::new(FailureClass::Outage, "mint-key-not-configured", self),
            Self::OtherAddress { .. } => Failure::permanent("mint-address-mismatch", self),
        }
    }
}
