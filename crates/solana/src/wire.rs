//! The replies of the RPC methods that are used, as far as they are read. Lenient on purpose: providers add and leave
//! out fields that nobody here needs.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Context {
    pub slot: u64,
}

/// A value and the slot it was read at.
#[derive(Debug, Deserialize)]
pub(crate) struct At<T> {
    pub context: Context,
    pub value: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LatestBlockhash {
    pub blockhash: String,
    pub last_valid_block_height: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EpochInfo {
    pub absolute_slot: u64,
    pub block_height: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrioritizationFee {
    pub prioritization_fee: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Simulation {
    pub err: Option<Value>,
    pub units_consumed: Option<u64>,
    /// As the transaction would leave them, where they were asked for.
    #[serde(default)]
    pub accounts: Option<Vec<Option<SimulatedAccount>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SimulatedAccount {
    pub lamports: u64,
    /// Bytes of its data.
    pub space: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub slot: u64,
    pub confirmations: Option<u64>,
    pub err: Option<Value>,
    #[serde(rename = "confirmationStatus")]
    pub commitment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireAccount {
    pub lamports: u64,
    pub owner: String,
    /// Content and its encoding, which is always base64.
    pub data: (String, String),
}

/// An account in a list; its address stands beside it.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedAccount {
    pub account: WireAccount,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SignatureOfAddress {
    pub signature: String,
    pub err: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Transaction {
    pub slot: u64,
    pub meta: Option<TransactionMeta>,
    #[serde(default, rename = "transaction")]
    pub signed: SignedMessage,
}

impl Transaction {
    /// Every account that it names, as its instructions count them.
    pub fn keys(&self) -> Vec<&String> {
        let loaded = self.meta.as_ref().and_then(|meta| meta.loaded_addresses.as_ref());
        let loaded = loaded.into_iter().flat_map(|loaded| loaded.writable.iter().chain(&loaded.readonly));
        self.signed.message.account_keys.iter().chain(loaded).collect()
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignedMessage {
    pub message: Message,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Message {
    pub header: MessageHeader,
    pub account_keys: Vec<String>,
    pub instructions: Vec<Instruction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MessageHeader {
    pub num_required_signatures: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instruction {
    pub program_id_index: usize,
    pub accounts: Vec<usize>,
    /// In base58.
    pub data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionMeta {
    pub err: Option<Value>,
    #[serde(default)]
    pub pre_token_balances: Option<Vec<TokenBalance>>,
    #[serde(default)]
    pub post_token_balances: Option<Vec<TokenBalance>>,
    #[serde(default)]
    pub loaded_addresses: Option<LoadedAddresses>,
}

/// Accounts that a transaction names by way of a lookup table.
#[derive(Debug, Deserialize)]
pub(crate) struct LoadedAddresses {
    pub writable: Vec<String>,
    pub readonly: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenBalance {
    pub mint: String,
    pub owner: Option<String>,
    pub ui_token_amount: TokenAmount,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TokenAmount {
    pub amount: String,
}
