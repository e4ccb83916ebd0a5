//! `mintctl dlq` and `mintctl op` as people and scripts run them: on a real broker and a real database, without workers.

mod by_hand;
mod chain;
#[path = "../common/mod.rs"]
mod common;
mod fleet;
mod minted;
mod replaying;
mod seeing;
