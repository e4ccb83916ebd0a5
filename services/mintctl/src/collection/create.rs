//! `mintctl collection create`: a collection under a label, once, however often it is asked for.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use domain::{MAX_NAME, MAX_SYMBOL, MintAddress, Signature, WalletAddress};
use serde_json::json;
use service::config::{MintKeySettings, SolanaSettings, fee_policy};
use service::record_mint_keys;
use solana::{Cluster, MetadataAccount, MintOrder, Mints, Payers, Pubkey, TokenMetadata};
use store::Store;

use super::creation::{Creation, address};
use crate::doctor::connect;
use crate::exit::{Exit, Usage};
use crate::output;
use crate::run::read;

/// Longest URI that Token Metadata stores, bytes.
const MAX_URI: usize = 200;

const EXAMPLES: &str =
    "Signed and paid by a payer of the fleet, which is its update authority, may change what it says later, and
signs whatever is minted into it, whoever pays for that. Its address is derived from the master secret
and the label: the same command again makes no second one, it says that it stands already, even after
the secret was changed. Waits until it is final; that takes 13 s. What the URI leads to is not looked at.

Exit code 1 where it stands already and says something else than was asked for; nothing is changed.

Examples:
  mintctl collection create --name 'Quant Apes' --symbol AIW3 --uri ipfs://bafkrei…
  mintctl collection create --name 'Quant Apes' --label apes-2026 --uri ipfs://bafkrei…
  collection=$(mintctl collection create --name A --uri ipfs://bafkrei… --json | jq -r .collection)";

/// Arguments of `collection create`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name on chain, at most 32 bytes
    #[arg(long)]
    name: String,

    /// Symbol on chain, at most 10 bytes
    #[arg(long, default_value = "")]
    symbol: String,

    /// Where its metadata is, at most 200 bytes
    #[arg(long)]
    uri: String,

    /// What its address is derived from [default: its name]
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,

    /// Which payer pays for it and rules it [default: the first one]
    #[arg(long, value_name = "ADDRESS")]
    payer: Option<Pubkey>,
}

/// Creates it, or finds it.
///
/// # Errors
/// [`Usage`] for what the chain does not store; keys or endpoints that are not configured; the chain's trouble or the
/// database's.
pub async fn run(args: &CreateArgs, store: &Store, json: bool) -> Result<Exit> {
    args.check()?;
    let keys = read(MintKeySettings::read)?;
    let settings = read(SolanaSettings::read)?;
    let fees = read(fee_policy)?;
    let signer = keys.open().await?;
    let payer = args.payer(signer.payers())?;
    record_mint_keys(store, signer.masters()).await?;
    let endpoints = Arc::new(connect(&settings)?);
    endpoints.check_cluster(store.recorded_identity().await?.as_deref()).await?;

    let (cluster, mints, label) = (Cluster::start(endpoints, fees), Mints::new(signer, TokenMetadata), args.label());
    let order = args.order(address(&cluster, &mints, label).await?, payer);
    let creation = Creation { cluster, mints, label, payer, order };
    let created_by = creation.created_by().await?;
    let standing = creation.standing().await?;
    let signs = creation.mints.puts_into_collections_of(&standing.update_authority);
    let differences = differences(&creation.order, args.payer, &standing, signs);
    tell(&creation, created_by, &differences, json)?;
    Ok(if differences.is_empty() { Exit::Ok } else { Exit::Failed })
}

impl CreateArgs {
    fn label(&self) -> &str {
        self.label.as_ref().unwrap_or(&self.name)
    }

    fn payer(&self, payers: &Payers) -> Result<Pubkey> {
        let Some(asked) = self.payer else { return payers.addresses().next().context("there is no payer") };
        if payers.addresses().any(|payer| payer == asked) {
            return Ok(asked);
        }
        let payers: Vec<_> = payers.addresses().map(|payer| payer.to_string()).collect();
        Err(Usage(format!("--payer {asked} is none of those who pay: {}", payers.join(", "))).into())
    }

    fn check(&self) -> Result<(), Usage> {
        let empty = [("--name", &self.name), ("--uri", &self.uri)].into_iter().filter(|(_, text)| text.is_empty());
        let texts =
            [("--name", &self.name, MAX_NAME), ("--symbol", &self.symbol, MAX_SYMBOL), ("--uri", &self.uri, MAX_URI)];
        let long = texts.into_iter().filter(|(_, text, most)| text.len() > *most);
        let problems: Vec<_> = empty
            .map(|(flag, _)| format!("{flag} is empty"))
            .chain(
                long.map(|(flag, text, most)| format!("{flag} is {} bytes long; the chain stores {most}", text.len())),
            )
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(Usage(problems.join("; "))) }
    }

    fn order(&self, mint: MintAddress, payer: Pubkey) -> MintOrder {
        MintOrder {
            mint,
            owner: WalletAddress::from_bytes(payer.to_bytes()),
            name: self.name.clone(),
            symbol: self.symbol.clone(),
            uri: self.uri.clone(),
            seller_fee_basis_points: 0,
            collection: None,
        }
    }
}

/// What a collection that stands says otherwise than was asked for. Whoever `signs` here may rule it, unless one payer was
/// asked for.
fn differences(order: &MintOrder, payer: Option<Pubkey>, standing: &MetadataAccount, signs: bool) -> Vec<String> {
    let text =
        |what, found: &str, asked: &str| (found != asked).then(|| format!("its {what} is {found:?}, not {asked:?}"));
    let ruler = standing.update_authority;
    let wrong_ruler = match payer {
        Some(payer) => (payer != ruler).then(|| format!("it is ruled by {ruler}, not by {payer}")),
        None => (!signs).then(|| format!("it is ruled by {ruler}, whose key is not here")),
    };
    [
        text("name", &standing.name, &order.name),
        text("symbol", &standing.symbol, &order.symbol),
        text("URI", &standing.uri, &order.uri),
        wrong_ruler,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tell(creation: &Creation<'_>, by: Option<Signature>, differences: &[String], json: bool) -> Result<()> {
    let mint = creation.order.mint;
    if json {
        return output::json_document(&json!({
            "collection": mint, "label": creation.label, "outcome": if by.is_some() { "created" } else { "stands-already" },
            "signature": by, "differences": differences,
        }));
    }
    match by {
        Some(signature) => output::text(format!("{mint}  created by {signature}"))?,
        None => output::text(format!("{mint}  stands already"))?,
    }
    differences.iter().try_for_each(output::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: Pubkey = Pubkey::new_from_array([1; 32]);

    fn args() -> CreateArgs {
        CreateArgs {
            name: "Quant Apes".into(),
            symbol: "AIW3".into(),
            uri: "ipfs://x".into(),
            label: None,
            payer: None,
        }
    }

    #[test]
    fn what_the_chain_does_not_store_is_named_at_once() {
        assert!(args().check().is_ok());
        let wrong = CreateArgs { name: String::new(), symbol: "s".repeat(11), uri: "u".repeat(201), ..args() };
        let problems = wrong.check().unwrap_err().to_string();
        for part in ["--name is empty", "--symbol is 11 bytes", "--uri is 201 bytes"] {
            assert!(problems.contains(part), "{problems}");
        }
    }

    #[test]
    fn what_stands_is_compared_with_what_was_asked_for() {
        let order = args().order(MintAddress::from_bytes([2; 32]), AUTHORITY);
        let standing = MetadataAccount {
            mint: Pubkey::new_from_array([2; 32]),
            update_authority: AUTHORITY,
            name: "Quant Apes".into(),
            symbol: "AIW3".into(),
            uri: "ipfs://x".into(),
            seller_fee_basis_points: 0,
            creators: vec![(AUTHORITY, true, 100)],
            is_mutable: true,
            non_fungible: true,
            collection: None,
            is_collection: true,
        };
        assert!(differences(&order, None, &standing, true).is_empty());
        assert!(differences(&order, Some(AUTHORITY), &standing, true).is_empty());
        let other = MetadataAccount { uri: "ipfs://y".into(), update_authority: Pubkey::default(), ..standing };
        for (payer, signs) in [(None, false), (Some(AUTHORITY), true)] {
            let found = differences(&order, payer, &other, signs);
            assert_eq!(found[0], "its URI is \"ipfs://y\", not \"ipfs://x\"");
            assert!(found[1].starts_with("it is ruled by 1111"), "{found:?}");
        }
    }
}
