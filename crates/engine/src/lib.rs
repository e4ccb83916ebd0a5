//! Decides: offsets, lanes, what a record becomes, what a failure becomes. Fed with records and a clock, it does no I/O
//! of its own: everything goes through the ports, so that the whole fleet can run against simulated ones.

mod assignment;
mod offsets;
mod ports;
mod step;

pub use assignment::{Assignment, Delivery, Flow, Ticket, Window};
pub use offsets::OffsetTracker;
pub use ports::{
    Commit, Committed, EventSink, Inserted, OperationStore, Partition, Pin, PinClaim, PinLedger, PublishError,
    Snapshot, StoreError,
};
pub use step::{StepError, StepHandler};
