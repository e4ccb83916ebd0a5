//! How the chain is reached.

use std::sync::Arc;
use std::time::Duration;

use resilience::{EndpointConfig, Jitter, Pool, PoolProblem, PoolSettings, Rate};
use secrecy::ExposeSecret;
use solana::{EndpointAddress, calls_per_second};
use url::Url;

use super::env::Env;
use super::table;

/// How the chain is reached.
#[derive(Debug, Clone)]
pub struct SolanaSettings {
    /// In order of preference, at least one.
    pub endpoints: Vec<EndpointAddress>,
    /// Where we are: endpoints there are preferred.
    pub region: Option<String>,
    /// Tries of one request in all.
    pub attempts: u32,
    /// How long one request may take.
    pub timeout: Duration,
    /// Each endpoint's budget for asking.
    pub reads: Rate,
    /// Each endpoint's budget for sending.
    pub sends: Rate,
}

impl SolanaSettings {
    /// Reads the endpoints. An endpoint without a label is called by its host and port, and by its place too where two
    /// would be called alike.
    pub fn read(env: &mut Env) -> Self {
        let settings = Self {
            endpoints: read_endpoints(env),
            region: env.optional(&table::SOLANA_RPC_REGION),
            attempts: env.number(&table::SOLANA_RETRY_ATTEMPTS, 1..=100),
            timeout: Duration::from_millis(env.number(&table::SOLANA_TIMEOUT_MS, 100..=600_000)),
            reads: calls_per_second(env.number(&table::SOLANA_RPC_READS_PER_SECOND, 1..=1_000_000)),
            sends: calls_per_second(env.number(&table::SOLANA_RPC_SENDS_PER_SECOND, 1..=1_000_000)),
        };
        // Of an empty list something was said already.
        if !settings.endpoints.is_empty() {
            settings.problems().into_iter().for_each(|problem| env.problem(problem));
        }
        settings
    }

    /// How a pool of these endpoints is to be treated.
    #[must_use]
    pub fn pool(&self) -> PoolSettings {
        PoolSettings { region: self.region.as_deref().map(Arc::from), ..PoolSettings::default() }
    }

    /// What a pool would say of them, and the same address twice.
    fn problems(&self) -> Vec<String> {
        let configs = self.endpoints.iter().map(|endpoint| EndpointConfig {
            label: endpoint.label.as_str().into(),
            client: (),
            region: endpoint.region.as_deref().map(Arc::from),
            emergency: endpoint.emergency,
            reads: self.reads,
            sends: self.sends,
        });
        let pool = Pool::new(configs.collect(), self.pool(), Arc::new(Jitter::from_seed(0)));
        let invalid = pool.err().into_iter().flat_map(|invalid| invalid.problems);
        let alike = self.endpoints.iter().enumerate().filter_map(|(index, endpoint)| {
            let url = endpoint.url.expose_secret();
            let first = self.endpoints[..index].iter().find(|other| other.url.expose_secret() == url)?;
            Some(format!("{} and {} are one address", first.label, endpoint.label))
        });
        let told = invalid.map(|problem| match problem {
            // The region is not shown: somebody may have put a key there.
            PoolProblem::UnknownRegion { .. } => format!("{} is none of theirs", table::SOLANA_RPC_REGION.name),
            PoolProblem::Empty
            | PoolProblem::OnlyEmergency
            | PoolProblem::NoLabel { .. }
            | PoolProblem::Duplicate { .. }
            | PoolProblem::NoProbePause
            | PoolProblem::Breaker(_) => problem.to_string(),
        });
        let problems = told.chain(alike);
        problems.map(|problem| format!("{}: {problem}", table::SOLANA_RPC_ENDPOINTS.name)).collect()
    }
}

fn read_endpoints(env: &mut Env) -> Vec<EndpointAddress> {
    let text = env.secret(&table::SOLANA_RPC_ENDPOINTS);
    let text = text.expose_secret();
    let entries: Vec<_> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if entries.is_empty() && !text.is_empty() {
        env.problem(format!("{}: names no endpoint", table::SOLANA_RPC_ENDPOINTS.name));
    }
    let mut endpoints: Vec<EndpointAddress> = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match endpoint(entry, index + 1, &endpoints) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(problem) => {
                env.problem(format!("{}: entry {} {problem}", table::SOLANA_RPC_ENDPOINTS.name, index + 1));
            }
        }
    }
    endpoints
}

/// `LABEL=URL;region=NAME;emergency`, of which only the URL has to be there. Nothing of it is shown: any part may be a
/// key that slipped.
fn endpoint(entry: &str, position: usize, others: &[EndpointAddress]) -> Result<EndpointAddress, &'static str> {
    let mut parts = entry.split(';').map(str::trim);
    let (label, url) = split_label(parts.next().unwrap_or_default());
    let host = host_of(url).ok_or("is no http:// or https:// URL")?;
    let label = label.map_or_else(|| unlike(others, host, position), str::to_owned);
    let mut endpoint = EndpointAddress::new(label, url);
    for option in parts {
        match option.split_once('=') {
            Some(("region", name)) if is_plain(name) && endpoint.region.is_none() => {
                endpoint.region = Some(name.to_owned());
            }
            None if option == "emergency" && !endpoint.emergency => endpoint.emergency = true,
            Some(_) | None => return Err("has an option that is neither region=NAME nor emergency, or one twice"),
        }
    }
    Ok(endpoint)
}

fn split_label(address: &str) -> (Option<&str>, &str) {
    match address.split_once('=') {
        Some((label, url)) if is_plain(label) => (Some(label), url),
        Some(_) | None => (None, address),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// One host may have several endpoints, each under a key of its own.
fn unlike(others: &[EndpointAddress], host: String, position: usize) -> String {
    if others.iter().any(|other| other.label == host) { format!("{host}#{position}") } else { host }
}
