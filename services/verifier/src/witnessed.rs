//! For an NFT that its owner has moved or burned since: what the minting transaction itself did.

use domain::{MintAddress, Signature, WalletAddress};
use engine::StepError;
use solana::{ChainView, Commitment};

use crate::problem::{dependency, not_yet, wrong};

/// The final transaction made the mint's one token for `owner`.
pub(crate) async fn check<C: ChainView>(
    chain: &C,
    signature: &Signature,
    mint: &MintAddress,
    owner: &WalletAddress,
) -> Result<(), StepError> {
    let witness = chain.witness(signature, mint, Commitment::Finalized).await.map_err(|error| dependency(&error))?;
    let witness = witness.ok_or_else(|| not_yet("the endpoint does not show the minting transaction"))?;
    if witness.minted_for(owner) {
        Ok(())
    } else {
        let found = format!("{owner} does not hold it, and transaction {signature} did not mint it for that wallet");
        Err(wrong("wrong-owner", &[found]))
    }
}
