//! A person's retry: an operation that has ended is taken up again, once per dead letter where one is dealt with by it.

use domain::{Content, Operation, OperationId, RetryTerms, Signature, State};
use engine::StoreError;
use sqlx::types::Json;

use crate::commit_row::printable;
use crate::ledger::{Decision, LedgerLetter};
use crate::pool::Store;
use crate::rows::Reader;

/// A retry that a person asks for. Whoever asks has seen that the mint is absent, or has found it.
#[derive(Debug, Clone)]
pub struct Revival<'a> {
    /// The operation as it was when that was looked at.
    pub operation: &'a Operation,
    /// The transaction that minted it, where its NFT was found on chain: then it is confirmed instead of tried again.
    pub minted_by: Option<Signature>,
    /// What is to be minted from now on instead.
    pub amendment: Option<&'a Content>,
    /// The dead letter that is dealt with by this, where it is one.
    pub letter: Option<&'a LedgerLetter>,
    /// The state that it has to come to, where the person named one.
    pub wanted: Option<State>,
    /// How it is minted from now on.
    pub terms: &'a RetryTerms,
    /// Who asks, and why.
    pub decision: &'a Decision,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revived {
    /// The operation is in this state now, and its events are owed.
    To(State),
    /// Somebody else moved the operation first.
    Overtaken,
    /// A transaction of it is not decided yet: it may still be minted.
    Undecided,
    /// It cannot come to the state that was named: its content is not pinned any more, or never was.
    NotPinned,
    /// The letter was replayed before, or somebody has it in hand.
    Taken,
}

/// What is known of an operation's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptsStanding {
    /// How many are not decided yet.
    pub undecided: u64,
    /// The slot at which the blockhash of the newest one was read; none where nothing was ever signed.
    pub newest_slot: Option<u64>,
}

impl Store {
    /// Takes an operation up again: to `IPFS_UPLOADED` where its content is pinned and not amended, else to INITIATED.
    /// The transition, its history, the amendment and the ledger's row are one statement.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn revive(&self, revival: &Revival<'_>) -> Result<Revived, StoreError> {
        let Revival { operation, minted_by, amendment, letter, wanted, terms, decision } = revival;
        let signature = minted_by.map(|signature| signature.to_string());
        let reason = decision.reason.as_deref().map(printable);
        let outcome = self
            .run("revive", || {
                sqlx::query_file!(
                    "src/revive.sql",
                    operation.id.as_uuid(),
                    operation.version,
                    signature.as_deref(),
                    amendment.map(Json) as _,
                    letter.map(|letter| letter.id),
                    letter.map(|letter| &*letter.topic),
                    letter.map(|letter| letter.partition),
                    letter.map(|letter| letter.offset),
                    letter.map(|letter| &*letter.fingerprint),
                    &*printable(&decision.by),
                    reason.as_deref(),
                    Json(terms) as _,
                    wanted.map(State::as_str),
                )
                .fetch_one(&self.pool)
            })
            .await?;
        let read = Reader { table: "minting_operations", row: operation.id };
        if let Some(state) = outcome.state {
            return Ok(Revived::To(read.parse("state", &state)?));
        }
        Ok(match outcome.would_be {
            None => Revived::Overtaken,
            Some(_) if outcome.undecided => Revived::Undecided,
            Some(would_be) if wanted.is_some_and(|wanted| wanted.as_str() != would_be) => Revived::NotPinned,
            Some(_) => Revived::Taken,
        })
    }

    /// Notes that what an operation's state asks for was published, unless the operation has moved since.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn revival_told(&self, id: OperationId, version: i64) -> Result<(), StoreError> {
        self.run("revival_told", || {
            sqlx::query!(
                "UPDATE minting_operations SET status_owed = false WHERE id = $1 AND version = $2 AND status_owed",
                id.as_uuid(),
                version,
            )
            .execute(&self.pool)
        })
        .await?;
        Ok(())
    }

    /// How the transactions of an operation stand.
    ///
    /// # Errors
    /// The database's trouble; [`StoreError::Row`] where a row cannot be read.
    pub async fn attempts_standing(&self, id: OperationId) -> Result<AttemptsStanding, StoreError> {
        let row = self
            .run("attempts_standing", || {
                sqlx::query!(
                    r#"SELECT count(*) FILTER (WHERE verdict IS NULL) AS "undecided!", max(context_slot) AS newest_slot
                       FROM mint_attempts WHERE operation_id = $1"#,
                    id.as_uuid()
                )
                .fetch_one(&self.pool)
            })
            .await?;
        let read = Reader { table: "mint_attempts", row: id };
        Ok(AttemptsStanding {
            undecided: read.count("verdict", row.undecided)?,
            newest_slot: row.newest_slot.map(|slot| read.count("context_slot", slot)).transpose()?,
        })
    }
}
