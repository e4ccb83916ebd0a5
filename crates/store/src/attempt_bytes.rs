//! The bytes of transactions that are over, which nobody sends again.

use std::time::Duration;

use engine::StoreError;

use crate::pool::Store;

impl Store {
    /// Clears the bytes of at most `most` attempts that were decided longer ago than `kept`, the oldest first. Their
    /// signatures and verdicts stay. Answers with how many.
    ///
    /// # Errors
    /// The database's trouble.
    pub async fn clear_attempt_bytes(&self, kept: Duration, most: u32) -> Result<u64, StoreError> {
        let done = self
            .run("clear_attempt_bytes", || {
                sqlx::query!(
                    r#"WITH old AS MATERIALIZED (
                           SELECT signature FROM mint_attempts
                           WHERE verdict IS NOT NULL AND octet_length(wire) > 0
                             AND decided_at < now() - make_interval(secs => $1)
                           ORDER BY decided_at
                           LIMIT $2
                           FOR UPDATE SKIP LOCKED
                       )
                       UPDATE mint_attempts attempt SET wire = ''
                       FROM old WHERE attempt.signature = old.signature"#,
                    kept.as_secs_f64(),
                    i64::from(most),
                )
                .execute(&self.pool)
            })
            .await?;
        Ok(done.rows_affected())
    }
}
