//! What befalls a statement on its way to the database and back.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Failure;
use engine::StoreError;

use super::rows::Rows;
use super::tables::Tables;

/// One statement's mishap. All of them look alike to the sender, which may have waited or not: an error that says nothing
/// of what became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mishap {
    /// All is well.
    #[default]
    None,
    /// It never arrives: an error, and nothing was executed.
    Refused,
    /// It is executed, and the reply is lost: an error all the same.
    ReplyLost,
    /// It is so long on its way there, and as long on its way back.
    Slow(Duration),
    /// Its sender gives it up at once, and it is executed so much later: whoever asks in between sees nothing of it.
    Late(Duration),
}

impl Mishap {
    /// Executes a statement, or does not.
    pub(super) async fn befall<T: Send + 'static>(
        self,
        tables: &Arc<Tables>,
        run: impl FnOnce(&mut Rows, DateTime<Utc>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Self::None => tables.execute(run),
            Self::Refused => Err(away()),
            Self::ReplyLost => {
                drop(tables.execute(run));
                Err(unavailable("database-connection", "the connection broke before the reply"))
            }
            Self::Slow(way) => {
                tokio::time::sleep(way).await;
                let answer = tables.execute(run);
                tokio::time::sleep(way).await;
                answer
            }
            Self::Late(later) => {
                let tables = Arc::clone(tables);
                // Not even the death of its sender keeps the database from it.
                tokio::spawn(async move {
                    tokio::time::sleep(later).await;
                    drop(tables.execute(run));
                });
                Err(unavailable("database-timeout", "no answer in time"))
            }
        }
    }
}

pub(super) fn away() -> StoreError {
    unavailable("database-unavailable", "away")
}

fn unavailable(code: &'static str, message: &str) -> StoreError {
    StoreError::Unavailable(Failure::transient(code, message))
}
