//! The fleet in one process, under a virtual clock and one seed: the workers' real decision code (engine, mint step, verify
//! step, redrive, sweeper) and the real chain client, against a simulated Kafka, a simulated database and a simulated
//! chain in which everything goes wrong that may. After each run a referee counts NFTs on the ledger and reads every row.
//!
//! A run is a function of its seed: no thread, no wall clock, no order of a hash map. The same seed gives the same timeline,
//! and a failing one prints it.

mod api;
mod broker;
mod chain;
mod dice;
mod ipfs;
mod life;
mod mistakes;
mod process;
mod referee;
mod report;
mod store;
mod timeline;
mod weather;
mod world;

pub use mistakes::Mistake;
pub use referee::{Broken, Count, Verdict};
pub use report::{Tally, run_all};
pub use timeline::Entry;
pub use weather::Weather;
pub use world::{Ended, Run};
