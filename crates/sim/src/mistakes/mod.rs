//! The classic mistakes, to show that the net catches fish. Each one is made by a wrapper around a port, a step or a
//! processor, in this crate: the workers' own code carries no switch, and cannot be told to make one.

mod chain;
mod handler;
mod processor;
mod store;

pub use self::chain::MistakenChain;
pub use self::handler::Careless;
pub use self::processor::Skipping;
pub use self::store::MistakenStore;

/// A mistake that somebody, somewhere, has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistake {
    /// A status of null is taken for proof that the transaction is dead, and another one is signed.
    SignsAfterNullStatus,
    /// `isBlockhashValid` = false is taken for that proof.
    SignsAfterInvalidBlockhash,
    /// A status is read, and then the height: the transaction may have landed between the two.
    ReadsStatusBeforeHeight,
    /// What was signed is sent, and recorded afterwards.
    StoresAfterSend,
    /// Each try mints at an address of its own.
    FreshKeyPerRetry,
    /// An offset counts as done once its record is fetched.
    StoresOffsetFirst,
    /// A record whose operation is past its step is done, and tells nobody.
    SkipsPublish,
    /// A transition is written whatever the row's version.
    NoGuard,
    /// An operation fails when its mint has taken too long, whatever its transaction may do yet.
    FailsUndecided,
    /// An attempt is inserted although the operation has failed meanwhile.
    InsertsAfterFailed,
}
