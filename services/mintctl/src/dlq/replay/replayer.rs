//! Replays one letter: claims it, does it, and tells the ledger.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use domain::{Content, Operation, OperationId, RetryTerms, State, StatusChanged, StepRequest, Topic};
use engine::{EventSink, OperationStore, PublishError};
use futures::future::try_join;
use kafka::Producer;
use store::{Decision, LetterOutcome, Revival, Revived, Store};

use super::way::Way;
use crate::chain_question::ChainQuestion;
use crate::dlq::edit::Edited;
use crate::dlq::letters::Found;
use crate::submit::SOURCE;
use crate::witnesses::OnChain;

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// The record is published again.
    Published,
    /// The operation is tried again, from this state.
    Retried(State),
    /// The operation's NFT was found on chain: it goes on from there.
    Confirmed,
    /// The operation had moved on without it.
    Settled,
    /// Somebody else was quicker, or has it in hand.
    Elsewhere,
    /// Nothing was done, for this reason.
    Refused(String),
}

/// Replays letters.
pub struct Replayer<'a> {
    store: &'a Store,
    producer: Producer,
    prefix: String,
    decision: Decision,
    chain: ChainQuestion<'a>,
    /// Operations that this run took up again: an older letter of one says nothing more.
    taken_up: Mutex<HashSet<OperationId>>,
}

impl<'a> Replayer<'a> {
    /// For whoever decided it.
    #[must_use]
    pub fn new(store: &'a Store, producer: Producer, prefix: String, decision: Decision) -> Self {
        let chain = ChainQuestion::new(store);
        Self { store, producer, prefix, decision, chain, taken_up: Mutex::default() }
    }

    /// Replays a letter.
    ///
    /// # Errors
    /// What keeps every letter from being replayed: the database's trouble, or the cluster's.
    pub async fn replay(&self, found: &Found, way: Way, edited: Option<Edited>) -> Result<Replayed> {
        match (way, edited) {
            (Way::None(reason), _) => Ok(Replayed::Refused(reason)),
            (Way::Settled(_), _) => self.settle(found).await,
            (Way::Publish(topic), Some(Edited::Value(value))) => self.publish(found, topic, Some(value)).await,
            (Way::Publish(_), _) if found.letter().truncated => {
                Ok(Replayed::Refused("its value was cut for its size: publish the original again, or --edit".into()))
            }
            (Way::Publish(topic), _) => self.publish(found, topic, None).await,
            (Way::Retry(operation), Some(Edited::Content(content))) => {
                self.retry(found, &operation, Some(&content)).await
            }
            (Way::Retry(operation), _) => self.retry(found, &operation, None).await,
        }
    }

    async fn settle(&self, found: &Found) -> Result<Replayed> {
        let noted = self.store.note_letters(&[found.for_ledger()], LetterOutcome::Settled, &self.decision).await?;
        Ok(if noted.is_empty() { Replayed::Elsewhere } else { Replayed::Settled })
    }

    /// The claim comes first: of two people one publishes. A crash after it gives the letter back when the claim ends.
    async fn publish(&self, found: &Found, topic: Topic, edited: Option<Vec<u8>>) -> Result<Replayed> {
        let (letter, ledger) = (found.letter(), found.for_ledger());
        if !self.store.claim_letter(&ledger, &self.decision, edited.as_deref()).await? {
            return Ok(Replayed::Elsewhere);
        }
        let value = edited.or_else(|| letter.record.value.clone());
        match self.producer.publish(letter.again(topic.name(&self.prefix), value)).await {
            Ok(()) => {
                self.store.letter_published(letter.id).await?;
                Ok(Replayed::Published)
            }
            Err(error) => {
                self.store.letter_given_back(letter.id).await?;
                match error {
                    PublishError::TooLarge { .. } => Ok(Replayed::Refused(error.to_string())),
                    PublishError::Unavailable(_) | PublishError::Fatal(_) => Err(error.into()),
                }
            }
        }
    }

    async fn retry(&self, found: &Found, operation: &Operation, amendment: Option<&Content>) -> Result<Replayed> {
        if self.taken_up().contains(&operation.id) {
            return self.settle(found).await;
        }
        let (attempts, on_chain) = self.chain.ask(operation).await?;
        let minted_by = match on_chain {
            OnChain::NeverSigned | OnChain::Absent(_) => None,
            OnChain::Minted(_) if amendment.is_some() => {
                return Ok(Replayed::Refused("its NFT is on chain already: nothing can be amended any more".into()));
            }
            OnChain::Minted(signature) => Some(signature),
            OnChain::Unknown(reason) => {
                return Ok(Replayed::Refused(format!("whether it is on chain already is not known: {reason}")));
            }
        };
        let letter = found.for_ledger();
        let revival = Revival {
            operation,
            minted_by,
            amendment,
            letter: Some(&letter),
            wanted: None,
            terms: &RetryTerms::default(),
            decision: &self.decision,
        };
        match self.store.revive(&revival).await? {
            Revived::To(state) => {
                self.taken_up().insert(operation.id);
                self.tell(found, operation.id).await.with_context(|| {
                    format!("operation {} is taken up again, and its events are left to the sweeper", operation.id)
                })?;
                Ok(if minted_by.is_some() { Replayed::Confirmed } else { Replayed::Retried(state) })
            }
            Revived::Overtaken => self.settle(found).await,
            Revived::Undecided => Ok(Replayed::Refused(format!(
                "{} transaction(s) of its operation are not decided yet: it may still be minted",
                attempts.undecided
            ))),
            // No state was named.
            Revived::Taken | Revived::NotPinned => Ok(Replayed::Elsewhere),
        }
    }

    /// Publishes what the row owes since its transition.
    async fn tell(&self, found: &Found, id: OperationId) -> Result<()> {
        let mut snapshot = self.store.load(&[id]).await?;
        let operation = snapshot.operations.remove(&id).context("its row is gone")??;
        let request = StepRequest::record(&operation, SOURCE, &self.prefix).map(|mut request| {
            request.headers.push(found.letter().replay_header());
            request
        });
        let request = async {
            match request {
                Some(request) => self.producer.publish(request).await,
                None => Ok(()),
            }
        };
        let status = self.producer.publish(StatusChanged::record(&operation, SOURCE, &self.prefix));
        try_join(request, status).await?;
        Ok(self.store.revival_told(id, operation.version).await?)
    }

    fn taken_up(&self) -> MutexGuard<'_, HashSet<OperationId>> {
        self.taken_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
