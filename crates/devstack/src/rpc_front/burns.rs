//! What a token account held before a transaction burned it and closed the account. surfpool leaves both token balances
//! of an account out that is gone afterwards; a cluster tells the one before.

use serde_json::{Value, json};
use spl_token_interface::ID as TOKEN_PROGRAM;
use spl_token_interface::instruction::TokenInstruction;

/// Puts what was burned back into `preTokenBalances`, in the encoding `json`.
pub(super) fn tell(transaction: &mut Value) {
    let burned: Vec<Value> =
        instructions(transaction).filter_map(|instruction| burned(transaction, instruction)).collect();
    let Some(known) = transaction.pointer_mut("/meta/preTokenBalances").and_then(Value::as_array_mut) else { return };
    for balance in burned {
        if known.iter().all(|other| other["accountIndex"] != balance["accountIndex"]) {
            known.push(balance);
        }
    }
}

/// Those of the transaction, and those that programs called each other for.
fn instructions(transaction: &Value) -> impl Iterator<Item = &Value> {
    let own = &transaction["transaction"]["message"]["instructions"];
    let inner = transaction["meta"]["innerInstructions"].as_array().into_iter().flatten();
    std::iter::once(own).chain(inner.map(|of_one| &of_one["instructions"])).filter_map(Value::as_array).flatten()
}

fn burned(transaction: &Value, instruction: &Value) -> Option<Value> {
    let key = |index: &Value| {
        transaction["transaction"]["message"]["accountKeys"].get(usize::try_from(index.as_u64()?).ok()?)
    };
    if key(&instruction["programIdIndex"])? != &TOKEN_PROGRAM.to_string() {
        return None;
    }
    let data = bs58::decode(instruction["data"].as_str()?).into_vec().ok()?;
    let (TokenInstruction::Burn { amount } | TokenInstruction::BurnChecked { amount, .. }) =
        TokenInstruction::unpack(&data).ok()?
    else {
        return None;
    };
    let [account, mint, owner] = [0, 1, 2].map(|place| &instruction["accounts"][place]);
    Some(json!({
        "accountIndex": account,
        "mint": key(mint)?,
        "owner": key(owner)?,
        "programId": TOKEN_PROGRAM.to_string(),
        "uiTokenAmount": { "amount": amount.to_string(), "decimals": 0, "uiAmountString": amount.to_string() },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_burned_and_closed_was_held_before() {
        let burn = bs58::encode(TokenInstruction::Burn { amount: 1 }.pack()).into_string();
        let mut transaction = json!({
            "transaction": { "message": {
                "accountKeys": ["owner", "mint", "account", TOKEN_PROGRAM.to_string()],
                "instructions": [{ "programIdIndex": 1, "accounts": [], "data": "1" }],
            } },
            "meta": {
                "preTokenBalances": [],
                "innerInstructions": [{ "index": 0, "instructions": [
                    { "programIdIndex": 3, "accounts": [2, 1, 0], "data": burn },
                ] }],
            },
        });
        for _ in 0..2 {
            tell(&mut transaction);
            let told = transaction["meta"]["preTokenBalances"].as_array().unwrap();
            assert_eq!(told.len(), 1);
            assert_eq!(
                (&told[0]["accountIndex"], &told[0]["owner"], &told[0]["mint"]),
                (&json!(2), &json!("owner"), &json!("mint"))
            );
            assert_eq!(told[0]["uiTokenAmount"]["amount"], "1");
        }
    }
}
