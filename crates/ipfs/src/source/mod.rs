//! Where images come from: a directory of ours, somebody's web server, IPFS.

mod address;
mod asset;
mod error;
mod fetcher;
mod guard;
mod web;

pub use error::{Fault, SourceError};
pub use fetcher::{FetchOptions, ImageFetcher};
