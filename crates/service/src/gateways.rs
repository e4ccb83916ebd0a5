//! The gateways that a worker reads content back through.

use std::sync::Arc;

use ipfs::Gateways;
use resilience::{BreakerSettings, Jitter, Policies, PolicyName};

use crate::config::GatewaySettings;
use crate::health::Health;

/// What the gateways are called among the dependencies.
const GATEWAYS: &str = "ipfs-gateways";

/// Prepares the gateways. From now on they are watched over, and shown.
///
/// # Errors
/// A list of them that makes no sense, or a machine that gives no TLS roots or no sockets.
///
/// # Panics
/// Outside a tokio runtime.
pub fn open_gateways(
    settings: &GatewaySettings,
    breaker: BreakerSettings,
    health: &Health,
) -> anyhow::Result<Gateways> {
    let line = health.dependency(GATEWAYS, Policies::default()[PolicyName::ContentReachable].attempts);
    let gateways = Gateways::watched(&settings.gateways, breaker, line, Arc::new(Jitter::from_os()))?;
    let shown = gateways.clone();
    health.show_endpoints(GATEWAYS, move || shown.health());
    tokio::spawn(gateways.clone().watch_over());
    Ok(gateways)
}
