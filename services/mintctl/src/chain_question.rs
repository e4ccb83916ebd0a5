//! "Is its NFT on chain?": what has to be known before anything of an operation is undone or done again.

use anyhow::Result;
use domain::{Attempt, Operation};
use service::config::SolanaSettings;
use store::{AttemptsStanding, Store};
use tokio::sync::OnceCell;

use crate::run::read;
use crate::witnesses::{Fate, OnChain, Witnesses};

/// Asks the chain about operations. The endpoints are connected when the first one needs them: what was never signed
/// needs none.
#[derive(Debug)]
pub struct ChainQuestion<'a> {
    store: &'a Store,
    witnesses: OnceCell<Witnesses>,
}

impl<'a> ChainQuestion<'a> {
    /// About operations of this database.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self { store, witnesses: OnceCell::new() }
    }

    /// How the transactions of an operation stand, and what the chain holds at its mint's address once they are over.
    ///
    /// # Errors
    /// [`service::config::ConfigError`] where the endpoints are not configured; the database's trouble. The chain's is
    /// [`OnChain::Unknown`].
    pub async fn ask(&self, operation: &Operation) -> Result<(AttemptsStanding, OnChain)> {
        let attempts = self.store.attempts_standing(operation.id).await?;
        let on_chain = match attempts.newest_slot {
            None => OnChain::NeverSigned,
            Some(_) => self.witnesses().await?.ask(operation.mint_address, attempts).await,
        };
        Ok((attempts, on_chain))
    }

    /// What became of a transaction that is not decided on record.
    ///
    /// # Errors
    /// As of [`ChainQuestion::ask`].
    pub async fn fate(&self, operation: &Operation, attempt: &Attempt) -> Result<Fate> {
        Ok(match operation.mint_address {
            Some(mint) => self.witnesses().await?.fate(attempt, &mint).await,
            None => Fate::Open("no address of its mint is on record".into()),
        })
    }

    async fn witnesses(&self) -> Result<&Witnesses> {
        let connect = async || Witnesses::connect(&read(SolanaSettings::read)?, self.store).await;
        self.witnesses.get_or_try_init(connect).await
    }
}
