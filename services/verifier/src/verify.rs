//! The verify step: what was confirmed is final, what is final is right, and what is right is what a partner sees.

use std::time::Duration;

use domain::{Failure, MintAddress, NftRecord, Operation, Signature, State, Step, Transition, WalletAddress};
use engine::{StepError, StepHandler};
use solana::{ChainView, Commitment, Landing, MetadataAccount, MintState, Pubkey, RpcError, Watch};

use crate::accounts::{self, Standing};
use crate::content::{CheckedContent, ContentSource};
use crate::from_wallet;
use crate::partner;
use crate::partner_api::PartnerApi;

/// How long a signature is watched in one go. Finality comes after 13 s; what was confirmed and is not seen for so long was
/// dropped, and while its blockhash is good its bytes can land anew.
const PATIENCE: Duration = Duration::from_secs(30);

/// The verify step.
#[derive(Debug)]
pub struct Verifier<C, S> {
    chain: C,
    content: CheckedContent<S>,
    payers: Vec<Pubkey>,
    partner: Option<PartnerApi>,
}

/// The NFT that an operation claims to have.
struct Claim<'a> {
    operation: &'a Operation,
    mint: MintAddress,
    signature: Signature,
    owner: &'a WalletAddress,
}

impl<C: ChainView, S: ContentSource> StepHandler for Verifier<C, S> {
    const STEP: Step = Step::Verify;
    /// Finality takes 13 seconds, through which nothing is held but the operation: 190 a second from one process.
    const AT_ONCE: usize = 2_500;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        let claim = Claim::of(operation).map_err(StepError::Permanent)?;
        if operation.state == State::DatabaseUpdated {
            self.verify_content(&claim).await
        } else {
            self.verify_on_chain(&claim).await
        }
    }
}

impl<C: ChainView, S: ContentSource> Verifier<C, S> {
    /// Verifies on `chain` what one of `payers` minted (payer, update authority and creator are one), retired ones
    /// included, and the content that `source` gives.
    #[must_use]
    pub fn new(chain: C, source: S, payers: Vec<Pubkey>) -> Self {
        Self { chain, content: CheckedContent::new(source), payers, partner: None }
    }

    /// A partner is asked too, once all else is right.
    #[must_use]
    pub fn asking(self, partner: Option<PartnerApi>) -> Self {
        Self { partner, ..self }
    }

    /// Waits until the minting transaction is final, then reads what it made.
    async fn verify_on_chain(&self, claim: &Claim<'_>) -> Result<Transition, StepError> {
        match self.chain.landing(claim.watch(), Commitment::Finalized, PATIENCE).await {
            Landing::Landed { slot } => self.accept(claim, claim.signature, slot).await,
            Landing::Failed { slot, .. } => self.look_for_another(claim, slot).await,
            Landing::Unknown { .. } => self.look_for_another(claim, 0).await,
            Landing::Pending { slot } => Err(StepError::Dependency(Failure::transient(
                "not-final-yet",
                format!("{} landed in slot {slot} and is not final after {} s", claim.signature, PATIENCE.as_secs()),
            ))),
        }
    }

    /// The signature on record made nothing. If the NFT exists, another one of the operation's transactions made it;
    /// if not, a fork took it away, and it is sent again.
    async fn look_for_another(&self, claim: &Claim<'_>, slot: u64) -> Result<Transition, StepError> {
        match self.chain.mint_state(&claim.mint, Commitment::Finalized, slot).await.map_err(|error| trouble(&error))? {
            MintState::Absent { .. } => Ok(Transition::Dropped),
            MintState::Foreign => Err(mismatch("mint-not-ours", "the edition is not the mint's authority")),
            MintState::Minted => {
                let signature = self.chain.minted_by(&claim.mint).await.map_err(|error| trouble(&error))?;
                let signature = signature.ok_or_else(|| not_found_yet(&claim.mint))?;
                let witness = self
                    .chain
                    .witness(&signature, &claim.mint, Commitment::Finalized)
                    .await
                    .map_err(|error| trouble(&error))?;
                let witness = witness.ok_or_else(|| not_found_yet(&claim.mint))?;
                self.accept(claim, signature, witness.slot).await
            }
        }
    }

    /// The transaction is final: everything it made has to be right. What the owner did with the NFT since is not ours
    /// to judge; then the transaction itself says to whom it gave it.
    async fn accept(&self, claim: &Claim<'_>, signature: Signature, slot: u64) -> Result<Transition, StepError> {
        let accounts = self.chain.nft(&claim.mint, claim.owner, slot).await.map_err(|error| trouble(&error))?;
        let creators = self.creators(claim, &signature);
        let standing = match accounts::check(claim.operation, &accounts, &creators) {
            Ok(standing) => standing,
            Err(wrong) => self.ask_every_endpoint(claim, slot, &creators, wrong).await?,
        };
        match standing {
            Standing::Held => {}
            Standing::Moved | Standing::Burned => self.ask_the_transaction(claim, &signature).await?,
        }
        Ok(Transition::DatabaseUpdated { record: claim.record(signature, slot) })
    }

    /// One endpoint shows something wrong. Before a person is bothered with it, each is asked by itself: it may be the
    /// endpoint that is.
    async fn ask_every_endpoint(
        &self,
        claim: &Claim<'_>,
        slot: u64,
        creators: &[Pubkey],
        wrong: Failure,
    ) -> Result<Standing, StepError> {
        let views = self.chain.nft_by_each(&claim.mint, claim.owner, slot).await;
        let answered: Vec<_> = views.into_iter().flatten().collect();
        let right = answered.iter().find_map(|accounts| accounts::check(claim.operation, accounts, creators).ok());
        if let Some(standing) = right {
            tracing::warn!(operation.id = %claim.operation.id, failure = %wrong, "one endpoint shows what others do not");
            return Ok(standing);
        }
        let message = format!("{} (as {} endpoint(s) show it)", wrong.message, answered.len());
        self.look_once_more(claim, slot, creators, Failure::permanent(wrong.code, message)).await
    }

    /// Every endpoint shows it wrong. Where a partner who knows the wallet alone finds nothing amiss, it was mended
    /// meanwhile, and the accounts say so too; else a person has to see it.
    async fn look_once_more(
        &self,
        claim: &Claim<'_>,
        slot: u64,
        creators: &[Pubkey],
        wrong: Failure,
    ) -> Result<Standing, StepError> {
        let seen = self.look_from_wallet(claim, &wrong).await;
        if seen.is_ok() {
            let accounts = self.chain.nft(&claim.mint, claim.owner, slot).await.map_err(|error| trouble(&error))?;
            if let Ok(standing) = accounts::check(claim.operation, &accounts, creators) {
                return Ok(standing);
            }
        }
        Err(from_wallet::told_with(wrong, &seen))
    }

    /// What a partner finds who knows the wallet alone.
    async fn look_from_wallet(&self, claim: &Claim<'_>, wrong: &Failure) -> Result<(), StepError> {
        let seen = from_wallet::look(&self.chain, &self.content, claim.operation, &claim.mint).await;
        tracing::warn!(operation.id = %claim.operation.id, failure = %wrong, ?seen, "looked at it from the wallet alone");
        seen
    }

    /// Who may be the creator: the payer of that very transaction, where it is on record with it; else any payer of ours,
    /// be it in use, retired, or the one on record.
    fn creators(&self, claim: &Claim<'_>, signature: &Signature) -> Vec<Pubkey> {
        let open = claim.operation.open_attempt.as_ref();
        let on_record = open.and_then(|attempt| Some((attempt.signature, Pubkey::from(*attempt.payer?.as_bytes()))));
        match on_record {
            Some((signed, payer)) if signed == *signature => vec![payer],
            Some((_, payer)) => self.payers.iter().copied().chain([payer]).collect(),
            None => self.payers.clone(),
        }
    }

    async fn ask_the_transaction(&self, claim: &Claim<'_>, signature: &Signature) -> Result<(), StepError> {
        let witness =
            self.chain.witness(signature, &claim.mint, Commitment::Finalized).await.map_err(|error| trouble(&error))?;
        let witness = witness.ok_or_else(|| not_found_yet(&claim.mint))?;
        if witness.minted_for(claim.owner) {
            Ok(())
        } else {
            Err(mismatch("wrong-owner", format!("{signature} did not give {} to {}", claim.mint, claim.owner)))
        }
    }

    /// Metadata and image come back from IPFS, and make up, by way of the chain alone, what was asked for.
    async fn verify_content(&self, claim: &Claim<'_>) -> Result<Transition, StepError> {
        match self.chain.metadata(&claim.mint).await.map_err(|error| trouble(&error))? {
            Some(metadata) => self.verify_seen(claim, &metadata).await?,
            None => self.verify_burned(claim).await?,
        }
        if let Some(partner) = &self.partner {
            match partner.verify(&claim.mint, claim.owner).await {
                // Their no stands, whatever is seen from here.
                Err(StepError::Permanent(no)) => {
                    let seen = self.look_from_wallet(claim, &no).await;
                    return Err(from_wallet::told_with(no, &seen));
                }
                answer => answer?,
            }
        }
        Ok(Transition::Verified)
    }

    /// What is wrong on the way from the mint to the image is looked at again from the wallet, through whichever endpoint
    /// and gateway answer then; a person is asked where it is wrong that way, too.
    async fn verify_seen(&self, claim: &Claim<'_>, metadata: &MetadataAccount) -> Result<(), StepError> {
        match self.compare_seen(claim, metadata).await {
            Err(StepError::Permanent(wrong)) => {
                let seen = self.look_from_wallet(claim, &wrong).await;
                if seen.is_ok() { Ok(()) } else { Err(from_wallet::told_with(wrong, &seen)) }
            }
            answer => answer,
        }
    }

    async fn compare_seen(&self, claim: &Claim<'_>, metadata: &MetadataAccount) -> Result<(), StepError> {
        let seen = partner::view(&self.content, &metadata.uri).await?;
        partner::compare(claim.operation, metadata, &seen).map_err(StepError::Permanent)
    }

    /// Its owner burned it since: there is nothing left to see for a partner, and its content has to be there still.
    async fn verify_burned(&self, claim: &Claim<'_>) -> Result<(), StepError> {
        let accounts = self.chain.nft(&claim.mint, claim.owner, 0).await.map_err(|error| trouble(&error))?;
        let creators = self.creators(claim, &claim.signature);
        match accounts::check(claim.operation, &accounts, &creators).map_err(StepError::Permanent)? {
            Standing::Burned => {}
            // The node that was asked first has not caught up.
            Standing::Held | Standing::Moved => return Err(not_found_yet(&claim.mint)),
        }
        for cid in [&claim.operation.metadata_cid, &claim.operation.image_cid].into_iter().flatten() {
            self.content.read(cid).await?;
        }
        Ok(())
    }
}

impl<'a> Claim<'a> {
    fn of(operation: &'a Operation) -> Result<Self, Failure> {
        let missing = |what| Failure::permanent("not-minted", format!("it is to be verified and has no {what}"));
        let mint = operation.mint_address.ok_or_else(|| missing("mint address"))?;
        let signature = operation.signature.ok_or_else(|| missing("signature"))?;
        Ok(Self { operation, mint, signature, owner: &operation.content.wallet_address })
    }

    /// The open attempt tells when it was signed, where it is the one that minted.
    fn watch(&self) -> Watch {
        let own = self.operation.open_attempt.as_ref().filter(|attempt| attempt.signature == self.signature);
        own.map_or(Watch { signature: self.signature, signed_at: None }, Watch::from)
    }

    fn record(&self, signature: Signature, slot: u64) -> NftRecord {
        let nft = &self.operation.content.nft;
        NftRecord {
            mint: self.mint,
            owner: *self.owner,
            name: nft.name.clone(),
            symbol: nft.symbol.clone(),
            uri: accounts::uri(self.operation),
            signature,
            slot,
        }
    }
}

pub(crate) fn trouble(error: &RpcError) -> StepError {
    StepError::of_dependency(error.failure())
}

fn mismatch(code: &'static str, message: impl std::fmt::Display) -> StepError {
    StepError::Permanent(Failure::permanent(code, message))
}

fn not_found_yet(mint: &MintAddress) -> StepError {
    let message = format!("{mint} is minted, and the endpoint asked cannot show how");
    StepError::Dependency(Failure::transient("minting-transaction-not-found", message))
}
