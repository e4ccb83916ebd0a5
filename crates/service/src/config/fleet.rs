//! Where the workers tell how they are.

use url::Url;

use super::env::Env;
use super::table;
use super::variable::Program;

/// The ops endpoints of every worker, each process by itself.
#[derive(Debug, Clone)]
pub struct FleetSettings {
    /// Whose, and where.
    pub workers: Vec<(Program, Url)>,
}

impl FleetSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Self {
        let variables = [
            (Program::IpfsUploader, &table::IPFS_UPLOADER_OPS_URL),
            (Program::MintSubmitter, &table::MINT_SUBMITTER_OPS_URL),
            (Program::Verifier, &table::VERIFIER_OPS_URL),
        ];
        let mut workers = Vec::new();
        for (worker, variable) in variables {
            workers.extend(env.urls(variable).into_iter().map(|url| (worker, url)));
        }
        Self { workers }
    }
}
