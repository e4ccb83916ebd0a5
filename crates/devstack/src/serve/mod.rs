//! Parts of the stack for machines where the rest is other people's containers: each in a process of its own, at the
//! addresses it is given; and what a fleet there needs before it can begin.

mod chain;
mod pins;
mod provision;

pub use chain::{ChainServer, fetch_program};
pub use pins::{PinAccount, PinsServer};
pub(crate) use provision::fund;
pub use provision::provision;
