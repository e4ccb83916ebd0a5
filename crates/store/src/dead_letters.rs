//! Writing and reading the ledger of dead letters: each deed is done once.

use std::collections::HashMap;

use engine::StoreError;
use uuid::Uuid;

use crate::commit_row::printable;
use crate::ledger::{Decision, LedgerEntry, LedgerLetter, LedgerRow, LetterOutcome};
use crate::pool::Store;

/// Letters as columns, which is what the statements take.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    topics: Vec<String>,
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    fingerprints: Vec<String>,
    operations: Vec<Option<Uuid>>,
}

impl Columns {
    fn of(letters: &[LedgerLetter]) -> Self {
        letters.iter().fold(Self::default(), |mut columns, letter| {
            columns.ids.push(letter.id);
            columns.topics.push(letter.topic.clone());
            columns.partitions.push(letter.partition);
            columns.offsets.push(letter.offset);
            columns.fingerprints.push(letter.fingerprint.clone());
            columns.operations.push(letter.operation.map(|id| *id.as_uuid()));
            columns
        })
    }
}

impl Store {
    /// What was done about those of the letters that anything was done about. A replay outweighs the discard before it.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn ledger(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, LedgerEntry>, StoreError> {
        let rows = self
            .run("ledger", || {
                sqlx::query_as!(
                    LedgerRow,
                    r#"SELECT DISTINCT ON (id) id, outcome, claimed_until, done_by, reason, done_at,
                              coalesce(claimed_until <= now(), false) AS "abandoned!"
                       FROM dead_letters WHERE id = ANY ($1)
                       ORDER BY id, deed = 'replay' DESC"#,
                    ids
                )
                .fetch_all(&self.pool)
            })
            .await?;
        rows.into_iter().map(|row| Ok((row.id, row.try_into()?))).collect()
    }

    /// Claims the right to publish a letter's record again, for a minute; `edited` is what is published in its place.
    /// False where it was replayed before, or somebody else has it in hand.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn claim_letter(
        &self,
        letter: &LedgerLetter,
        decision: &Decision,
        edited: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let reason = decision.reason.as_deref().map(printable);
        let done = self
            .run("letter_claim", || {
                sqlx::query!(
                    r"INSERT INTO dead_letters AS letter (
                          id, deed, topic, partition, record_offset, fingerprint, operation_id, claimed_until, edited,
                          done_by, reason)
                      VALUES ($1, 'replay', $2, $3, $4, $5, $6, now() + interval '1 minute', $7, $8, $9)
                      ON CONFLICT (id, deed) DO UPDATE
                      SET claimed_until = excluded.claimed_until, edited = excluded.edited,
                          done_by = excluded.done_by, reason = excluded.reason, done_at = now()
                      WHERE letter.outcome IS NULL AND letter.claimed_until <= now()",
                    letter.id,
                    &letter.topic,
                    letter.partition,
                    letter.offset,
                    &letter.fingerprint,
                    letter.operation.map(|id| *id.as_uuid()),
                    edited,
                    &*printable(&decision.by),
                    reason.as_deref(),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that a claimed letter's record is published.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn letter_published(&self, id: Uuid) -> Result<(), StoreError> {
        self.run("letter_published", || {
            sqlx::query!(
                "UPDATE dead_letters SET outcome = 'published', claimed_until = NULL, done_at = now()
                 WHERE id = $1 AND deed = 'replay' AND outcome IS NULL",
                id
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// Gives a claimed letter back: its record was not published.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn letter_given_back(&self, id: Uuid) -> Result<(), StoreError> {
        self.run("letter_given_back", || {
            sqlx::query!(
                "UPDATE dead_letters SET claimed_until = now()
                 WHERE id = $1 AND deed = 'replay' AND outcome IS NULL",
                id
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// Notes an outcome that needs nothing else to be done: settled or discarded. Answers with the ids of the letters
    /// that this was news of; of a letter that was replayed, or is in hand, nothing is noted.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] for a discard without a reason.
    pub async fn note_letters(
        &self,
        letters: &[LedgerLetter],
        outcome: LetterOutcome,
        decision: &Decision,
    ) -> Result<Vec<Uuid>, StoreError> {
        let Columns { ids, topics, partitions, offsets, fingerprints, operations } = Columns::of(letters);
        let reason = decision.reason.as_deref().map(printable);
        self.run("letters_note", || {
            sqlx::query_scalar!(
                r#"INSERT INTO dead_letters AS letter (
                       id, deed, topic, partition, record_offset, fingerprint, operation_id, outcome, done_by, reason)
                   SELECT noted.id, $7, topic, partition, record_offset, fingerprint, operation_id, $8, $9, $10
                   FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[], $5::text[], $6::uuid[])
                       AS noted (id, topic, partition, record_offset, fingerprint, operation_id)
                   WHERE NOT EXISTS (
                       SELECT FROM dead_letters known
                       WHERE known.id = noted.id AND known.deed = 'replay'
                         AND (known.outcome IS NOT NULL OR known.claimed_until > now()))
                   ORDER BY noted.id
                   ON CONFLICT (id, deed) DO UPDATE
                   SET outcome = excluded.outcome, claimed_until = NULL, edited = NULL, done_by = excluded.done_by,
                       reason = excluded.reason, done_at = now()
                   WHERE letter.outcome IS NULL
                   RETURNING letter.id"#,
                &ids,
                &topics,
                &partitions,
                &offsets,
                &fingerprints,
                &operations as &[Option<Uuid>],
                outcome.deed(),
                outcome.as_str(),
                &*printable(&decision.by),
                reason.as_deref(),
            )
            .fetch_all(&self.pool)
        })
        .await
    }
}
