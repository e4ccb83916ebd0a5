//! The NFT as a partner comes to it who knows the wallet alone: the wallet names its tokens, the mint its metadata, and the
//! metadata the image. Asked before a person is, for it goes by none of the addresses that are on record here.

use domain::{Failure, MintAddress, Operation};
use engine::StepError;
use solana::{ChainView, Pubkey};

use crate::content::{CheckedContent, ContentSource};
use crate::partner;
use crate::verify::trouble;

/// Goes all the way, and compares what is found there with what was asked for.
///
/// # Errors
/// Permanent, with a code of its own for the place at which the way ends or something else comes to light; a dependency's
/// where somebody on the way cannot be asked.
pub(crate) async fn look<C: ChainView, S: ContentSource>(
    chain: &C,
    content: &CheckedContent<S>,
    operation: &Operation,
    mint: &MintAddress,
) -> Result<(), StepError> {
    let wallet = &operation.content.wallet_address;
    let holdings = chain.holdings(wallet).await.map_err(|error| trouble(&error))?;
    let token = Pubkey::new_from_array(*mint.as_bytes());
    if !holdings.iter().any(|holding| holding.mint == token && holding.amount == 1) {
        let message = format!("{wallet} holds {} token(s), and {mint} is none of them", holdings.len());
        return Err(missed("partner-finds-no-nft", message));
    }
    let metadata = chain.metadata(mint).await.map_err(|error| trouble(&error))?;
    let metadata = metadata.ok_or_else(|| missed("partner-finds-no-metadata", format!("{mint} has none")))?;
    let seen = partner::view(content, &metadata.uri).await?;
    partner::compare(operation, &metadata, &seen).map_err(StepError::Permanent)
}

/// What was found wrong, with what a partner finds who knows the wallet alone: a person needs both.
pub(crate) fn told_with(wrong: Failure, seen: &Result<(), StepError>) -> StepError {
    let seen = match seen {
        Ok(()) => "is as it was asked for".to_owned(),
        Err(error) => error.failure().to_string(),
    };
    let message = format!("{}; from the wallet alone: {seen}", wrong.message);
    StepError::Permanent(Failure::new(wrong.class, wrong.code, message))
}

fn missed(code: &'static str, message: impl std::fmt::Display) -> StepError {
    StepError::Permanent(Failure::permanent(code, message))
}
