//! IPFS: content ids of our own computing, pinning at a provider, reading back through gateways that are not trusted, and
//! images on their way there.
//!
//! [`Images`] turns an image source into a [`Content`] (fetched by [`ImageFetcher`], checked and compressed by
//! [`Compressor`]), a [`PinProvider`] ([`Pinata`], [`Kubo`]) takes it, [`Gateways`] give it back. Every error says by itself
//! which class of failure it is.

mod answer;
mod content;
mod content_id;
mod dag;
mod flights;
mod gateway;
mod gateway_error;
mod gateways;
mod image;
mod images;
mod kubo;
mod metrics;
mod pin_error;
mod pinata;
mod provider;
mod recent;
mod source;
mod transport;
mod tus;

pub use content::{BLOCK, Content};
pub use content_id::{ContentId, Unverifiable};
pub use dag::NotAFile;
pub use flights::Flights;
pub use gateway_error::{GatewayError, GatewayFault};
pub use gateways::{Gateways, NoGateways};
pub use image::{Compressor, ImageError, ImageKind, ImageLimits};
pub use images::{Images, PrepareError};
pub use kubo::Kubo;
pub use metrics::describe as describe_metrics;
pub use pin_error::PinError;
pub use pinata::{Pinata, PinataOptions};
pub use provider::PinProvider;
pub use source::{Fault, FetchOptions, ImageFetcher, SourceError};
