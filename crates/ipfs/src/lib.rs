//! IPFS: content ids of our own computing, pinning at a provider, reading back through gateways that are not trusted, and
//! images on their way there.
//!
//! [`Images`] turns an image source into a [`Content`] (fetched by [`ImageFetcher`], checked and compressed by
//! [`Compressor`]), a [`PinProvider`] such as [`Pinata`] takes it, [`Gateways`] give it back. Every error says by itself
//! which class of failure it is.

mod content;
mod content_id;
mod flights;
mod gateway_error;
mod gateways;
mod image;
mod images;
mod metrics;
mod pin_error;
mod pinata;
mod provider;
mod recent;
mod source;
mod transport;

pub use content::{BLOCK, Content, ContentTooLarge};
pub use content_id::{ContentId, Unverifiable};
pub use flights::Flights;
pub use gateway_error::{GatewayError, GatewayFault};
pub use gateways::{Gateways, NoGateways};
pub use image::{Compressor, ImageError, ImageKind, ImageLimits};
pub use images::{Images, PrepareError};
pub use metrics::describe as describe_metrics;
pub use pin_error::PinError;
pub use pinata::{Pinata, PinataOptions};
pub use provider::PinProvider;
pub use source::{Fault, FetchOptions, ImageFetcher, SourceError};
