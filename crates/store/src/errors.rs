//! What an error of the driver is to the engine.

use std::fmt;
use std::time::Duration;

use domain::{Failure, FailureClass};
use engine::StoreError;
use sqlx::error::DatabaseError;

/// A row that cannot be what it should be. Nothing of ours writes such a row: a person did, or a disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of {row}: {problem}")]
pub struct BadData {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's primary key.
    pub row: String,
    /// What is wrong with the value.
    pub problem: String,
}

impl BadData {
    pub(crate) fn new(
        table: &'static str,
        column: &'static str,
        row: impl fmt::Display,
        why: impl fmt::Display,
    ) -> Self {
        Self { table, column, row: row.to_string(), problem: why.to_string() }
    }

    /// The failure it is for whoever needed that row.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::permanent("bad-data", self)
    }
}

/// SQLSTATE `data_corrupted`.
const DATA_CORRUPTED: &str = "XX001";

impl From<BadData> for StoreError {
    /// The fault of that one row, as if the database had said it.
    fn from(bad: BadData) -> Self {
        Self::Row { sqlstate: DATA_CORRUPTED.into(), message: bad.to_string() }
    }
}

/// Whether the same statement, sent again at once, has every chance: another transaction was in its way.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// Whether the connection broke under the statement, or was refused: another one may do.
pub(crate) fn is_lost_connection(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code).unwrap_or_default();
    // 57P01 to 57P03: the server ends the session, crashes, or is just starting.
    let ended = code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03");
    ended || matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
}

/// Whether a table is missing.
pub(crate) fn is_undefined_table(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(failure) if failure.code == NOT_MIGRATED)
}

const NOT_MIGRATED: &str = "database-not-migrated";

/// No answer in time. The statement may have been executed all the same: every one of them is safe to repeat.
pub(crate) fn no_answer(limit: Duration) -> StoreError {
    let message = format!("no answer within {} s", limit.as_secs());
    StoreError::Unavailable(Failure::transient("database-timeout", message))
}

/// The engine's view of a driver's error.
pub(crate) fn store_error(error: &sqlx::Error) -> StoreError {
    use FailureClass::{Outage, Transient};
    use sqlx::Error as E;
    let (class, code) = match error {
        E::Database(refusal) => return refused(&**refusal),
        E::Io(_) => (Transient, "database-connection"),
        E::PoolTimedOut => (Transient, "database-pool-timeout"),
        E::Protocol(_) | E::BeginFailed | E::InvalidSavePointStatement | E::WorkerCrashed => {
            (Transient, "database-protocol")
        }
        E::PoolClosed => (Outage, "database-pool-closed"),
        E::Tls(_) => (Outage, "database-tls"),
        E::Configuration(_) | E::InvalidArgument(_) | E::ConfigFile(_) | E::AnyDriverError(_) => {
            (Outage, "database-misconfigured")
        }
        // Statements are checked against the schema of `migrations/`: the database has another one.
        E::RowNotFound
        | E::TypeNotFound { .. }
        | E::ColumnIndexOutOfBounds { .. }
        | E::ColumnNotFound(_)
        | E::ColumnDecode { .. }
        | E::Encode(_)
        | E::Decode(_) => (Outage, "database-schema"),
        E::Migrate(_) => (Outage, "database-migration"),
        // The enum may grow with any release of the driver; what is new is nobody's row, and waiting loses nothing.
        _ => (Outage, "database-unknown-error"),
    };
    StoreError::Unavailable(Failure::new(class, code, error))
}

/// By SQLSTATE, of which the first two characters are the class.
fn refused(refusal: &dyn DatabaseError) -> StoreError {
    use FailureClass::{Outage, Transient};
    let sqlstate = refusal.code().unwrap_or_default().into_owned();
    let message = refusal.message();
    let (class, code) = match (sqlstate.get(..2), &*sqlstate) {
        // Bad values, violated constraints, and what our own triggers refuse.
        (Some("22" | "23"), _) | (_, "P0001") => {
            return StoreError::Row { sqlstate, message: message.to_owned() };
        }
        (Some("40"), _) => (Transient, "database-conflict"),
        (Some("08"), _) => (Transient, "database-connection"),
        (Some("53"), _) => (Transient, "database-exhausted"),
        (Some("57"), _) => (Transient, "database-interrupted"),
        (_, "42P01" | "42703" | "42883") => (Outage, NOT_MIGRATED),
        (Some("28" | "3D"), _) => (Outage, "database-misconfigured"),
        // The list of SQLSTATEs is open; none of the rest is one row's fault.
        (_, _) => (Outage, "database-refused"),
    };
    StoreError::Unavailable(Failure::new(class, code, format_args!("{message} ({sqlstate})")))
}
