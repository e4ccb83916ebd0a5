//! Whether the burn that an upgrade names pays for it. Nothing is claimed and nothing signed before this says so.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Burn, Failure, MintAddress, Operation, Signature, WalletAddress};
use engine::StepError;
use solana::{ChainView, Commitment, Creation, Landing, Pubkey, Watch, Witness};

use crate::mint::trouble;

/// How long a burn is waited for in one go; then its row waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// A burn that is not final so long after its operation came here will not be any more: a blockhash lives for a minute.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(1);

/// Looks at the burn at finality: it succeeded, took one token of that mint from the operation's wallet and gave it to
/// nobody, and the NFT was one of ours, of the very collection that is ordered (none, where none is).
///
/// # Errors
/// A dependency's trouble while the burn is not there yet; permanent, with a code of its own for each thing that can be
/// wrong with it.
pub(crate) async fn verify<C: ChainView>(
    chain: &C,
    operation: &Operation,
    burn: &Burn,
    is_ours: impl Fn(&Pubkey) -> bool,
    now: DateTime<Utc>,
) -> Result<(), StepError> {
    let waiting = |what: &str| wait_or_give_up(operation, now, &format!("{} {what}", burn.signature));
    let watch = Watch { signature: burn.signature, signed_at: None };
    match chain.landing(watch, Commitment::Finalized, PATIENCE).await {
        Landing::Landed { .. } => {}
        Landing::Failed { error, .. } => {
            return Err(refused(
                "burn-failed",
                format!("{} failed on chain and burned nothing: {error}", burn.signature),
            ));
        }
        Landing::Pending { .. } => return Err(waiting("landed and is not final yet")),
        // That no status came in time says nothing: an endpoint has to say that there is no such transaction.
        Landing::Unknown { .. } => {
            return Err(match witness(chain, &burn.signature, &burn.mint).await? {
                None => waiting("is not known to the chain yet"),
                Some(_) => StepError::Dependency(Failure::transient("burn-not-final", "its status is not told yet")),
            });
        }
    }
    let burning = witness(chain, &burn.signature, &burn.mint).await?;
    let burning = burning.ok_or_else(|| waiting("is final, and the endpoint asked cannot show it"))?;
    check_burning(&burning, burn, &operation.content.wallet_address)?;

    let minting = chain.minted_by(&burn.mint).await.map_err(|error| trouble(&error))?;
    let minting =
        minting.ok_or_else(|| waiting("burned an NFT of which the endpoint asked cannot show the minting"))?;
    let minting = witness(chain, &minting, &burn.mint).await?;
    let minting = minting.ok_or_else(|| waiting("burned an NFT whose minting is not final"))?;
    check_creation(minting.creation, burn, operation.content.nft.collection, is_ours)
}

async fn witness<C: ChainView>(chain: &C, by: &Signature, mint: &MintAddress) -> Result<Option<Witness>, StepError> {
    chain.witness(by, mint, Commitment::Finalized).await.map_err(|error| trouble(&error))
}

fn check_burning(burning: &Witness, burn: &Burn, wallet: &WalletAddress) -> Result<(), StepError> {
    let Burn { mint, signature } = burn;
    match burning.burned() {
        0 => Err(refused("burn-of-another-nft", format!("{signature} burned nothing of {mint}"))),
        1 if burning.taken_from(wallet) == 1 => Ok(()),
        1 => Err(refused("burn-by-another-user", format!("{signature} burned what {wallet} did not hold"))),
        more => Err(refused("burn-of-another-amount", format!("{signature} burned {more} of {mint}: an NFT is one"))),
    }
}

fn check_creation(
    creation: Option<Creation>,
    burn: &Burn,
    ordered: Option<MintAddress>,
    is_ours: impl Fn(&Pubkey) -> bool,
) -> Result<(), StepError> {
    let mint = burn.mint;
    let ours = creation.filter(|creation| is_ours(&creation.authority));
    let creation = ours.ok_or_else(|| refused("burn-not-of-fleet", format!("{mint} was not minted by this fleet")))?;
    if creation.collection == ordered {
        return Ok(());
    }
    let name = |collection: Option<MintAddress>| {
        collection.map_or_else(|| "no collection".to_owned(), |collection| format!("collection {collection}"))
    };
    let (found, ordered) = (name(creation.collection), name(ordered));
    Err(refused("burn-of-another-collection", format!("{mint} was of {found}, and one of {ordered} is ordered")))
}

fn wait_or_give_up(operation: &Operation, now: DateTime<Utc>, what: &str) -> StepError {
    if now - operation.updated_at > GIVE_UP_AFTER {
        refused("burn-never-final", format!("after {} min still: {what}", GIVE_UP_AFTER.num_minutes()))
    } else {
        StepError::Dependency(Failure::transient("burn-not-final", what))
    }
}

fn refused(code: &'static str, message: impl std::fmt::Display) -> StepError {
    StepError::Permanent(Failure::permanent(code, message))
}
