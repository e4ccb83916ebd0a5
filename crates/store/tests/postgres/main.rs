//! The store on a real PostgreSQL, a database of its own for every test.

mod batches;
mod commit;
mod insert;
mod pins;
mod pool;
mod races;
mod reports;
mod schema;
mod support;
