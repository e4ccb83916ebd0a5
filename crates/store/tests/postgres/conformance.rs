//! The store's conformance suite on a real PostgreSQL; `crates/testkit/tests/store.rs` runs it on the simulated one.

use crate::support::Postgres;

testkit::store_conformance!(Postgres, tokio::test);
