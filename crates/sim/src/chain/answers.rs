//! What an endpoint answers, by JSON-RPC method, as of the slot that it has come to. It tells no untruth; it may leave out
//! a status, and be behind.
#![expect(clippy::result_large_err, reason = "it is the client's own error type")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use solana_client::client_error::ClientErrorKind;
use solana_client::rpc_custom_error as codes;
use solana_client::rpc_request::{RpcError, RpcRequest, RpcResponseErrorData};
use solana_sdk::hash::Hash;
use solana_sdk::message::Message;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use solana_sdk::transaction::TransactionError;

use super::accounts::{self, rent};
use super::endpoint::Server;
use super::ledger::{BLOCKHASH_LIFE, CONFIRMATION, FINALITY, Landed, Ledger};
use super::program;
use super::transaction::MintTransaction;
use crate::weather::Sky;

/// The one cluster there is.
const GENESIS: &str = "11111111111111111111111111111112";
/// Statuses of older slots are in the history only.
const STATUS_CACHE: u64 = 150;
const INVALID_PARAMS: i64 = -32602;
const METHOD_NOT_FOUND: i64 = -32601;
const BALANCE: u64 = 1_000_000_000_000;
const UNITS: u64 = 120_000;
const FEE_PER_SIGNATURE: u64 = 5_000;

type Answer = Result<Value, ClientErrorKind>;

/// One call to one endpoint.
pub struct Ask<'a> {
    server: &'a Server,
    sky: &'a Sky,
    ledger: &'a mut Ledger,
    /// The newest slot that the endpoint has seen.
    seen: u64,
}

impl<'a> Ask<'a> {
    pub fn of(server: &'a Server, sky: &'a Sky, ledger: &'a mut Ledger) -> Self {
        let seen = ledger.tip().saturating_sub(server.lag());
        Self { server, sky, ledger, seen }
    }

    /// Answers.
    pub fn answer(&mut self, request: RpcRequest, params: &Value) -> Answer {
        match request {
            RpcRequest::GetGenesisHash => Ok(json!(GENESIS)),
            RpcRequest::GetRecentPrioritizationFees => Ok(json!([])),
            RpcRequest::GetMinimumBalanceForRentExemption => Ok(json!(rent(params[0].as_u64().unwrap_or(0)))),
            RpcRequest::GetFeeForMessage => self.fee(params),
            RpcRequest::GetBalance => Ok(at(self.seen, &json!(BALANCE))),
            RpcRequest::GetSlot => Ok(json!(self.slot(config(params)))),
            RpcRequest::GetEpochInfo => self.epoch_info(config(params)),
            RpcRequest::GetLatestBlockhash => self.latest_blockhash(config(params)),
            RpcRequest::IsBlockhashValid => self.is_blockhash_valid(params),
            RpcRequest::SimulateTransaction => self.simulate(params),
            RpcRequest::SendTransaction => self.send(params),
            RpcRequest::GetSignatureStatuses => self.statuses(params),
            RpcRequest::GetMultipleAccounts => self.accounts(params),
            RpcRequest::GetSignaturesForAddress => self.signatures_of(params),
            RpcRequest::GetTransaction => self.transaction(params),
            other => Err(refusal(METHOD_NOT_FOUND, format!("{other} is not simulated"))),
        }
    }

    /// The newest slot that it has seen at the commitment asked for.
    fn slot(&self, config: &Value) -> u64 {
        let commitment = config["commitment"].as_str().or_else(|| config["preflightCommitment"].as_str());
        match commitment {
            Some("processed") => self.seen,
            Some("confirmed") => self.seen - CONFIRMATION,
            _ => self.seen - FINALITY,
        }
    }

    /// That slot, if it is not before the least that the caller needs.
    fn slot_from(&self, config: &Value) -> Result<u64, ClientErrorKind> {
        let slot = self.slot(config);
        match config["minContextSlot"].as_u64() {
            Some(least) if slot < least => Err(refusal(
                codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED,
                "Minimum context slot has not been reached",
            )),
            _ => Ok(slot),
        }
    }

    fn epoch_info(&self, config: &Value) -> Answer {
        let slot = self.slot_from(config)?;
        let height = self.ledger.block(slot).map_or(0, |block| block.height);
        Ok(
            json!({ "absoluteSlot": slot, "blockHeight": height, "epoch": 0, "slotIndex": slot, "slotsInEpoch": 432_000 }),
        )
    }

    fn latest_blockhash(&self, config: &Value) -> Answer {
        let slot = self.slot_from(config)?;
        let block = self.ledger.block(slot).ok_or_else(|| refusal(INVALID_PARAMS, "no block"))?;
        let last = block.height + BLOCKHASH_LIFE;
        Ok(at(slot, &json!({ "blockhash": block.hash.to_string(), "lastValidBlockHeight": last })))
    }

    fn is_blockhash_valid(&self, params: &Value) -> Answer {
        let slot = self.slot_from(config(params))?;
        let hash: Hash = parsed(&params[0])?;
        let now = self.ledger.block(slot).map_or(0, |block| block.height);
        let valid = self.ledger.height_of(&hash, slot).is_some_and(|height| height + BLOCKHASH_LIFE >= now);
        Ok(at(slot, &json!(valid)))
    }

    fn fee(&self, params: &Value) -> Answer {
        let slot = self.slot(config(params));
        let message: Message =
            bincode::deserialize(&bytes(&params[0])?).map_err(|error| refusal(INVALID_PARAMS, error.to_string()))?;
        let fee = u64::from(message.header.num_required_signatures) * FEE_PER_SIGNATURE;
        let known = self.ledger.height_of(&message.recent_blockhash, slot).is_some();
        Ok(at(slot, &json!(known.then_some(fee))))
    }

    /// Whatever it does, it uses the same units.
    fn simulate(&self, params: &Value) -> Answer {
        let config = config(params);
        let slot = self.slot(config);
        let transaction = MintTransaction::read_unsigned(&bytes(&params[0])?);
        let transaction = transaction.map_err(|error| refusal(INVALID_PARAMS, error))?;
        let made = match program::run(&transaction, |mint| self.ledger.found(mint, slot)) {
            Ok(made) => made,
            Err(error) => return Ok(at(slot, &json!({ "err": error, "unitsConsumed": UNITS }))),
        };
        let account = |wanted: &Pubkey| {
            let mut accounts = made.iter().flat_map(|nft| nft.addresses().map(|(address, kind)| (address, nft, kind)));
            accounts.find(|(address, ..)| address == wanted).map(|(_, nft, kind)| nft.account(kind))
        };
        let accounts: Option<Vec<_>> = match &config["accounts"]["addresses"] {
            Value::Null => None,
            addresses => Some(list(addresses)?.iter().map(account).collect()),
        };
        Ok(at(slot, &json!({ "err": null, "unitsConsumed": UNITS, "accounts": accounts })))
    }

    fn send(&mut self, params: &Value) -> Answer {
        let config = config(params);
        let wire = bytes(&params[0])?;
        let transaction = self.ledger.read(&wire).map_err(|error| refusal(INVALID_PARAMS, error))?;
        if config["skipPreflight"] != true {
            let slot = self.slot_from(config)?;
            if let Some(error) = self.ledger.try_out(&transaction, slot) {
                return Err(preflight(&error));
            }
        }
        self.ledger.take(&transaction);
        Ok(json!(transaction.signature.to_string()))
    }

    fn statuses(&mut self, params: &Value) -> Answer {
        let history = config(params)["searchTransactionHistory"] == true;
        let signatures: Vec<Signature> = list(&params[0])?;
        let statuses: Vec<_> = signatures.iter().map(|signature| self.status(signature, history)).collect();
        Ok(at(self.seen, &json!(statuses)))
    }

    fn status(&self, signature: &Signature, history: bool) -> Value {
        let known = self.known(signature).filter(|landed| history || landed.slot + STATUS_CACHE >= self.seen);
        let Some(landed) = known.filter(|_| !self.server.omits_status()) else { return Value::Null };
        let depth = self.seen - landed.slot;
        let (commitment, confirmations) = match depth {
            depth if depth >= FINALITY => ("finalized", Value::Null),
            depth if depth >= CONFIRMATION => ("confirmed", json!(depth)),
            depth => ("processed", json!(depth)),
        };
        json!({
            "slot": landed.slot, "confirmations": confirmations, "err": landed.error,
            "confirmationStatus": commitment,
        })
    }

    /// What it knows of a transaction, and does not deny.
    fn known(&self, signature: &Signature) -> Option<&Landed> {
        let landed = self.ledger.landed(signature)?;
        let hidden = !self.sky.is_clear() && self.seen < landed.hidden_until;
        (landed.slot <= self.seen && !hidden).then_some(landed)
    }

    fn accounts(&self, params: &Value) -> Answer {
        let slot = self.slot_from(config(params))?;
        let addresses: Vec<Pubkey> = list(&params[0])?;
        let account = |address: &Pubkey| match self.ledger.account(address, slot) {
            Some((nft, kind)) => Some(nft.account(kind)),
            None => self.ledger.gift(address, slot).map(accounts::gift),
        };
        let accounts: Vec<_> = addresses.iter().map(account).collect();
        Ok(at(slot, &json!(accounts)))
    }

    fn signatures_of(&self, params: &Value) -> Answer {
        let slot = self.slot(config(params));
        let landed = self.ledger.transactions_of(&parsed(&params[0])?, slot);
        let found = landed.iter().filter(|_| !self.server.omits_status()).map(
            |landed| json!({ "signature": landed.transaction.signature.to_string(), "slot": landed.slot, "err": landed.error }),
        );
        Ok(found.collect())
    }

    fn transaction(&self, params: &Value) -> Answer {
        let slot = self.slot(config(params));
        let signature: Signature = parsed(&params[0])?;
        let landed = self.known(&signature).filter(|landed| landed.slot <= slot && !self.server.omits_status());
        let Some(landed) = landed else { return Ok(Value::Null) };
        let minted = landed.transaction.creations().filter_map(|creation| self.ledger.nft(&creation.mint, slot));
        let balances: Vec<_> = minted
            .filter(|nft| nft.signature == signature)
            .map(|nft| {
                json!({
                    "mint": nft.creation.mint.to_string(), "owner": nft.owner.to_string(),
                    "uiTokenAmount": { "amount": "1" },
                })
            })
            .collect();
        let meta = json!({ "err": landed.error, "preTokenBalances": [], "postTokenBalances": balances });
        Ok(json!({ "slot": landed.slot, "meta": meta }))
    }
}

/// A value, and the slot it was read at.
fn at(slot: u64, value: &Value) -> Value {
    json!({ "context": { "slot": slot }, "value": value })
}

/// The last object among the parameters.
fn config(params: &Value) -> &Value {
    static NONE: Value = Value::Null;
    params.as_array().and_then(|params| params.iter().rfind(|param| param.is_object())).unwrap_or(&NONE)
}

fn bytes(value: &Value) -> Result<Vec<u8>, ClientErrorKind> {
    let decoded = value.as_str().and_then(|text| BASE64.decode(text).ok());
    decoded.ok_or_else(|| refusal(INVALID_PARAMS, "invalid base64"))
}

fn parsed<T: std::str::FromStr>(value: &Value) -> Result<T, ClientErrorKind> {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| refusal(INVALID_PARAMS, format!("Invalid param: {value}")))
}

fn list<T: std::str::FromStr>(value: &Value) -> Result<Vec<T>, ClientErrorKind> {
    let values = value.as_array().ok_or_else(|| refusal(INVALID_PARAMS, "Invalid params: no list"))?;
    values.iter().map(parsed).collect()
}

fn refusal(code: i64, message: impl Into<String>) -> ClientErrorKind {
    RpcError::RpcResponseError { code, message: message.into(), data: RpcResponseErrorData::Empty }.into()
}

fn preflight(error: &TransactionError) -> ClientErrorKind {
    let result = json!({ "err": error, "logs": [] });
    let data = serde_json::from_value(result)
        .map_or(RpcResponseErrorData::Empty, RpcResponseErrorData::SendTransactionPreflightFailure);
    RpcError::RpcResponseError {
        code: codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
        message: format!("Transaction simulation failed: {error}"),
        data,
    }
    .into()
}
