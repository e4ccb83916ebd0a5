//! Money for the payers: watched on a schedule, brought from the treasury within a day's limit, and where nobody brings
//! any, nothing is signed until somebody does.

mod carry;
mod error;
mod keeper;
mod ledger;
mod payer_funds;

pub use error::FundingError;
pub use keeper::FundingKeeper;
pub use ledger::FundingLedger;
pub use payer_funds::{PayerFunds, Standing};
