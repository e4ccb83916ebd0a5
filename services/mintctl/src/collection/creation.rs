//! A collection on its way onto the chain. It is on no record here, and needs none: its address is the same for ever, so of
//! whatever was signed for it one transaction at most succeeds.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::{Attempt, MintAddress, Priority, Signature};
use solana::{
    Chain, ChainView, Cluster, Commitment, Landing, MetadataAccount, MintOrder, MintState, Mints, OnChainErrorKind,
    Pubkey, SLOTS_TO_EXPIRY, SendOutcome, SigningGround, TokenMetadata, Watch,
};
use tokio::time::{Instant, sleep};

/// How long its status is waited for before the same bytes are sent again.
const RESEND_AFTER: Duration = Duration::from_secs(2);
/// What was confirmed is final within 13 s.
const FINALITY: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where the collection of that label is: where a master secret of before has put it already, or else where the one in use
/// puts it.
///
/// # Errors
/// The chain's trouble.
pub async fn address(cluster: &Cluster, mints: &Mints<TokenMetadata>, label: &str) -> Result<MintAddress> {
    for mint in mints.retired_collection_addresses(label) {
        match cluster.mint_state(&mint, Commitment::Confirmed, 0).await? {
            MintState::Minted => return Ok(mint),
            MintState::Foreign => return foreign(&mint),
            MintState::Absent { .. } => {}
        }
    }
    Ok(mints.collection_address(label))
}

fn foreign<T>(mint: &MintAddress) -> Result<T> {
    bail!("{mint} is a mint that its edition does not rule")
}

/// A collection that is to stand.
#[derive(Debug)]
pub struct Creation<'a> {
    /// Where.
    pub cluster: Cluster,
    /// By whose keys.
    pub mints: Mints<TokenMetadata>,
    /// What its address is derived from.
    pub label: &'a str,
    /// Who pays for it, and rules it.
    pub payer: Pubkey,
    /// What it is.
    pub order: MintOrder,
}

impl Creation<'_> {
    /// The transaction that created it, in this call; none where it was there already.
    ///
    /// # Errors
    /// The chain's trouble, or its refusal. To ask again is safe.
    pub async fn created_by(&self) -> Result<Option<Signature>> {
        let mint = &self.order.mint;
        match self.cluster.mint_state(mint, Commitment::Confirmed, 0).await? {
            MintState::Minted => Ok(None),
            MintState::Foreign => foreign(mint),
            MintState::Absent { lamports } => {
                let ground = SigningGround { lamports, signed_before: 0, unit_price: None };
                let signed = self.mints.sign_collection(&self.cluster, self.label, &self.order, self.payer, ground);
                self.carry(&signed.await?).await
            }
        }
    }

    /// It as it stands at `finalized`, once it does.
    ///
    /// # Errors
    /// The chain's trouble, or a collection that is not there after a minute.
    pub async fn standing(&self) -> Result<MetadataAccount> {
        let mint = &self.order.mint;
        let began = Instant::now();
        loop {
            let metadata = self.cluster.metadata(mint).await;
            if let Ok(Some(metadata)) = metadata {
                return Ok(metadata);
            }
            if began.elapsed() > FINALITY {
                return metadata?.with_context(|| format!("{mint} is not final after a minute, or was burned"));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Sends it, and sends it again, until it is final.
    async fn carry(&self, attempt: &Attempt) -> Result<Option<Signature>> {
        let mut round = 0;
        loop {
            let outcome = self.cluster.send(attempt, Priority::Normal, round, round == 0).await;
            if let SendOutcome::FailedPreflight { error, .. } = &outcome {
                match error.kind {
                    // Somebody else was quicker.
                    OnChainErrorKind::AlreadyThere => return Ok(None),
                    OnChainErrorKind::NoFunds => bail!("the payer has too few lamports: {error}"),
                    OnChainErrorKind::NoUnits | OnChainErrorKind::Hopeless => bail!("the chain refuses it: {error}"),
                    OnChainErrorKind::Passing => {}
                }
            }
            match self.landing(attempt).await {
                Landing::Landed { .. } => return Ok(Some(attempt.signature)),
                Landing::Failed { error, .. } if error.kind == OnChainErrorKind::AlreadyThere => return Ok(None),
                Landing::Failed { error, .. } => bail!("{} failed: {error}", attempt.signature),
                Landing::Unknown { tip } if tip.is_some_and(|tip| tip >= attempt.context_slot + SLOTS_TO_EXPIRY) => {
                    bail!("no block took {}: run the command again", attempt.signature)
                }
                Landing::Unknown { .. } | Landing::Pending { .. } => round += 1,
            }
        }
    }

    async fn landing(&self, attempt: &Attempt) -> Landing {
        match self.cluster.landing(Watch::from(attempt), Commitment::Confirmed, RESEND_AFTER).await {
            Landing::Landed { .. } | Landing::Failed { .. } => {
                self.cluster.landing(Watch::from(attempt), Commitment::Finalized, FINALITY).await
            }
            landing => landing,
        }
    }
}
