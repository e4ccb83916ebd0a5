//! What tests share: ports in memory that crash on demand, sample operations, and databases and topics of a test's own.

mod crash;
mod database;
mod memory_log;
mod memory_store;
mod samples;
mod topics;

pub use crash::Crash;
pub use database::Database;
pub use memory_log::{Log, MemorySink};
pub use memory_store::{MemoryStore, RecordedAttempt, Tables};
pub use samples::{event, operation, operation_id, request};
pub use topics::{kafka_brokers, unique_prefix};
