//! Putting an operation in front of a person.

use domain::OperationId;
use engine::StoreError;

use crate::commit_row::printable;
use crate::pool::Store;

/// Keeps the first reason; it and its history row are one statement.
pub(crate) async fn flag(store: &Store, id: OperationId, reason: &str) -> Result<(), StoreError> {
    let reason = printable(reason);
    store
        .run("flag", || {
            sqlx::query!(
                r#"WITH flagged AS (
                       UPDATE minting_operations SET needs_review = $2 WHERE id = $1 AND needs_review IS NULL
                       RETURNING id, version, state
                   )
                   INSERT INTO operation_events (operation_id, kind, version, from_state, detail)
                   SELECT id, 'flagged', version, state, jsonb_build_object('reason', $2::text) FROM flagged"#,
                id.as_uuid(),
                &*reason,
            )
            .execute(&store.pool)
        })
        .await?;
    Ok(())
}
