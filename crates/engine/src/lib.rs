//! Decides: offsets, lanes, what a record becomes, what a failure becomes. Fed with records and a clock, it does no I/O
//! of its own: everything goes through the ports, so that the whole fleet can run against simulated ones.

mod admission;
mod assignment;
mod batches;
mod burn_ledger;
mod consumption;
mod dead_letter;
mod flood;
mod intake;
mod lanes;
mod letter;
mod metrics;
mod offsets;
mod ports;
mod processor;
mod publisher;
mod redrive;
mod row_outbox;
mod row_ports;
mod runner;
mod step;
mod step_processor;
mod sweeper;
mod telling;
mod tries;
mod upkeep;
mod work;

pub use admission::{Admission, Place};
pub use assignment::{Assignment, Consumed, Delivery, Flow, Ticket, Window};
pub use batches::{Batches, Loaded};
pub use burn_ledger::{BurnClaim, BurnHolder, BurnLedger, MintPlace};
pub use consumption::Consumption;
pub use dead_letter::{DeadLetter, dead_letter_id};
pub use flood::{FloodGuard, FloodLimit};
pub use intake::Intake;
pub use letter::{Letter, LetterFormat, Origin};
pub use metrics::describe as describe_metrics;
pub use offsets::OffsetTracker;
pub use ports::{
    Commit, Committed, EventSink, Inserted, OperationStore, OwedPin, Partition, Pin, PinClaim, PinLedger, Pinned,
    PublishError, PutOff, Snapshot, StoreError,
};
pub use processor::{Disposition, Halt, Processor, Trouble};
pub use publisher::Publisher;
pub use redrive::Redrive;
pub use row_outbox::{Interrupted, RowOutbox};
pub use row_ports::{Backlog, Claim, ConsumptionReport, Reason, RowStore, Sweep};
pub use runner::{Fatal, Runner};
pub use step::{StepError, StepHandler};
pub use step_processor::StepProcessor;
pub use sweeper::Sweeper;
pub use telling::Telling;
pub use tries::Tries;
pub use upkeep::{Round, Upkeep};
pub use work::Work;
