//! What tests share: a simulated PostgreSQL and ports in memory that crash on demand, suites that run on the simulated and
//! on the real thing, sample operations, and databases and topics of a test's own.

pub mod conformance;
mod crash;
mod database;
mod memory_log;
mod memory_store;
mod samples;
mod test_clock;
mod topics;
pub mod transitions;

pub use crash::Crash;
pub use database::Database;
pub use memory_log::{Log, MemoryBacklog, MemorySink};
pub use memory_store::{MemoryStore, Mishap, OperationEvent, PinState, RecordedAttempt, Tables};
pub use samples::{event, letter, new_operation, operation, operation_id, request};
pub use test_clock::TestClock;
pub use topics::{kafka_brokers, unique_prefix};
