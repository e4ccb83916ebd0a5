//! Providers, gateways and image sources with their faults, as small servers of our own.

mod gateways;
mod images;
mod kubo;
mod large;
mod once;
mod pinata;
mod pixels;
mod resumable;
mod server;
mod sources;
