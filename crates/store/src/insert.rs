//! Inserting what the API asked for, once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Content, NewOperation, Operation, OperationId};
use engine::{Inserted, StoreError};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::errors::BadData;
use crate::load;
use crate::pool::Store;

/// A [`NewOperation`] as the statement takes it.
#[derive(Debug, Serialize)]
struct InsertRow<'a> {
    ordinal: usize,
    id: Uuid,
    kind: &'static str,
    user_id: &'a str,
    wallet: String,
    content: &'a Content,
    content_hash: String,
    priority: &'static str,
    event_at: DateTime<Utc>,
    trace_parent: Option<&'a str>,
}

impl<'a> InsertRow<'a> {
    fn new(ordinal: usize, new: &'a NewOperation) -> Self {
        Self {
            ordinal,
            id: *new.id.as_uuid(),
            kind: new.content.kind.as_str(),
            user_id: &new.user_id,
            wallet: new.content.wallet_address.to_string(),
            content: &new.content,
            content_hash: format!("\\x{}", hex::encode(new.content_hash.as_bytes())),
            priority: new.priority.as_str(),
            event_at: new.event_at,
            trace_parent: new.trace_parent.as_deref(),
        }
    }
}

/// A row that this statement inserted: the first of the batch with its id.
struct Fresh {
    id: Uuid,
    ordinal: i32,
    event_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

/// Inserts what is new, and reads back what was there before.
pub(crate) async fn insert(store: &Store, batch: &[NewOperation]) -> Result<Vec<Inserted>, StoreError> {
    let fresh = insert_new(store, batch).await?;
    let fresh: HashMap<usize, Fresh> =
        fresh.into_iter().filter_map(|row| Some((usize::try_from(row.ordinal).ok()?, row))).collect();
    let known: Vec<OperationId> =
        batch.iter().enumerate().filter(|(ordinal, _)| !fresh.contains_key(ordinal)).map(|(_, new)| new.id).collect();
    let mut stored = if known.is_empty() { HashMap::new() } else { read_back(store, &known).await? };
    let answers = batch.iter().enumerate().map(|(ordinal, new)| match fresh.get(&ordinal) {
        Some(row) => Ok(Inserted::Present(Box::new(as_inserted(new, row)))),
        None => compare(new, &mut stored),
    });
    answers.collect()
}

/// The rows are inserted in the order of their ids, so that two batches cannot wait for each other. Of the same id twice
/// in a batch the first is taken.
async fn insert_new(store: &Store, batch: &[NewOperation]) -> Result<Vec<Fresh>, StoreError> {
    let rows: Vec<_> = batch.iter().enumerate().map(|(ordinal, new)| InsertRow::new(ordinal, new)).collect();
    store
        .run("insert", || {
            sqlx::query_as!(
                Fresh,
                r#"WITH input AS MATERIALIZED (
                       SELECT DISTINCT ON (id) *
                       FROM jsonb_to_recordset($1) AS input (
                           ordinal integer, id uuid, kind text, user_id text, wallet text, content jsonb,
                           content_hash bytea, priority text, event_at timestamptz, trace_parent text)
                       ORDER BY id, ordinal
                   ), inserted AS (
                       INSERT INTO minting_operations (
                           id, kind, user_id, wallet, content, content_hash, priority, event_at, trace_parent)
                       SELECT id, kind, user_id, wallet, content, content_hash, priority, event_at, trace_parent
                       FROM input ORDER BY id
                       ON CONFLICT DO NOTHING
                       RETURNING id, version, state, event_at, created_at
                   ), history AS (
                       INSERT INTO operation_events (operation_id, kind, version, to_state)
                       SELECT id, 'transition', version, state FROM inserted
                   )
                   SELECT inserted.id AS "id!", input.ordinal AS "ordinal!", inserted.event_at AS "event_at!",
                          inserted.created_at AS "created_at!"
                   FROM inserted JOIN input USING (id)"#,
                Json(&rows) as _,
            )
            .fetch_all(&store.pool)
        })
        .await
}

/// A statement of its own, for only a new snapshot sees what another process inserted meanwhile.
async fn read_back(store: &Store, ids: &[OperationId]) -> Result<HashMap<Uuid, Stored>, StoreError> {
    let rows = load::rows(store, ids).await?;
    let mut stored = HashMap::with_capacity(rows.len());
    for mut row in rows {
        let (id, hash) = (row.id, std::mem::take(&mut row.content_hash));
        stored.insert(id, Stored { hash, operation: Operation::try_from(row) });
    }
    Ok(stored)
}

struct Stored {
    hash: Vec<u8>,
    operation: Result<Operation, BadData>,
}

fn compare(new: &NewOperation, stored: &mut HashMap<Uuid, Stored>) -> Result<Inserted, StoreError> {
    match stored.get(new.id.as_uuid()) {
        Some(row) if row.hash != new.content_hash.as_bytes() => Ok(Inserted::Conflict),
        Some(row) => Ok(Inserted::Present(Box::new(row.operation.clone()?))),
        // Neither inserted nor there: another unique value of the row stands in its way.
        None => Err(StoreError::Row {
            sqlstate: "23505".into(),
            message: format!("operation {} collides with another operation", new.id),
        }),
    }
}

/// What the statement made of it: the database keeps times to the microsecond.
fn as_inserted(new: &NewOperation, row: &Fresh) -> Operation {
    let id = OperationId::from_uuid(row.id);
    Operation { id, event_at: row.event_at, ..Operation::initiated(new, row.created_at) }
}
