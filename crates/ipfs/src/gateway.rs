//! One gateway (<https://specs.ipfs.tech/http-gateways/path-gateway/>). It is not trusted: a block counts only when it
//! hashes to its CID.

use std::time::Duration;

use domain::{Clock, SystemClock};
use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode};
use resilience::retry_after;
use url::Url;

use crate::dag::{Block, CarReader, Tree};
use crate::transport::{TransportFault, read_body};
use crate::{ContentId, GatewayFault};

/// No peer of the network passes on larger blocks.
const MAX_BLOCK: usize = 4 << 20;
/// What a gateway is asked for where the content is a tree of blocks.
const CAR: &str = "application/vnd.ipld.car";

#[derive(Debug)]
pub(crate) struct Gateway {
    client: Client,
    /// Ends with `/ipfs/`.
    base: String,
}

impl Gateway {
    /// At an address such as `https://ipfs.io`, with or without `/ipfs` behind.
    pub fn at(address: &Url, client: Client) -> Self {
        let base = address.as_str().trim_end_matches('/').trim_end_matches("/ipfs");
        Self { client, base: format!("{base}/ipfs/") }
    }

    /// Reads the blocks of a content into its tree, as far as they come within `patience`.
    pub async fn read(&self, wanted: &ContentId, tree: &mut Tree, patience: Duration) -> Result<(), GatewayFault> {
        let address = format!("{}{wanted}", self.base);
        let request = if wanted.is_node() {
            self.client.get(format!("{address}?format=car")).header(ACCEPT, CAR)
        } else {
            self.client.get(address)
        };
        let answer = request.timeout(patience).send().await.map_err(TransportFault::from)?;
        if answer.status() != StatusCode::OK {
            let retry_after = retry_after(answer.headers(), SystemClock.now().into());
            return Err(GatewayFault::of_status(answer.status().as_u16(), retry_after));
        }
        if wanted.is_node() { read_car(answer, tree).await } else { read_block(answer, wanted, tree).await }
    }

    /// Asks for a content that every gateway has by nature, no bytes at all; one that says it has not is there too.
    pub async fn probe(&self, patience: Duration) -> Result<(), GatewayFault> {
        let nothing = ContentId::of(b"");
        match self.read(&nothing, &mut Tree::new(nothing, 0), patience).await {
            Err(fault) if !fault.is_missing() => Err(fault),
            Ok(()) | Err(_) => Ok(()),
        }
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
