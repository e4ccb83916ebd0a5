//! Providers, gateways and image sources with their faults, as small servers of our own.

mod gateways;
mod images;
mod once;
mod pinata;
mod pixels;
mod server;
mod sources;
