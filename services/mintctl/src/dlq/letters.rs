//! The letters of a selection, as they are read from their topics, each with what the ledger says of it.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use domain::{Record, Topic};
use engine::Letter;
use kafka::{Admin, KafkaSettings};
use store::{LedgerEntry, LedgerLetter, LetterOutcome, Store};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::filter::{Caused, Selection};
use crate::exit::Usage;

/// How many letters are looked up in the ledger at once.
const BATCH: usize = 500;
/// How long the cluster may take to say which topics there are.
const PATIENCE: Duration = Duration::from_secs(10);

/// A letter, why it is one, and what was done about it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The letter and its cause.
    pub caused: Caused,
    /// What the ledger says.
    pub entry: Option<LedgerEntry>,
}

impl Found {
    /// The letter.
    #[must_use]
    pub const fn letter(&self) -> &Letter {
        &self.caused.letter
    }

    /// Whether something has still to be done about it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.entry.as_ref().is_none_or(|entry| entry.abandoned)
    }

    /// Whether somebody decided that nothing is to be done about it.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.outcome == Some(LetterOutcome::Discarded))
    }

    /// As the ledger names it.
    #[must_use]
    pub fn for_ledger(&self) -> LedgerLetter {
        let Caused { letter, fingerprint, .. } = &self.caused;
        LedgerLetter {
            id: letter.id,
            topic: letter.record.topic.clone(),
            partition: letter.record.partition,
            offset: letter.record.offset,
            fingerprint: fingerprint.clone(),
            operation: letter.operation,
        }
    }
}

/// Letters on their way from their topics.
#[derive(Debug)]
pub struct Letters<'a> {
    records: mpsc::Receiver<Result<Record, kafka::Error>>,
    selection: &'a Selection,
    store: &'a Store,
    seen: HashSet<Uuid>,
}

impl<'a> Letters<'a> {
    /// Begins to read what lies there now.
    ///
    /// # Errors
    /// A topic that there is not, or a cluster that does not answer.
    pub async fn open(kafka: &KafkaSettings, store: &'a Store, selection: &'a Selection) -> Result<Self> {
        let admin = Admin::connect(kafka)?;
        let topics = topics(&admin, &kafka.topic_prefix, selection.filter.topic.as_deref()).await?;
        let records = admin.read(topics, selection.since)?;
        Ok(Self { records, selection, store, seen: HashSet::new() })
    }

    /// The next letters of the selection, 500 at most; none behind the last. A letter that a worker wrote twice comes once.
    ///
    /// # Errors
    /// The cluster's trouble, or the database's.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>> {
        let mut batch = Vec::new();
        while batch.len() < BATCH && !self.complete() {
            let Some(record) = self.records.recv().await else { break };
            let caused = Caused::from(Letter::read(record?));
            if self.selection.holds(&caused.letter, &caused.fingerprint) && self.seen.insert(caused.letter.id) {
                batch.push(caused);
            }
        }
        if batch.is_empty() {
            return Ok(None);
        }
        let ids: Vec<_> = batch.iter().map(|caused| caused.letter.id).collect();
        let mut ledger = self.store.ledger(&ids).await?;
        let found = batch.into_iter().map(|caused| Found { entry: ledger.remove(&caused.letter.id), caused });
        Ok(Some(found.collect()))
    }

    /// Whether every letter that was named has come.
    fn complete(&self) -> bool {
        !self.selection.ids.is_empty() && self.seen.len() == self.selection.ids.len()
    }
}

/// The fleet's topics of dead letters, or the one that was named: as a topic of dead letters, or as the topic that they
/// were put aside from.
async fn topics(admin: &Admin, prefix: &str, named: Option<&str>) -> Result<Vec<String>> {
    let Some(named) = named else {
        return Ok(Topic::all().map(|topic| topic.dead_letter_name(prefix)).collect());
    };
    let there = admin.cluster(PATIENCE).await?.topics;
    let suffix = Topic::DEAD_LETTER_SUFFIX;
    let meant =
        [format!("{named}{suffix}"), format!("{prefix}{named}{suffix}"), named.to_owned(), format!("{prefix}{named}")];
    match meant.into_iter().find(|name| there.contains_key(name)) {
        Some(topic) => Ok(vec![topic]),
        None => Err(Usage(format!("there is no topic {named}{suffix}, and no topic {named}")).into()),
    }
}
