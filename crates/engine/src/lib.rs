//! Decides: offsets, lanes, what a record becomes, what a failure becomes. Fed with records and a clock, it does no I/O
//! of its own: everything goes through the ports, so that the whole fleet can run against simulated ones.

mod assignment;
mod batches;
mod dead_letter;
mod intake;
mod lanes;
mod metrics;
mod offsets;
mod ports;
mod processor;
mod publisher;
mod runner;
mod step;
mod step_processor;
mod telling;

pub use assignment::{Assignment, Delivery, Flow, Ticket, Window};
pub use batches::{Batches, Loaded};
pub use dead_letter::{DeadLetter, dead_letter_id};
pub use intake::Intake;
pub use metrics::describe as describe_metrics;
pub use offsets::OffsetTracker;
pub use ports::{
    Commit, Committed, EventSink, Inserted, OperationStore, Partition, Pin, PinClaim, PinLedger, PublishError,
    Snapshot, StoreError,
};
pub use processor::{Disposition, Halt, Processor, Trouble};
pub use publisher::Publisher;
pub use runner::{Fatal, Runner};
pub use step::{StepError, StepHandler};
pub use step_processor::StepProcessor;
pub use telling::Telling;
