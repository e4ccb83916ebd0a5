//! What is to be done, letter by letter. It is made twice: to count it, and to do it.

use std::collections::HashMap;

use anyhow::Result;
use engine::OperationStore;
use kafka::KafkaSettings;
use store::Store;

use super::ReplayArgs;
use super::way::{self, Way};
use crate::dlq::edit;
use crate::dlq::filter::Selection;
use crate::dlq::letters::{Found, Letters};

/// A letter and what a replay of it comes to.
#[derive(Debug)]
pub struct Plan {
    /// The letter.
    pub found: Found,
    /// What its replay is.
    pub way: Way,
}

/// A plan with what a person made of it.
pub type Edited = (Plan, Option<edit::Edited>);

impl Plan {
    /// Opens it in the person's editor, where that was asked for.
    ///
    /// # Errors
    /// An editor that fails, or something that would be refused.
    pub fn edited(self, args: &ReplayArgs) -> Result<Edited> {
        let edited = match &self.way {
            Way::Publish(topic) if args.edit => edit::value(&args.editor, self.found.letter(), *topic)?,
            Way::Retry(operation) if args.edit => edit::operation(&args.editor, operation)?,
            Way::Publish(_) | Way::Retry(_) | Way::Settled(_) | Way::None(_) => None,
        };
        Ok((self, edited))
    }
}

/// Makes plans.
pub struct Plans<'a> {
    /// Where the letters lie.
    pub kafka: &'a KafkaSettings,
    /// Where their operations stand.
    pub store: &'a Store,
    selection: Selection,
}

impl<'a> Plans<'a> {
    /// For the letters that were asked for.
    #[must_use]
    pub fn new(args: &ReplayArgs, kafka: &'a KafkaSettings, store: &'a Store) -> Self {
        Self { kafka, store, selection: Selection::new(&args.ids, &args.filter) }
    }

    /// The letters as they lie there now.
    ///
    /// # Errors
    /// A topic that there is not, or a cluster that does not answer.
    pub async fn letters(&self) -> Result<Letters<'_>> {
        Letters::open(self.kafka, self.store, &self.selection).await
    }

    /// How many are to be replayed.
    ///
    /// # Errors
    /// The cluster's trouble, or the database's.
    pub async fn count(&self) -> Result<u64> {
        let mut letters = self.letters().await?;
        let mut count = 0;
        while let Some(batch) = letters.next().await? {
            count += batch.iter().filter(|found| self.takes(found)).count() as u64;
        }
        Ok(count)
    }

    /// What is to be done about those of a batch that are to be replayed.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn make(&self, batch: Vec<Found>) -> Result<Vec<Plan>> {
        let batch: Vec<_> = batch.into_iter().filter(|found| self.takes(found)).collect();
        let ids: Vec<_> = batch.iter().filter_map(|found| way::requested(found.letter())).collect();
        let operations = if ids.is_empty() { HashMap::new() } else { self.store.load(&ids).await?.operations };
        let plan = |found: Found| Plan { way: Way::of(found.letter(), &self.kafka.topic_prefix, &operations), found };
        Ok(batch.into_iter().map(plan).collect())
    }

    /// What was dealt with is left alone; a discard is taken back by whoever names the letter.
    fn takes(&self, found: &Found) -> bool {
        found.is_open() || (found.is_discarded() && !self.selection.ids.is_empty())
    }
}
