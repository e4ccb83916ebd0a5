//! The store on a real PostgreSQL, a database of its own for every test.

mod batches;
mod by_hand;
mod claims;
mod commit;
mod conflicts;
mod dead_letters;
mod insert;
mod outage;
mod pins;
mod pool;
mod put_offs;
mod races;
mod reports;
mod revive;
mod schema;
mod support;
mod sweeps;
