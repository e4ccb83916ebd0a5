//! What tests share: ports in memory that crash on demand, sample operations, and databases and topics of a test's own.

mod crash;
mod database;
mod memory_log;
mod memory_rows;
mod memory_store;
mod samples;
mod test_clock;
mod topics;

pub use crash::Crash;
pub use database::Database;
pub use memory_log::{Log, MemoryBacklog, MemorySink};
pub use memory_store::{MemoryStore, RecordedAttempt, Tables};
pub use samples::{event, letter, new_operation, operation, operation_id, request};
pub use test_clock::TestClock;
pub use topics::{kafka_brokers, unique_prefix};
