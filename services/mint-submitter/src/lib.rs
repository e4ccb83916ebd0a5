//! Mints each operation's NFT, once: [`Minter`] is the step, a process around it carries events through it, and
//! [`FundingKeeper`] sees to it that there is money to mint with.

mod burn;
mod claim;
mod collection;
mod fate;
mod funding;
mod metrics;
mod mint;
mod order;
mod payer_pause;
mod rotation;
mod tried;
mod wire;

pub use funding::{FundingError, FundingKeeper, FundingLedger, PayerFunds, Standing};
pub use mint::Minter;
pub use rotation::Rotation;
pub use wire::run;
