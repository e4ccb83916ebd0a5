//! Files of more than one block: the tree of blocks that a CID names, and how such a tree travels
//! (<https://specs.ipfs.tech/unixfs/>, <https://ipld.io/specs/transport/car/carv1/>). The crates that do this bring a whole
//! block store along; what is wanted here is one layout, so that every provider has the same CID, and a reader that
//! believes nothing.

mod car;
mod car_reader;
mod layout;
mod node;
mod protobuf;
mod tree;

pub(crate) use car::Car;
pub(crate) use car_reader::{BadCar, CarReader};
pub(crate) use layout::{Block, blocks_of};
pub use node::NotAFile;
pub(crate) use tree::{TooMuch, Tree, Unfinished};
