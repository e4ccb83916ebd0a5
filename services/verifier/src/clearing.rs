//! The bytes of transactions that are over are cleared away some days later: whoever holds them could only send
//! them in vain, and they are most of the table.

use std::sync::Arc;
use std::time::Duration;

use store::Store;
use tokio::time::sleep;

/// How often it is looked whether there are any.
const LOOK: Duration = Duration::from_mins(10);
/// Rows of one statement.
const ROWS: u32 = 1_000;
/// Between two statements: nobody is to notice them.
const PAUSE: Duration = Duration::from_millis(200);

/// Clears what was decided longer ago than `kept`, for as long as it is polled.
pub(crate) async fn clear_attempt_bytes(store: Arc<Store>, kept: Duration) {
    loop {
        match store.clear_attempt_bytes(kept, ROWS).await {
            Ok(cleared) if cleared > 0 => {
                tracing::info!(attempts = cleared, "cleared the bytes of transactions that are over");
                sleep(PAUSE).await;
            }
            Ok(_) => sleep(LOOK).await,
            Err(error) => {
                tracing::warn!(%error, "the bytes of old transactions were not cleared, and are the next time");
                sleep(LOOK).await;
            }
        }
    }
}
