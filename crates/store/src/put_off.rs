//! Recording tries that failed, a whole batch in one statement.

use std::borrow::Cow;

use domain::Failure;
use engine::{PutOff, StoreError};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use crate::commit_row::printable;
use crate::pool::Store;

/// A [`PutOff`] as the statement takes it.
#[derive(Debug, Serialize)]
struct PutOffRow<'a> {
    ordinal: usize,
    id: Uuid,
    version: i64,
    state: &'static str,
    attempts: i32,
    spent: i32,
    wait_seconds: Option<f64>,
    failure_class: &'static str,
    failure_code: Cow<'a, str>,
    failure_message: Cow<'a, str>,
}

impl<'a> PutOffRow<'a> {
    fn new(ordinal: usize, put_off: &'a PutOff) -> Self {
        let PutOff { operation, failure: Failure { class, code, message }, spends, wait } = put_off;
        Self {
            ordinal,
            id: *operation.id.as_uuid(),
            version: operation.version,
            state: operation.state.as_str(),
            attempts: operation.attempts,
            spent: i32::from(*spends),
            wait_seconds: wait.map(|wait| wait.as_secs_f64()),
            failure_class: class.as_str(),
            failure_code: printable(code),
            failure_message: printable(message),
        }
    }
}

/// Rows are locked in the order of their ids, as commits lock them. A claim ends with it, so that whoever published from
/// the row does not take the new wait for the one it published for.
///
/// History tells what is new: a try that counted, or another trouble than before. That the same one lasts would only be
/// noise, every 30 s.
pub(crate) async fn put_off(store: &Store, batch: &[PutOff]) -> Result<Vec<bool>, StoreError> {
    let rows: Vec<_> = batch.iter().enumerate().map(|(ordinal, put_off)| PutOffRow::new(ordinal, put_off)).collect();
    let recorded = store
        .run("put_off", || {
            sqlx::query_scalar!(
                r#"WITH input AS MATERIALIZED (
                       SELECT DISTINCT ON (id) *
                       FROM jsonb_to_recordset($1) AS input (
                           ordinal integer, id uuid, version bigint, state text, attempts integer, spent integer,
                           wait_seconds float8, failure_class text, failure_code text, failure_message text)
                       ORDER BY id, ordinal
                   ), locked AS MATERIALIZED (
                       SELECT input.*, operation.failure_code AS known_code
                       FROM minting_operations operation JOIN input USING (id)
                       WHERE operation.version = input.version AND operation.state = input.state
                         AND operation.attempts = input.attempts
                       ORDER BY operation.id
                       FOR UPDATE OF operation
                   ), put_off AS (
                       UPDATE minting_operations operation SET
                           attempts = operation.attempts + locked.spent,
                           next_attempt_at = now() + make_interval(secs => locked.wait_seconds),
                           claimed_until = NULL,
                           failure_class = locked.failure_class,
                           failure_code = locked.failure_code,
                           failure_message = locked.failure_message
                       FROM locked
                       WHERE operation.id = locked.id AND operation.version = locked.version
                         AND operation.state = locked.state AND operation.attempts = locked.attempts
                       RETURNING locked.*, operation.next_attempt_at
                   ), history AS (
                       INSERT INTO operation_events (operation_id, kind, version, from_state, detail)
                       SELECT id, CASE spent WHEN 0 THEN 'delayed' ELSE 'attempt-failed' END, version, state,
                              jsonb_strip_nulls(jsonb_build_object(
                                  'class', failure_class, 'code', failure_code, 'message', failure_message,
                                  'attempts', nullif(attempts + spent, 0), 'nextAttemptAt', next_attempt_at))
                       FROM put_off WHERE spent > 0 OR known_code IS DISTINCT FROM failure_code
                   )
                   SELECT ordinal AS "ordinal!" FROM put_off"#,
                Json(&rows) as _,
            )
            .fetch_all(&store.pool)
        })
        .await?;
    let mut answers = vec![false; batch.len()];
    for ordinal in recorded {
        if let Some(answer) = usize::try_from(ordinal).ok().and_then(|ordinal| answers.get_mut(ordinal)) {
            *answer = true;
        }
    }
    Ok(answers)
}
