//! Faults on demand: one board that tests (`Stack::faults`) and `devstack fault …` share.
//!
//! Every part of the stack that others talk to has a [`Switch`]; its server asks the switch what is to go wrong. A
//! [`Fault`] is one thing that goes wrong at one part: always or for a share of the requests, for good or for a while.

mod board;
mod error;
mod fault;
mod gate;
mod hands;
mod http;
mod kind;
mod met;
mod part;
mod saboteur;
mod switch;
mod switches;
mod tcp_proxy;
mod work;

pub use board::Faults;
pub use error::FaultError;
pub use fault::{Fault, FaultReport, Standing, parse_share};
pub use kind::FaultKind;
pub use part::Part;
pub use switch::Switch;

pub(crate) use gate::Cut;
pub(crate) use hands::Hands;
pub(crate) use http::HttpGate;
pub(crate) use met::{HoldBack, Met};
pub(crate) use saboteur::Saboteur;
pub(crate) use switches::Switches;
pub(crate) use tcp_proxy::TcpProxy;
