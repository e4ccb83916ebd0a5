//! What the stack needs besides our own code, fetched once and kept in a cache.

mod cache;
mod maven;
mod token_metadata;

use std::path::PathBuf;

use anyhow::Result;

pub(crate) use cache::Cache;
pub(crate) use token_metadata::program as token_metadata_program;

use crate::Progress;

/// Everything that is fetched, ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Kit {
    /// Apache Kafka's jars.
    pub kafka: PathBuf,
    /// PostgreSQL's `bin`, `lib` and `share`.
    pub postgres: PathBuf,
    /// The ELF of the Token Metadata program.
    pub token_metadata: Vec<u8>,
}

impl Kit {
    /// Takes the kit from the cache; what is missing there is fetched first. Blocks, for a minute on a new machine.
    pub(crate) fn obtain(cache: &Cache, progress: &Progress) -> Result<Self> {
        let servers = maven::servers(cache, progress)?;
        let token_metadata = token_metadata_program(cache, progress)?;
        Ok(Self { kafka: servers.join("kafka"), postgres: servers.join("postgres"), token_metadata })
    }
}
