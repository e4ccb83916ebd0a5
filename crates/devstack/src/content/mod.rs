//! The stack's own IPFS: a pin server that speaks Pinata's API, gateways over what it pinned, and the images to mint.
//! Content ids are computed here from the standards alone; nothing is shared with the workers' own computing, for this is
//! the independent checker's ground.

mod address;
mod car;
mod drawings;
mod failing;
mod file;
mod gateway;
mod media;
mod pin_server;
mod pins;
mod query;
mod tally;
mod tus;
mod upload;

pub use address::content_id;
pub use drawings::{DRAWINGS, draw_all};
pub use gateway::Gateway;
pub use pin_server::PinServer;

pub(crate) use failing::PIN_METHODS;
