//! The configuration in the parts that programs are put together from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::env::Env;
use super::table;
use super::variable::Program;

/// Where a partner verifies. The address may hold a key, so it is not shown.
#[derive(Clone)]
pub struct PartnerUrl(pub Url);

impl fmt::Debug for PartnerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerUrl(…)")
    }
}

/// Where content is pinned.
#[derive(Debug, Clone)]
pub struct PinataSettings {
    /// The API.
    pub api_url: Url,
    /// The upload service.
    pub uploads_url: Url,
    /// The JWT.
    pub api_key: SecretString,
}

impl PinataSettings {
    /// Reads where Pinata is.
    pub fn read(env: &mut Env) -> Self {
        Self {
            api_url: env.url(&table::PINATA_API_URL),
            uploads_url: env.url(&table::PINATA_UPLOADS_URL),
            api_key: env.secret(&table::PINATA_API_KEY),
        }
    }
}

/// Where content is read back.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// In order of preference, at least one.
    pub gateways: Vec<Url>,
    /// Tries of one upload or retrieval in all.
    pub attempts: u32,
}

impl GatewaySettings {
    /// Reads the gateways.
    pub fn read(env: &mut Env) -> Self {
        Self { gateways: env.urls(&table::IPFS_GATEWAYS), attempts: env.number(&table::IPFS_RETRY_ATTEMPTS, 1..=100) }
    }
}

/// Where images may come from.
#[derive(Debug, Clone)]
pub struct ImageSettings {
    /// What `asset:NAME` means.
    pub asset_dir: Option<PathBuf>,
    /// Whether plain http and private addresses will do.
    pub allow_private: bool,
}

impl ImageSettings {
    /// Reads where images may come from.
    pub fn read(env: &mut Env) -> Self {
        Self { asset_dir: asset_dir(env), allow_private: env.flag(&table::IMAGE_ALLOW_PRIVATE) }
    }
}

/// What `asset:NAME` means.
pub fn asset_dir(env: &mut Env) -> Option<PathBuf> {
    let asset_dir = env.optional(&table::ASSET_DIR).map(PathBuf::from);
    if asset_dir.as_ref().is_some_and(|path| !path.is_dir()) {
        env.problem("ASSET_DIR: not a directory");
    }
    asset_dir
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(()),
        }
    }
}

/// What every worker process has, whatever it does.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// Where the ops endpoints listen.
    pub ops_listen: SocketAddr,
    /// How long work in hand may take to finish after a signal.
    pub shutdown_grace: Duration,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which messages are logged.
    pub log_filter: String,
}

impl ProcessSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Self {
        let port = match env.program() {
            Program::IpfsUploader | Program::Mintctl => 9401,
            Program::MintSubmitter => 9402,
            Program::Verifier => 9403,
        };
        let own_default = SocketAddr::from(([127, 0, 0, 1], port));
        let ops_listen = match env.optional(&table::OPS_LISTEN).map(|text| text.parse()) {
            None => own_default,
            Some(Ok(address)) => address,
            Some(Err(_)) => {
                env.problem("OPS_LISTEN: not ADDRESS:PORT");
                own_default
            }
        };
        let log_filter = env.text(&table::RUST_LOG);
        if EnvFilter::try_new(&log_filter).is_err() {
            env.problem("RUST_LOG: not a list of directives such as info,kafka=debug");
        }
        Self {
            ops_listen,
            shutdown_grace: Duration::from_secs(env.number(&table::SHUTDOWN_GRACE_SECONDS, 0..=3_600)),
            log_format: env.parsed(&table::LOG_FORMAT, "neither json nor text").unwrap_or(LogFormat::Json),
            log_filter,
        }
    }
}
