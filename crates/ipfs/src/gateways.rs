//! Reading content back. Gateways are not trusted: a block counts only when it hashes to its CID.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Cid;
use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use crate::dag::{Block, CarReader, Tree, Unfinished};
use crate::transport::{TransportFault, read_body};
use crate::{ContentId, GatewayError, GatewayFault, metrics};

/// How long one gateway has for the whole answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// No peer of the network passes on larger blocks.
const MAX_BLOCK: usize = 4 << 20;
/// Largest file, bytes.
const LARGEST: usize = 10 << 20;
/// What a gateway is asked for where the content is a tree of blocks.
const CAR: &str = "application/vnd.ipld.car";

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

    /// Reads a content: from the first gateway that gives the right bytes in time. Of a content of many blocks the right
    /// ones are kept, whichever gateway they came from.
    ///
    /// # Errors
    /// [`GatewayError`], which tells what every gateway said.
    pub async fn fetch(&self, cid: &Cid) -> Result<Bytes, GatewayError> {
        let wanted = ContentId::parse(cid.as_str())?;
        let mut tree = Tree::new(wanted, LARGEST);
        let mut faults = Vec::new();
        for gateway in &self.in_order {
            let begun = Instant::now();
            let read = self.read(gateway, &wanted, &mut tree).await;
            let fault = match (tree.file(), read) {
                (Ok(bytes), _) => {
                    metrics::gateway_read(&gateway.label, metrics::OK, begun.elapsed());
                    return Ok(bytes);
                }
                (Err(Unfinished::Never(reason)), _) => return Err(GatewayError::NotAFile { cid: cid.clone(), reason }),
                (Err(Unfinished::Missing), Err(fault)) => fault,
                (Err(Unfinished::Missing), Ok(())) => GatewayFault::Incomplete,
            };
            metrics::gateway_read(&gateway.label, fault.code(), begun.elapsed());
            faults.push((gateway.label.clone(), fault));
        }
        Err(GatewayError::AllFailed { cid: cid.clone(), faults })
    }

    async fn read(&self, gateway: &Gateway, wanted: &ContentId, tree: &mut Tree) -> Result<(), GatewayFault> {
        let address = format!("{}{wanted}", gateway.base);
        let request = if wanted.is_node() {
            self.client.get(format!("{address}?format=car")).header(ACCEPT, CAR)
        } else {
            self.client.get(address)
        };
        let answer = request.timeout(self.patience).send().await.map_err(TransportFault::from)?;
        if answer.status() != StatusCode::OK {
            return Err(GatewayFault::Status(answer.status().as_u16()));
        }
        if wanted.is_node() { read_car(answer, tree).await } else { read_block(answer, wanted, tree).await }
    }
}

async fn read_block(answer: Response, wanted: &ContentId, tree: &mut Tree) -> Result<(), GatewayFault> {
    let bytes = read_body(answer, MAX_BLOCK).await?;
    if !wanted.matches(&bytes) {
        return Err(GatewayFault::OtherBytes);
    }
    Ok(tree.add(Block { id: *wanted, bytes })?)
}

async fn read_car(mut answer: Response, tree: &mut Tree) -> Result<(), GatewayFault> {
    let mut car = CarReader::default();
    while let Some(chunk) = answer.chunk().await.map_err(TransportFault::from)? {
        car.push(&chunk);
        while let Some(block) = car.next_block()? {
            tree.add(block)?;
        }
    }
    Ok(car.finish()?)
}

impl Gateway {
    fn at(address: &Url) -> Self {
        let host = address.host_str().unwrap_or_default();
        let label = address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let base = address.as_str().trim_end_matches('/').trim_end_matches("/ipfs");
        Self { label, base: format!("{base}/ipfs/") }
    }
}
