//! Accounts as they were at the end of a slot, in the place of what they are.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use solana_account_decoder::{UiAccountEncoding, UiDataSliceConfig, encode_ui_account};
use solana_sdk::pubkey::Pubkey;
use surfpool_core::solana_account::Account;

use crate::chain::History;

/// A slot, and how whoever asks wants to see its accounts.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub history: &'a History,
    pub slot: u64,
    pub config: Option<&'a Value>,
}

impl At<'_> {
    /// Puts what the account was in the place of an account; `encoding` where none is asked for.
    pub(super) fn account(self, account: &mut Value, address: &Value, encoding: UiAccountEncoding) {
        let Some(address) = pubkey(address) else { return };
        if let Some(former) = self.history.formerly(&address, self.slot) {
            let existed = former.lamports > 0;
            *account = if existed { self.encoded(&address, &former, encoding) } else { Value::Null };
        }
    }

    /// The same for its lamports alone.
    pub(super) fn balance(self, lamports: &mut Value, address: &Value) {
        if let Some(former) = pubkey(address).and_then(|address| self.history.formerly(&address, self.slot)) {
            *lamports = json!(former.lamports);
        }
    }

    /// The same for a list of accounts, out of which those fall that were not there yet, or not that program's.
    pub(super) fn accounts_of(self, result: &mut Value, program: Option<&Value>) {
        let list = if result.is_array() { result } else { &mut result["value"] };
        let Some(list) = list.as_array_mut() else { return };
        list.retain_mut(|item| {
            let Some(address) = pubkey(&item["pubkey"]) else { return true };
            let Some(former) = self.history.formerly(&address, self.slot) else { return true };
            item["account"] = self.encoded(&address, &former, UiAccountEncoding::Binary);
            former.lamports > 0 && program.is_none_or(|program| program == &former.owner.to_string())
        });
    }

    fn encoded(self, address: &Pubkey, account: &Account, encoding: UiAccountEncoding) -> Value {
        let encoding = self.option("encoding").unwrap_or(encoding);
        let slice: Option<UiDataSliceConfig> = self.option("dataSlice");
        json!(encode_ui_account(address, account, encoding, None, slice))
    }

    fn option<T: DeserializeOwned>(self, name: &str) -> Option<T> {
        serde_json::from_value(self.config?.get(name)?.clone()).ok()
    }
}

fn pubkey(address: &Value) -> Option<Pubkey> {
    address.as_str()?.parse().ok()
}
