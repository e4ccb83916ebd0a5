//! What a stack is to be.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::Progress;

/// How much of a stack is wanted; each holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// PostgreSQL, Kafka, chain, pin servers and gateways, all empty.
    Bare,
    /// Schema and topics too.
    SetUp,
    /// The workers too.
    Workers,
}

/// What a stack is to be.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The directory in which everything lies.
    pub dir: PathBuf,
    /// How much of it.
    pub extent: Extent,
    /// How long a slot of the chain takes.
    pub slot: Duration,
    /// How many RPC endpoints stand before the chain.
    pub rpc_endpoints: u8,
    /// What the workers are told beside the addresses, by the names of their variables.
    pub settings: BTreeMap<String, String>,
    /// Where `mintctl` and the workers lie; beside this program where none is given.
    pub bin_dir: Option<PathBuf>,
    /// Where downloads are kept; `$HOME/.cache/mintfleet` where none is given.
    pub cache: Option<PathBuf>,
    /// Who is told how far things are.
    pub progress: Progress,
}

impl StackOptions {
    /// A full stack in `dir` at a cluster's speed.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            extent: Extent::Workers,
            slot: Duration::from_millis(400),
            rpc_endpoints: 3,
            settings: BTreeMap::new(),
            bin_dir: None,
            cache: None,
            progress: Progress::silent(),
        }
    }
}
