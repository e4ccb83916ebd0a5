//! Mints each operation's NFT, once: [`Minter`] is the step, a process around it carries events through it.

mod burn;
mod claim;
mod fate;
mod mint;
mod order;
mod payer_pause;
mod sign_agains;
mod wire;

pub use mint::Minter;
pub use wire::run;
