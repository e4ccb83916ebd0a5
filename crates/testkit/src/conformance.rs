//! What holds of a port whoever answers it: suites that are written once and run on the simulated thing and on the real
//! one, so that what is proven on the simulated one is not proven of a fake.

pub mod chain;
pub mod store;
