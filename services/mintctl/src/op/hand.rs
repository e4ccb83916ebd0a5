//! The hand on one operation: who it is, what the chain says, and the deeds themselves.

use anyhow::Result;
use domain::{Failure, Operation, OperationId, RetryTerms, Signature, State, Transition};
use engine::{Commit, Committed, OperationStore};
use store::{Decision, Revival, Revived, Store};

use super::answer::Answer;
use crate::chain_question::ChainQuestion;
use crate::exit::Exit;
use crate::person::PersonArgs;
use crate::witnesses::{Fate, OnChain};

/// Somebody who deals with one operation.
#[derive(Debug)]
pub struct Hand<'a> {
    store: &'a Store,
    chain: ChainQuestion<'a>,
    decision: Decision,
}

impl<'a> Hand<'a> {
    /// Of this person, for this reason.
    ///
    /// # Errors
    /// [`crate::exit::Usage`] where nobody is known to have done it.
    pub fn new(store: &'a Store, person: &PersonArgs, reason: Option<&str>) -> Result<Self> {
        Ok(Self { store, chain: ChainQuestion::new(store), decision: person.decides(reason)? })
    }

    /// Does `deed` to the operation as it stands now, and tells what came of it.
    ///
    /// # Errors
    /// Those of the deed, and the database's trouble.
    pub async fn on(
        &self,
        id: OperationId,
        json: bool,
        deed: impl AsyncFnOnce(&Operation) -> Result<Answer>,
    ) -> Result<Exit> {
        let Some(operation) = self.store.load(&[id]).await?.operations.remove(&id) else {
            eprintln!("no operation {id}");
            return Ok(Exit::NothingMatched);
        };
        let operation = operation?;
        deed(&operation).await?.tell(&operation, json)
    }

    /// Has it tried again: what is under way at once; what has ended from where it can go on, or confirmed where its NFT
    /// turns out to be there.
    ///
    /// # Errors
    /// The database's trouble, or endpoints that are not configured.
    pub async fn retry(&self, operation: &Operation, terms: &RetryTerms) -> Result<Answer> {
        match operation.state {
            State::Verified => Ok(Answer::no("it is VERIFIED: there is nothing to try again")),
            State::Failed | State::RolledBack => self.revive(operation, None, terms).await,
            State::Initiated
            | State::ImageUploaded
            | State::IpfsUploaded
            | State::BlockchainSubmitted
            | State::BlockchainConfirmed
            | State::DatabaseUpdated => {
                let hastened = self.store.try_at_once(operation, terms, &self.decision).await?;
                Ok(if hastened { Answer::Hastened } else { Answer::overtaken() })
            }
        }
    }

    /// Takes what has ended up again, in the state `wanted` where one is named.
    ///
    /// # Errors
    /// As of [`Hand::retry`].
    pub async fn revive(&self, operation: &Operation, wanted: Option<State>, terms: &RetryTerms) -> Result<Answer> {
        let (attempts, on_chain) = self.chain.ask(operation).await?;
        let minted_by = match on_chain {
            OnChain::NeverSigned | OnChain::Absent(_) => None,
            OnChain::Minted(signature) if wanted.is_some() => return Ok(minted(signature)),
            OnChain::Minted(signature) => Some(signature),
            OnChain::Unknown(reason) => return Ok(unknown(&reason)),
        };
        let revival =
            Revival { operation, minted_by, amendment: None, letter: None, wanted, terms, decision: &self.decision };
        Ok(match self.store.revive(&revival).await? {
            Revived::To(state) => Answer::Moved(state),
            Revived::Overtaken | Revived::Taken => Answer::overtaken(),
            Revived::Undecided => Answer::no(format!(
                "{} transaction(s) of it are not decided yet: it may still be minted",
                attempts.undecided
            )),
            Revived::NotPinned => {
                Answer::no("its content is not pinned (any more): it can only begin anew, as INITIATED")
            }
        })
    }

    /// Ends it without an NFT. A transaction that is open on record is decided first, as the minter would decide it.
    ///
    /// # Errors
    /// As of [`Hand::retry`].
    pub async fn fail(&self, operation: &Operation) -> Result<Answer> {
        if !operation.state.may_become(State::Failed) {
            return Ok(cannot_fail(operation.state));
        }
        let decided = match &operation.open_attempt {
            None => None,
            Some(attempt) => match self.chain.fate(operation, attempt).await? {
                Fate::Decided(decided) => Some(decided),
                Fate::Landed => return Ok(minted(attempt.signature)),
                Fate::Open(reason) => {
                    let signature = attempt.signature;
                    return Ok(Answer::no(format!("transaction {signature} may still mint it: {reason}")));
                }
            },
        };
        match self.chain.ask(operation).await?.1 {
            OnChain::NeverSigned | OnChain::Absent(_) => {}
            OnChain::Minted(signature) => return Ok(minted(signature)),
            OnChain::Unknown(reason) => return Ok(unknown(&reason)),
        }
        let Decision { by, reason } = &self.decision;
        let why = reason.as_deref().unwrap_or("no reason given");
        let failure = Failure::permanent("failed-by-hand", format_args!("{by}: {why}"));
        self.commit(operation, Transition::Failed { failure, decided }).await
    }

    /// Confirms it, for its NFT is there.
    ///
    /// # Errors
    /// As of [`Hand::retry`].
    pub async fn confirm(&self, operation: &Operation) -> Result<Answer> {
        match (self.chain.ask(operation).await?.1, operation.mint_address) {
            (OnChain::Minted(signature), Some(mint)) => {
                self.commit(operation, Transition::Confirmed { mint, signature }).await
            }
            (on_chain, _) => Ok(not_shown(&on_chain)),
        }
    }

    /// Calls it verified: its NFT is final by the transaction on record, and for the rest this person stands.
    ///
    /// # Errors
    /// As of [`Hand::retry`].
    pub async fn verify(&self, operation: &Operation) -> Result<Answer> {
        match self.chain.ask(operation).await?.1 {
            OnChain::Minted(signature) if operation.signature == Some(signature) => {
                self.commit(operation, Transition::Verified).await
            }
            OnChain::Minted(signature) => {
                Ok(Answer::no(format!("the chain says that {signature} minted it, not what is on record")))
            }
            on_chain => Ok(not_shown(&on_chain)),
        }
    }

    async fn commit(&self, operation: &Operation, transition: Transition) -> Result<Answer> {
        let to = transition.to();
        let commit = Commit { operation: operation.clone(), transition };
        Ok(match self.store.decide(&commit, &self.decision).await? {
            Committed::At(_) => Answer::Moved(to),
            Committed::Overtaken | Committed::NotPinned => Answer::overtaken(),
        })
    }
}

fn minted(signature: Signature) -> Answer {
    Answer::no(format!(
        "its NFT exists, minted by {signature}: `op force ID BLOCKCHAIN_CONFIRMED` lets it go on from there"
    ))
}

fn unknown(reason: &str) -> Answer {
    Answer::no(format!("whether it is on chain already is not known: {reason}"))
}

fn not_shown(on_chain: &OnChain) -> Answer {
    Answer::no(format!("the chain does not show its NFT ({})", on_chain.sentence()))
}

fn cannot_fail(state: State) -> Answer {
    match state {
        State::Failed | State::RolledBack => Answer::no(format!("it is {state} already")),
        State::BlockchainConfirmed | State::DatabaseUpdated | State::Verified => Answer::no(format!(
            "it is {state}: an NFT exists, and what exists has not failed. What is wrong with it is for --needs-review"
        )),
        State::Initiated | State::ImageUploaded | State::IpfsUploaded | State::BlockchainSubmitted => {
            Answer::no(format!("from {state} nothing fails"))
        }
    }
}
