//! Verifies each minted NFT the way a partner would: [`Verifier`] is the step, a process around it carries events
//! through it.

mod accounts;
mod clearing;
mod content;
mod partner;
mod reconcile;
mod verify;
mod wire;

pub use content::ContentSource;
pub use reconcile::{Finding, Interrupted, Reconciler, ReconcilerSettings};
pub use verify::Verifier;
pub use wire::run;
