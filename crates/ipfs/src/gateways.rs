//! Reading content back. Gateways are not trusted: bytes count only when they hash to the CID.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Cid;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use crate::transport::{TransportFault, read_body};
use crate::{ContentId, GatewayError, GatewayFault, metrics};

/// How long one gateway has for the whole answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// No peer of the network passes on larger blocks.
const MAX_BLOCK: usize = 4 << 20;

/// Gateways in the order in which they are asked.
#[derive(Debug, Clone)]
pub struct Gateways {
    client: Client,
    patience: Duration,
    in_order: Vec<Gateway>,
}

#[derive(Debug, Clone)]
struct Gateway {
    /// Host and port, for errors and metrics: the rest of an address may hold a key.
    label: String,
    /// Ends with `/ipfs/`.
    base: String,
}

/// A client over no gateways, or one that the machine cannot give.
#[derive(Debug, thiserror::Error)]
pub enum NoGateways {
    /// The list is empty.
    #[error("no gateway is given")]
    Empty,
    /// Where the machine gives no TLS roots or no sockets.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Gateways {
    /// Takes addresses such as `https://ipfs.io`, with or without `/ipfs` behind.
    ///
    /// # Errors
    /// [`NoGateways`].
    pub fn new(addresses: &[Url]) -> Result<Self, NoGateways> {
        if addresses.is_empty() {
            return Err(NoGateways::Empty);
        }
        let client = Client::builder().redirect(Policy::limited(3)).build()?;
        Ok(Self { client, patience: PATIENCE, in_order: addresses.iter().map(Gateway::at).collect() })
    }

    /// Gives every gateway that long for its whole answer instead of 5 s.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Reads a content: from the first gateway that gives the right bytes in time.
    ///
    /// # Errors
    /// [`GatewayError`], which tells what every gateway said.
    pub async fn fetch(&self, cid: &Cid) -> Result<Bytes, GatewayError> {
        let wanted = ContentId::parse(cid.as_str())?;
        let mut faults = Vec::new();
        for gateway in &self.in_order {
            let begun = Instant::now();
            let read = self.read(gateway, &wanted).await;
            let outcome = read.as_ref().map_or_else(GatewayFault::code, |_| metrics::OK);
            metrics::gateway_read(&gateway.label, outcome, begun.elapsed());
            match read {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => faults.push((gateway.label.clone(), fault)),
            }
        }
        Err(GatewayError::AllFailed { cid: cid.clone(), faults })
    }

    async fn read(&self, gateway: &Gateway, wanted: &ContentId) -> Result<Bytes, GatewayFault> {
        let answer = self.client.get(format!("{}{wanted}", gateway.base)).timeout(self.patience).send().await;
        let answer = answer.map_err(TransportFault::from)?;
        if answer.status() != StatusCode::OK {
            return Err(GatewayFault::Status(answer.status().as_u16()));
        }
        let bytes = read_body(answer, MAX_BLOCK).await?;
        if wanted.matches(&bytes) { Ok(bytes) } else { Err(GatewayFault::OtherBytes) }
    }
}

impl Gateway {
    fn at(address: &Url) -> Self {
        let host = address.host_str().unwrap_or_default();
        let label = address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let base = address.as_str().trim_end_matches('/').trim_end_matches("/ipfs");
        Self { label, base: format!("{base}/ipfs/") }
    }
}
