//! `mintctl dlq` as people and scripts run it: on a real broker and a real database, without workers.

#[path = "../common/mod.rs"]
mod common;
mod fleet;
mod minted;
mod replaying;
mod seeing;
