//! PostgreSQL: all SQL of the product. [`Store`] answers the engine's ports `OperationStore`, `RowStore`, `PinLedger`
//! and `BurnLedger`, and what operators ask. Every batch is one statement; every statement is checked against the schema
//! when it is compiled.

mod attempt_bytes;
mod burns;
mod by_hand;
mod claims;
mod commit;
mod commit_row;
mod consumption;
mod costs;
mod dead_letters;
mod errors;
mod flag;
mod identity;
mod insert;
mod ledger;
mod load;
mod metrics;
mod mint_keys;
mod pins;
mod pool;
mod ports;
mod prober;
mod put_off;
mod reconcile;
mod report_rows;
mod reports;
mod revive;
mod rollback;
mod rows;
mod schema;
mod top_ups;
mod watching;

pub use costs::{DaySpending, Spending};
pub use errors::BadData;
pub use ledger::{Decision, LedgerEntry, LedgerLetter, LetterOutcome};
pub use metrics::{STATEMENTS, describe as describe_metrics};
pub use mint_keys::MintKeyRecord;
pub use pool::{PoolSettings, Store};
pub use reconcile::RecordedMint;
pub use reports::{AttemptReport, HistoryEntry, ListFilter, Milestones, NftReport, OperationReport, OperationSummary};
pub use revive::{AttemptsStanding, Revival, Revived};
pub use rollback::{NOT_UNPINNED, Rollback, Unpin};
pub use top_ups::{LandedTopUp, PauseReport, TopUpRecorded, TopUpReport, TreasuryBook};
