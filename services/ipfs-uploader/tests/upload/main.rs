//! The upload step against providers and a ledger that fail as they are told.

mod failover;
mod fakes;
mod once;
mod rollback;
mod trouble;
