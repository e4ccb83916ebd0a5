//! A wrong master secret is noticed before anything is derived from it.

mod common;

use anyhow::Result;
use common::{code, mintctl, stderr, stdout};
use serde_json::{Value, json};
use testkit::Database;

const PAYER: &str = "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,\
    138,136,227,221,116,9,241,149,253,82,219,45,60,186,93,114,202,103,9,191,29,148,18,27,243,116,136,1,180,15,111,92]";

/// What a command came to with these secrets.
struct Told {
    code: i32,
    json: Value,
    text: String,
}

fn told(url: &str, command: &str, key_id: &str, secret: &str, retired: &str) -> Result<Told> {
    let env = [
        ("DATABASE_URL", url),
        ("MINT_PAYER_SECRET", PAYER),
        ("MINT_KEY_ID", key_id),
        ("MINT_MASTER_SECRET", secret),
        ("MINT_RETIRED_SECRETS", retired),
    ];
    let output = mintctl(&env, &[command, "--json"], b"")?;
    let text = stdout(&output) + &stderr(&output);
    Ok(Told { code: code(&output), json: serde_json::from_str(&stdout(&output)).unwrap_or_default(), text })
}

#[tokio::test]
async fn migrate_puts_secrets_on_record_and_refuses_those_that_contradict_it() -> Result<()> {
    let database = Database::fresh().await;
    let url = database.url();
    let (first, second) = ("17".repeat(32), "18".repeat(32));
    let migrate = |key_id: &str, secret: &str, retired: &str| told(&url, "migrate", key_id, secret, retired);

    assert_eq!(migrate("k1", &first, "")?.json["recordedKeys"], json!(["k1"]));
    assert_eq!(migrate("k1", &first, "")?.json["recordedKeys"], json!([]));

    let wrong = migrate("k1", &second, "")?;
    assert!(
        wrong.code == 1 && wrong.text.contains("is not the one that the database knows by that name"),
        "{}",
        wrong.text
    );
    assert!(!wrong.text.contains(&second) && !wrong.text.contains(&first), "{}", wrong.text);
    let renamed = migrate("k9", &first, "")?;
    assert!(renamed.code == 1 && renamed.text.contains("k9 is on record as k1"), "{}", renamed.text);
    let forgotten = migrate("k2", &second, "")?;
    assert!(forgotten.code == 1 && forgotten.text.contains("k1 is on record and not configured"), "{}", forgotten.text);

    assert_eq!(migrate("k2", &second, &format!("k1={first}"))?.json["recordedKeys"], json!(["k2"]));
    Ok(())
}

#[tokio::test]
async fn the_doctor_knows_a_wrong_secret_and_changes_nothing() -> Result<()> {
    let database = Database::fresh().await;
    let url = database.url();
    let (first, second) = ("17".repeat(32), "18".repeat(32));
    let verdict = |secret: &str| -> Result<Value> {
        let rows = told(&url, "doctor", "k1", secret, "")?.json;
        let row = rows.as_array().into_iter().flatten().find(|row| row["what"] == "master secrets");
        Ok(row.map(|row| row["verdict"].clone()).unwrap_or_default())
    };
    assert_eq!(verdict(&first)?, "warn", "not on record yet");
    assert_eq!(verdict(&second)?, "warn", "nor was the other one put there");
    assert_eq!(told(&url, "migrate", "k1", &first, "")?.code, 0);
    assert_eq!(verdict(&first)?, "ok");
    assert_eq!(verdict(&second)?, "fail");
    Ok(())
}
