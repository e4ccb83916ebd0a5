//! Verifies each minted NFT the way a partner would: [`Verifier`] is the step, a process around it carries events
//! through it.

mod accounts;
mod clearing;
mod content;
mod from_wallet;
mod partner;
mod partner_api;
mod reconcile;
mod verify;
mod wire;

pub use content::ContentSource;
pub use partner_api::{PARTNER_API, PartnerApi, PartnerApiError};
pub use reconcile::{Finding, Interrupted, Reconciler, ReconcilerSettings};
pub use verify::Verifier;
pub use wire::run;
