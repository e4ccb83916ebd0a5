//! The local stack without containers: real PostgreSQL and real Kafka as child processes, a real SVM with the real Token
//! Metadata program, pin servers and gateways in this one. Every part can be told to fail: [`faults`].
//!
//! [`Stack`] is one running stack; everything it owns lies in one directory ([`Layout`]) and dies with the process that
//! started it. [`control`] is how a person's `devstack up` and `devstack down` talk to a stack in the background. Chain and pin
//! servers can also run by themselves, in containers: [`serve`].

mod account;
pub mod bench;
mod chain;
pub mod chaos;
pub mod content;
pub mod control;
pub mod demo;
pub mod faults;
mod figures;
mod json_rpc;
mod kafka;
mod kit;
mod layout;
mod ports;
mod postgres;
mod process;
mod progress;
mod rpc_front;
mod secrets;
pub mod serve;
mod stack;
mod worker;

pub use chain::TOKEN_METADATA;
pub use layout::Layout;
pub use progress::Progress;
pub use stack::{Extent, Stack, StackOptions};
pub use worker::{WORKERS, Worker};
