//! Judges from outside: reads the chain by plain JSON-RPC and IPFS by plain HTTP, and knows of the fleet only what was
//! ordered. Nothing here is shared with the workers' verification.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mpl_token_metadata::accounts::Metadata;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::read_keypair_file;

use crate::content::content_id;
use crate::{Stack, TOKEN_METADATA};

use super::Journey;
use super::order::Order;

/// How far a colour may be off on average, of 255, between a drawing and its published image.
const COLOUR_TOLERANCE: f64 = 4.0;

/// What chain and IPFS say of one operation.
#[derive(Debug)]
pub struct Finding {
    /// What was ordered.
    pub order: Order,
    /// The NFT's address.
    pub mint: String,
    /// Name on chain.
    pub name: String,
    /// URI on chain.
    pub uri: String,
    /// Metadata as a gateway gave it.
    pub metadata: Value,
    /// Image as a gateway gave it.
    pub image: Vec<u8>,
    /// What is not as ordered.
    pub problems: Vec<String>,
}

/// An image that was read, and how far it is from the drawing that was asked for.
struct Seen {
    bytes: Vec<u8>,
    distance: f64,
}

/// Reads chain and IPFS.
#[derive(Debug)]
pub struct Referee {
    rpc: String,
    gateway: String,
    creators: Vec<Pubkey>,
    assets: PathBuf,
    http: reqwest::Client,
}

impl Referee {
    /// Asks the chain past the counting endpoints, and the last of the gateways.
    ///
    /// # Errors
    /// The stack has no payer or no gateway.
    pub fn new(stack: &Stack) -> Result<Self> {
        let variable = |name: &str| stack.env().get(name).with_context(|| format!("the stack has no {name}"));
        let gateways = variable("IPFS_GATEWAYS")?;
        Ok(Self {
            rpc: stack.chain_url(),
            gateway: gateways.rsplit(',').next().unwrap_or(gateways).trim_end_matches('/').to_owned(),
            creators: creators(stack.env())?,
            assets: variable("ASSET_DIR")?.into(),
            http: reqwest::Client::new(),
        })
    }

    /// Who pays for the NFTs, and is named as their creator: one of these.
    pub(crate) fn creators(&self) -> &[Pubkey] {
        &self.creators
    }

    /// One finding per operation, in order.
    ///
    /// # Errors
    /// Chain or gateway cannot be asked.
    pub async fn judge(&self, journeys: &[Journey]) -> Result<Vec<Finding>> {
        let minted = self.minted().await?;
        let mut images = HashMap::new();
        let mut findings = Vec::new();
        for journey in journeys {
            findings.push(self.judge_one(journey, &minted, &mut images).await?);
        }
        Ok(findings)
    }

    /// NFTs of our creator that nobody ordered.
    ///
    /// # Errors
    /// The chain cannot be asked.
    pub async fn surplus(&self, journeys: &[Journey]) -> Result<Vec<String>> {
        let told: HashSet<_> =
            journeys.iter().filter_map(|j| Some(j.latest.as_ref()?.mint_address?.to_string())).collect();
        let minted = self.minted().await?;
        let surplus = minted.iter().filter(|metadata| !told.contains(&metadata.mint.to_string()));
        let mut problems: Vec<_> =
            surplus.map(|m| format!("{} ({}) was ordered by nobody", m.mint, trim(&m.name))).collect();
        if minted.len() != journeys.len() {
            problems.push(format!("{} NFTs on chain for {} operations", minted.len(), journeys.len()));
        }
        Ok(problems)
    }

    /// How many NFTs there are beyond one for each of these operations, whoever else ordered what.
    ///
    /// # Errors
    /// The chain cannot be asked.
    pub async fn duplicates(&self, journeys: &[Journey]) -> Result<usize> {
        let minted = self.minted().await?;
        let named = |name: &str| minted.iter().filter(|metadata| trim(&metadata.name) == name).count();
        Ok(journeys.iter().map(|journey| named(&journey.order.event.nft.name).saturating_sub(1)).sum())
    }

    async fn judge_one(
        &self,
        journey: &Journey,
        minted: &[Metadata],
        images: &mut HashMap<(String, &'static str), Seen>,
    ) -> Result<Finding> {
        let nft = &journey.order.event.nft;
        let who = format!("{} ({})", nft.name, journey.order.event.operation_id);
        let named: Vec<_> = minted.iter().filter(|metadata| trim(&metadata.name) == nft.name).collect();
        let [metadata] = named[..] else {
            let found = format!("{who}: {} NFTs of this name on chain, not one", named.len());
            return Ok(Finding::nothing(journey.order.clone(), found));
        };
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(format!("{who}: {problem}"));
            }
        };
        let told = journey.latest.as_ref();
        let told_mint = told.and_then(|status| status.mint_address).map(|mint| mint.to_string());
        expect(told_mint == Some(metadata.mint.to_string()), format!("the status event names mint {told_mint:?}"));
        expect(told.is_some_and(|s| s.state == domain::State::Verified), "did not end VERIFIED".into());
        expect(trim(&metadata.symbol) == nft.symbol, format!("symbol {:?}", trim(&metadata.symbol)));
        expect(metadata.seller_fee_basis_points == nft.seller_fee_basis_points, "another seller fee".into());
        let owner = self.owner(&metadata.mint).await?;
        expect(owner == journey.order.event.wallet_address.to_string(), format!("owner is {owner}"));

        let uri = trim(&metadata.uri).to_owned();
        let json = self.content(&uri, &mut expect).await?;
        let json: Value = serde_json::from_slice(&json).unwrap_or_default();
        expect(json["name"] == nft.name.as_str(), format!("metadata names it {}", json["name"]));
        expect(json["description"] == nft.description.as_str(), "metadata describes it otherwise".into());
        let asset = journey.order.level.asset;
        let image_uri = json["image"].as_str().unwrap_or_default().to_owned();
        let image = match images.entry((image_uri.clone(), asset)) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(new) => {
                let bytes = self.content(&image_uri, &mut expect).await?;
                let distance = self.distance(&bytes, asset)?;
                new.insert(Seen { bytes, distance })
            }
        };
        expect(image.distance < COLOUR_TOLERANCE, format!("the image is not {asset}"));
        Ok(Finding {
            order: journey.order.clone(),
            mint: metadata.mint.to_string(),
            name: trim(&metadata.name).to_owned(),
            uri,
            metadata: json,
            image: image.bytes.clone(),
            problems,
        })
    }

    /// Every metadata account whose update authority is one of our payers, collections aside: nobody orders these.
    async fn minted(&self) -> Result<Vec<Metadata>> {
        let mut minted = Vec::new();
        for creator in &self.creators {
            minted.extend(self.minted_by(creator).await?);
        }
        Ok(minted)
    }

    async fn minted_by(&self, creator: &Pubkey) -> Result<Vec<Metadata>> {
        let creator_behind_the_key_byte = json!({ "memcmp": { "offset": 1, "bytes": creator.to_string() } });
        let options = json!({
            "encoding": "base64", "commitment": "confirmed", "filters": [creator_behind_the_key_byte],
        });
        let accounts = self.call("getProgramAccounts", json!([TOKEN_METADATA.to_string(), options])).await?;
        let accounts = accounts.as_array().context("getProgramAccounts gave no list")?;
        let mut minted = Vec::new();
        for account in accounts {
            let data = account["account"]["data"][0].as_str().context("an account without data")?;
            let data = BASE64_STANDARD.decode(data)?;
            minted.extend(Metadata::safe_deserialize(&data).ok().filter(|found| found.collection_details.is_none()));
        }
        Ok(minted)
    }

    /// Who holds the one token of a mint.
    async fn owner(&self, mint: &Pubkey) -> Result<String> {
        let largest = self.call("getTokenLargestAccounts", json!([mint.to_string()])).await?;
        let holders: Vec<_> =
            largest["value"].as_array().into_iter().flatten().filter(|h| h["amount"] == "1").collect();
        let [holder] = holders[..] else { return Ok(format!("{} accounts, not one", holders.len())) };
        let account = json!([holder["address"], { "encoding": "jsonParsed" }]);
        let account = self.call("getAccountInfo", account).await?;
        Ok(account["value"]["data"]["parsed"]["info"]["owner"].as_str().unwrap_or("unknown").to_owned())
    }

    /// The bytes behind an `ipfs://` URI, which must hash to what the URI names.
    async fn content(&self, uri: &str, expect: &mut impl FnMut(bool, String)) -> Result<Vec<u8>> {
        let Some(cid) = uri.strip_prefix("ipfs://") else {
            expect(false, format!("{uri:?} is no ipfs:// URI"));
            return Ok(Vec::new());
        };
        let reply = self.http.get(format!("{}/{cid}", self.gateway)).send().await?;
        let status = reply.status();
        let bytes = reply.bytes().await?.to_vec();
        expect(status.is_success(), format!("the gateway answers {status} for {cid}"));
        expect(content_id(&bytes).to_string() == cid, format!("the bytes behind {cid} are others"));
        Ok(bytes)
    }

    /// How far apart a published image and a drawing are: mean difference of their colours, of 255.
    fn distance(&self, published: &[u8], asset: &str) -> Result<f64> {
        let drawing = image::open(self.assets.join(asset)).with_context(|| format!("the drawing {asset}"))?;
        let Ok(published) = image::load_from_memory(published) else { return Ok(f64::INFINITY) };
        let published = published.to_rgb8();
        let (width, height) = published.dimensions();
        let drawing = drawing.resize_exact(width, height, image::imageops::FilterType::Lanczos3).to_rgb8();
        let differences = drawing.iter().zip(published.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)));
        Ok(differences.sum::<f64>() / f64::from(width * height * 3))
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut reply: BTreeMap<String, Value> = self.http.post(&self.rpc).json(&body).send().await?.json().await?;
        if let Some(error) = reply.get("error") {
            bail!("{method}: {error}");
        }
        reply.remove("result").with_context(|| format!("{method} gave no result"))
    }
}

impl Finding {
    fn nothing(order: Order, problem: String) -> Self {
        Self {
            order,
            mint: String::new(),
            name: String::new(),
            uri: String::new(),
            metadata: Value::Null,
            image: Vec::new(),
            problems: vec![problem],
        }
    }
}

/// Every payer of the stack, retired or not.
fn creators(env: &BTreeMap<String, String>) -> Result<Vec<Pubkey>> {
    let files = env.get("MINT_PAYER_KEYPAIR").context("the stack has no MINT_PAYER_KEYPAIR")?;
    let payer = |file: &str| match read_keypair_file(file) {
        Ok(payer) => Ok(payer.pubkey()),
        Err(error) => bail!("{file}: {error}"),
    };
    let retired = env.get("MINT_RETIRED_PAYERS").map(String::as_str).unwrap_or_default();
    let retired = retired.split(',').filter(|address| !address.is_empty()).map(|address| Ok(address.parse()?));
    let mut creators = files.split(',').map(payer).chain(retired).collect::<Result<Vec<Pubkey>>>()?;
    creators.sort_unstable();
    creators.dedup();
    Ok(creators)
}

/// Token Metadata pads its strings with zeros.
fn trim(text: &str) -> &str {
    text.trim_end_matches('\0')
}
