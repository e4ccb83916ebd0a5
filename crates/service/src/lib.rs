//! What every binary shares: configuration, logs and metrics, the ops endpoints, signals, and the way a worker begins,
//! drains and ends.

mod cluster;
pub mod config;
mod database;
mod gate;
mod gateways;
mod health;
mod health_report;
mod heartbeat;
mod metrics;
mod mint_keys;
mod ops;
mod private_memory;
mod shutdown;
mod start;
mod telemetry;
mod upkeep;
mod worker;

use tikv_jemallocator::Jemalloc;

/// Images come and go by the megabyte and operations by the thousand: this allocator gives the memory back.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

pub use cluster::join_cluster;
pub use database::{open_store, open_worker_store};
pub use gate::hold_while_closed;
pub use gateways::open_gateways;
pub use health::Health;
pub use health_report::{DependencyReport, EndpointReport, FailureReport, ReadyReport};
pub use heartbeat::Heartbeat;
pub use mint_keys::{MintKeyCheck, MintKeyProblem, check_mint_keys, record_mint_keys};
pub use ops::{Checks, OpsListener, OpsServer};
pub use private_memory::keep_memory_private;
pub use shutdown::on_signal;
pub use start::{EXIT_FAILED, EXIT_OK, EXIT_USAGE, Process, command, start};
pub use telemetry::{gather_metrics, log_to_stderr};
pub use worker::Worker;
