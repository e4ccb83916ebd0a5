//! What the fleet talks about: operations, their states and transitions, the events on the topics, and the classes of
//! failure. Pure: no I/O, no runtime, no client library; time comes in through [`Clock`].

mod attempt;
mod base58;
mod clock;
mod content;
mod cost;
mod envelope;
mod event;
mod failure;
mod operation;
mod origin;
mod record;
mod request;
mod schemas;
mod state;
mod status;
mod terms;
mod top_up;
mod topic;
mod transition;

pub use attempt::{Attempt, DecidedAttempt, Verdict};
pub use base58::{Base58Error, MintAddress, Signature, WalletAddress};
pub use clock::{Clock, SystemClock};
pub use content::{Attribute, Burn, Content, ContentHash, Nft, OperationKind};
pub use cost::MintCost;
pub use envelope::{Envelope, MediaType};
pub use event::{ImageSource, MAX_NAME, MAX_SYMBOL, NewOperation, OperationRequested, read_operation_id};
pub use failure::{Failure, FailureClass};
pub use operation::{Operation, OperationId, Priority};
pub use origin::{MintOrigin, Owed};
pub use record::{Header, OutgoingRecord, Record, header};
pub use request::StepRequest;
pub use schemas::schemas;
pub use state::{State, Step};
pub use status::{Rejected, StatusChanged, StatusFailure};
pub use terms::{MOST_SIGNED, RetryTerms};
pub use top_up::{Shortage, TopUp};
pub use topic::Topic;
pub use transition::{Cid, IllegalTransition, NftRecord, Transition};
