//! Compares the chain with the records, both ways: what is minted and recorded otherwise, what is recorded and not
//! minted, what was burned since, and what was minted in our name that no operation knows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock as _, MintAddress, OperationId, Signature, State, SystemClock, Transition};
use engine::{Commit, Committed, OperationStore as _, StoreError};
use solana::{
    AuditedChain, CollectionState, Commitment, MINTS_PER_CALL, MintFound, Pubkey, RpcError, SIGNATURES_PER_CALL,
};
use store::{Decision, RecordedMint, Store};
use tokio::time::sleep;

/// Pages of transactions that are looked through in one pass.
const MOST_PAGES: usize = 10;

/// Something that is not as it should be, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An operation that has ended without an NFT has one, made by this transaction.
    MintedAfterAll {
        /// Whose.
        operation: OperationId,
        /// What is on record.
        state: State,
        /// The transaction.
        signature: Signature,
        /// Whether the record is mended: it goes on from `BLOCKCHAIN_CONFIRMED`.
        mended: bool,
    },
    /// An operation that has ended without an NFT has one, and no endpoint shows what made it.
    Unwitnessed {
        /// Whose.
        operation: OperationId,
        /// What is on record.
        state: State,
        /// Where it is.
        mint: MintAddress,
    },
    /// It is recorded as minted, and the chain does not have it.
    NotOnChain {
        /// Whose.
        operation: OperationId,
        /// Where it should be.
        mint: MintAddress,
        /// What is there instead, for people.
        found: &'static str,
    },
    /// Its owner burned it.
    Burned {
        /// Whose.
        operation: OperationId,
        /// What was burned.
        mint: MintAddress,
    },
    /// It was minted in our name, and no operation knows it.
    Unknown {
        /// What.
        mint: MintAddress,
        /// How.
        signature: Signature,
    },
}

/// Why a pass was broken off. The next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// The chain's trouble.
    #[error(transparent)]
    Chain(#[from] RpcError),
    /// The database's trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a pass is made.
#[derive(Debug, Clone)]
pub struct ReconcilerSettings {
    /// In whose names NFTs are minted, or were.
    pub creators: Vec<Pubkey>,
    /// Whether what is found is acted on; if not, it is only told.
    pub fix: bool,
    /// What has moved since is left to the workers.
    pub rested: Duration,
    /// Between two calls: the endpoints are there for the mints.
    pub pause: Duration,
    /// Who acts, in the histories.
    pub by: String,
}

/// Compares chain and records.
#[derive(Debug)]
pub struct Reconciler<C> {
    chain: C,
    store: Arc<Store>,
    settings: ReconcilerSettings,
    /// What each creator's transactions were looked through to, newest first.
    looked_through: HashMap<Pubkey, Signature>,
}

impl<C: AuditedChain> Reconciler<C> {
    /// Nothing is looked through yet.
    #[must_use]
    pub fn new(chain: C, store: Arc<Store>, settings: ReconcilerSettings) -> Self {
        Self { chain, store, settings, looked_through: HashMap::new() }
    }

    /// One pass over everything.
    ///
    /// # Errors
    /// [`Interrupted`]; what was found before was told.
    pub async fn pass(&mut self, mut tell: impl FnMut(Finding) + Send) -> Result<(), Interrupted> {
        self.records(&mut tell).await?;
        for creator in self.settings.creators.clone() {
            self.transactions(creator, &mut tell).await?;
        }
        Ok(())
    }

    /// Every record against the chain.
    async fn records(&self, tell: &mut (impl FnMut(Finding) + Send)) -> Result<(), Interrupted> {
        let (mut after, most) = (None, u16::try_from(MINTS_PER_CALL).unwrap_or(u16::MAX));
        loop {
            let page = self.store.recorded_mints(after, self.settings.rested, most).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.operation);
            let mints: Vec<_> = page.iter().map(|recorded| recorded.mint).collect();
            // An endpoint that has not come so far must not call absent what is younger.
            let slot = page.iter().filter_map(|recorded| recorded.slot).max().unwrap_or(0);
            let found = self.chain.mints(&mints, slot).await?;
            for (recorded, found) in page.iter().zip(found) {
                if let Some(finding) = self.compare(recorded, found).await? {
                    tell(finding);
                }
            }
            sleep(self.settings.pause).await;
        }
    }

    async fn compare(&self, recorded: &RecordedMint, found: MintFound) -> Result<Option<Finding>, Interrupted> {
        let RecordedMint { operation, mint, burned, .. } = *recorded;
        let is_minted = matches!(recorded.state, State::DatabaseUpdated | State::Verified);
        match found {
            MintFound::Minted { .. } if !is_minted => self.minted_after_all(recorded).await,
            MintFound::Minted { supply: 0 } if !burned => {
                if self.settings.fix {
                    self.store.note_burned(operation).await?;
                }
                Ok(Some(Finding::Burned { operation, mint }))
            }
            MintFound::Absent if is_minted => self.not_on_chain(recorded, "nothing").await.map(Some),
            MintFound::Foreign => self.not_on_chain(recorded, "a mint that is none of ours").await.map(Some),
            MintFound::Minted { .. } | MintFound::Absent => Ok(None),
        }
    }

    /// Mended only where the transaction itself, at `finalized`, gave the NFT to whom the operation asks for.
    async fn minted_after_all(&self, recorded: &RecordedMint) -> Result<Option<Finding>, Interrupted> {
        let RecordedMint { operation: id, state, mint, .. } = *recorded;
        let Some(signature) = self.chain.minted_by(&mint).await? else {
            return self.unwitnessed(recorded).await.map(Some);
        };
        let Some(witness) = self.chain.witness(&signature, &mint, Commitment::Finalized).await? else {
            return self.unwitnessed(recorded).await.map(Some);
        };
        let Some(Ok(operation)) = self.store.load(&[id]).await?.operations.remove(&id) else { return Ok(None) };
        // It has moved meanwhile: a person's retry.
        if operation.state != state {
            return Ok(None);
        }
        let mut mended = false;
        if self.settings.fix && witness.minted_for(&operation.content.wallet_address) {
            let reason = format!("{state} on record, and minted by {signature}");
            let decision = Decision { by: self.settings.by.clone(), reason: Some(reason) };
            let transition = Transition::Confirmed { mint, signature };
            let committed = self.store.decide(&Commit { operation, transition }, &decision).await?;
            mended = matches!(committed, Committed::At(_));
        }
        Ok(Some(Finding::MintedAfterAll { operation: id, state, signature, mended }))
    }

    /// A person has to look, and until then its content stays pinned.
    async fn unwitnessed(&self, recorded: &RecordedMint) -> Result<Finding, Interrupted> {
        let RecordedMint { operation, state, mint, .. } = *recorded;
        if self.settings.fix {
            let reason = format!("{state} on record, and at {mint} there is an NFT whose minting nobody shows");
            self.store.flag(operation, &reason).await?;
        }
        Ok(Finding::Unwitnessed { operation, state, mint })
    }

    async fn not_on_chain(&self, recorded: &RecordedMint, found: &'static str) -> Result<Finding, Interrupted> {
        let RecordedMint { operation, state, mint, .. } = *recorded;
        if self.settings.fix {
            let reason = format!("recorded as {state}, and at {mint} there is {found}");
            self.store.flag(operation, &reason).await?;
        }
        Ok(Finding::NotOnChain { operation, mint, found })
    }

    /// What that creator has signed since the last pass, newest first.
    async fn transactions(
        &mut self,
        creator: Pubkey,
        tell: &mut (impl FnMut(Finding) + Send),
    ) -> Result<(), Interrupted> {
        let looked_through = self.looked_through.get(&creator).copied();
        let (mut before, mut newest, mut is_through) = (None, None, false);
        for _ in 0..MOST_PAGES {
            let page = self.chain.transactions_of(&creator, before).await?;
            newest = newest.or(page.first().map(|(signature, _)| *signature));
            before = page.last().map(|(signature, _)| *signature);
            let new: Vec<_> = page.iter().take_while(|(signature, _)| Some(*signature) != looked_through).collect();
            let succeeded: Vec<_> = new.iter().filter(|(_, succeeded)| *succeeded).map(|(one, _)| *one).collect();
            for signature in self.store.unknown_transactions(&succeeded).await? {
                sleep(self.settings.pause).await;
                for mint in self.chain.minted_in(&signature, &creator).await? {
                    if !self.store.knows_mint(&mint).await? && !self.is_our_collection(&mint).await? {
                        tell(Finding::Unknown { mint, signature });
                    }
                }
            }
            if new.len() < SIGNATURES_PER_CALL {
                is_through = true;
                break;
            }
        }
        if !is_through {
            tracing::warn!(%creator, "it has signed more since the last pass than one pass looks through: the older is not looked at");
        }
        self.looked_through.extend(newest.map(|newest| (creator, newest)));
        Ok(())
    }

    /// Collections are created by hand, and belong to no operation.
    async fn is_our_collection(&self, mint: &MintAddress) -> Result<bool, Interrupted> {
        let CollectionState::Standing { authority } = self.chain.collection(mint).await? else { return Ok(false) };
        Ok(self.settings.creators.contains(&authority))
    }
}

/// One pass after another, for as long as it is polled; what is found is logged.
pub(crate) async fn reconcile<C: AuditedChain>(mut reconciler: Reconciler<C>, every: Duration) {
    loop {
        sleep(every).await;
        let (began, mut findings) = (SystemClock.now(), 0_u64);
        let passed = reconciler.pass(|finding| {
            findings += 1;
            tracing::warn!(?finding, "chain and records differ");
        });
        match passed.await {
            Ok(()) => {
                let seconds = (SystemClock.now() - began).num_seconds();
                tracing::info!(findings, seconds, "compared the chain with the records");
            }
            Err(error) => tracing::warn!(%error, "comparing the chain with the records was broken off"),
        }
    }
}
