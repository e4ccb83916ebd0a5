//! How calls are shaped so that trouble stays small: shared round trips ([`Gather`]), growing pauses ([`Backoff`]).
//! Time is the runtime's, which tests pause; randomness is passed in.

mod backoff;
mod gather;
mod jitter;

pub use backoff::{Backoff, BackoffPolicy};
pub use gather::Gather;
pub use jitter::Jitter;
