//! The two protocols on which the promises rest, as models small enough to be checked exhaustively: every order in which
//! two workers, the chain, crashes and forks can take turns.
//!
//! - [`SignAgain`]: when a mint may be signed anew, and when an operation may be called FAILED (`DESIGN.md` §5).
//! - [`Delivery`]: commit, publish, then store the offset (`DESIGN.md` §4).
//!
//! Each model can be given one of the classic mistakes, and the checker must find what it leads to: a net that catches
//! nothing proves nothing.

mod delivery;
mod sign_again;

pub use delivery::{Delivery, DeliveryMistake};
pub use sign_again::{MintKey, SignAgain, SignMistake};
