//! The upload step against a provider and a ledger that fail as they are told.

mod fakes;
mod once;
mod trouble;
