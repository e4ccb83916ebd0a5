//! An RPC endpoint of a chain on which one mint is, or is not.

use std::future::ready;

use anyhow::Result;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::{Attempt, MintAddress, Signature};
use serde_json::{Value, json};
use solana::NftAddresses;

/// The slot at which the one transaction was signed.
pub const SIGNED_AT: u64 = 1_000;
/// Every transaction that was signed at that slot is over by then.
pub const OVER: u64 = SIGNED_AT + 181;

/// What it answers. Heights are slots.
#[derive(Clone, Copy, Default)]
pub struct Chain {
    pub minted: bool,
    pub slot: u64,
    /// Whether the transaction landed for good, with an error.
    pub failed: bool,
}

pub fn mint() -> MintAddress {
    MintAddress::from_bytes([7; 32])
}

pub fn signature() -> Signature {
    Signature::from_bytes([9; 64])
}

/// The one transaction that was ever signed for it.
pub fn attempt() -> Attempt {
    Attempt {
        signature: signature(),
        wire: vec![1],
        payer: None,
        blockhash: "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".into(),
        last_valid_block_height: 1_150,
        context_slot: SIGNED_AT,
        compute_unit_price: 1,
        endpoint: "one".into(),
        cost: None,
    }
}

impl Chain {
    pub async fn start(self) -> Result<String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/?api-key=hunter2", listener.local_addr()?);
        let routes = Router::new().route("/", post(move |Json(request)| ready(Json(self.answer(&request)))));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(url)
    }

    fn answer(self, request: &Value) -> Value {
        let behind = request["params"][1]["minContextSlot"].as_u64().is_some_and(|wanted| wanted > self.slot);
        let result = match request["method"].as_str() {
            Some("getGenesisHash") => json!("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
            Some("getMultipleAccounts") if behind => {
                let error = json!({ "code": -32016, "message": "Minimum context slot has not been reached" });
                return json!({ "jsonrpc": "2.0", "id": 1, "error": error });
            }
            Some("getMultipleAccounts") => {
                json!({ "context": { "slot": self.slot }, "value": [self.minted.then(account)] })
            }
            Some("getSignatureStatuses") => {
                let err = self.failed.then(|| json!({ "InstructionError": [2, { "Custom": 7 }] }));
                let status = json!({
                    "slot": SIGNED_AT + 1, "confirmations": null, "err": err, "confirmationStatus": "finalized",
                });
                let known = self.failed || self.minted;
                json!({ "context": { "slot": self.slot }, "value": [known.then_some(status)] })
            }
            Some("getEpochInfo") => json!({ "absoluteSlot": self.slot, "blockHeight": self.slot }),
            Some("getSignaturesForAddress") => json!([{ "signature": signature(), "err": null }]),
            Some("getTransaction") => json!({ "slot": self.slot, "meta": {
                "err": null, "preTokenBalances": [],
                "postTokenBalances": [{
                    "mint": mint(), "owner": mint(), "uiTokenAmount": { "amount": "1" },
                }],
            }}),
            other => panic!("nobody should ask for {other:?}"),
        };
        json!({ "jsonrpc": "2.0", "id": 1, "result": result })
    }
}

/// A mint account whose authority is its master edition.
fn account() -> Value {
    let edition = NftAddresses::of(&mint(), &domain::WalletAddress::from_bytes([1; 32])).edition;
    let mut data = vec![1, 0, 0, 0];
    data.extend_from_slice(edition.as_ref());
    data.extend_from_slice(&1_u64.to_le_bytes());
    data.extend_from_slice(&[0, 1]);
    data.extend_from_slice(&[0; 36]);
    json!({
        "lamports": 1, "owner": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "data": [BASE64.encode(data), "base64"],
    })
}
