//! The store on a real PostgreSQL, a database of its own for every test.

mod burns;
mod by_hand;
mod conflicts;
mod conformance;
mod costs;
mod dead_letters;
mod mint_keys;
mod outage;
mod pool;
mod races;
mod reading;
mod reports;
mod revive;
mod rollback;
mod schema;
mod support;
mod sweeps;
mod top_ups;
