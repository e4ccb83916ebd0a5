//! The command as people and scripts run it: against a real database and a real broker, each test with its own.

mod common;

use anyhow::{Context, Result};
use common::{code, mintctl, stderr, stdout};
use domain::{Clock, State, Topic};
use domain::{Failure, OperationId, SystemClock, Transition};
use engine::{Commit, Inserted, OperationStore};
use kafka::{Admin, KafkaSettings};
use serde_json::Value;
use store::{PoolSettings, Store};
use testkit::{Database, event, new_operation, operation_id};

const PASSWORD: &str = "hunter2hunter2";

fn document(output: &std::process::Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout).with_context(|| format!("{}{}", stdout(output), stderr(output)))
}

#[test]
fn missing_configuration_is_named_whole_and_nothing_is_done() -> Result<()> {
    let output = mintctl(&[("KAFKA_SECURITY_PROTOCOL", "sasl_ssl")], &["topics"], b"")?;
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    for problem in ["missing KAFKA_BROKERS", "missing KAFKA_SASL_USERNAME", "missing KAFKA_SASL_PASSWORD"] {
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
    assert_eq!(code(&mintctl(&[], &["status", "7"], b"")?), 2, "not an id");
    assert_eq!(code(&mintctl(&[], &["submit", "--wallet", "11111111111111111111111111111112"], b"")?), 2);
    Ok(())
}

#[test]
fn policies_are_those_of_the_environment() -> Result<()> {
    let attempts = |env: &[(&str, &str)]| -> Result<Option<u64>> {
        let rows = document(&mintctl(env, &["policies", "--json"], b"")?)?;
        let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == "image-upload"));
        Ok(row.and_then(|row| row["attempts"].as_u64()))
    };
    assert_eq!(attempts(&[])?, Some(5));
    assert_eq!(attempts(&[("IPFS_RETRY_ATTEMPTS", "7")])?, Some(7));
    assert_eq!(code(&mintctl(&[("SOLANA_TIMEOUT_MS", "soon")], &["policies"], b"")?), 2);
    let table = stdout(&mintctl(&[], &["policies"], b"")?);
    assert!(table.contains("transaction-submission") && table.contains("2 s, 4 s"), "{table}");
    Ok(())
}

#[test]
fn a_password_is_never_shown() -> Result<()> {
    let url = format!("postgres://mintfleet:{PASSWORD}@127.0.0.1:1/none");
    let env = [("DATABASE_URL", url.as_str()), ("KAFKA_BROKERS", "127.0.0.1:1")];
    let commands = [&["migrate"][..], &["list", "--json"], &["doctor"], &["doctor", "--json"], &["-v", "migrate"]];
    // Side by side, for each waits for a connection in vain.
    std::thread::scope(|scope| {
        let running = commands.map(|arguments| scope.spawn(move || mintctl(&env, arguments, b"")));
        for command in running {
            let output = command.join().map_err(|_| anyhow::anyhow!("a panic"))??;
            assert_eq!(code(&output), 1, "{}", stderr(&output));
            let shown = stdout(&output) + &stderr(&output);
            assert!(!shown.contains(PASSWORD), "{shown}");
        }
        Ok(())
    })
}

#[test]
fn an_airdrop_with_bad_rows_names_them_all_and_publishes_nothing() -> Result<()> {
    let wallet = |last: char| format!(r#"{{"walletAddress":"1111111111111111111111111111111{last}"}}"#);
    let airdrop = |input: &str| {
        let flags = ["airdrop", "-", "--campaign", "spring", "--name", "Ape", "--image", "asset:a.png"];
        // Without a broker: it would be missed only if something were to be published.
        mintctl(&[("KAFKA_BROKERS", "127.0.0.1:1")], &flags, input.as_bytes())
    };
    let bad = airdrop(&format!("{}\n{}\n{{}}\n{}\n", wallet('2'), wallet('3'), wallet('2')))?;
    assert_eq!((code(&bad), stdout(&bad).as_str()), (1, ""));
    for part in ["line 3: not-a-row: missing field `walletAddress`", "line 4: duplicate-row", "nothing was published"] {
        assert!(stderr(&bad).contains(part), "{part}: {}", stderr(&bad));
    }
    let dry = ["airdrop", "-", "--campaign", "spring", "--name", "Ape", "--image", "asset:a.png", "--dry-run"];
    let rows = format!("{}\n\n{}\n", wallet('2'), wallet('3'));
    let [once, again] = [mintctl(&[], &dry, rows.as_bytes())?, mintctl(&[], &dry, rows.as_bytes())?];
    assert_eq!((code(&once), stdout(&once).lines().count()), (0, 2), "{}", stderr(&once));
    assert_eq!(stdout(&once), stdout(&again), "the same rows are the same operations");
    Ok(())
}

#[test]
fn a_dry_run_checks_lines_without_any_broker() -> Result<()> {
    let good = event(operation_id(1), "Quant Ape").replace('\n', " ");
    let input = format!("{good}\n{{\n\n{}\n{good}\n", good.replace("\"Quant Ape\"", "\"\""));
    let output = mintctl(&[], &["submit", "--file", "-", "--dry-run", "--json"], input.as_bytes())?;
    assert_eq!(code(&output), 1);
    let lines: Vec<Value> = stdout(&output).lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let seen: Vec<_> = lines.iter().map(|line| (line["line"].as_u64(), line["error"]["code"].as_str())).collect();
    assert_eq!(
        seen,
        [(Some(1), None), (Some(2), Some("not-json")), (Some(4), Some("invalid-content")), (Some(5), None)]
    );
    let plain = mintctl(&[], &["submit", "--file", "-", "--dry-run"], input.as_bytes())?;
    assert!(stderr(&plain).contains("line 4: invalid-content: nft.name is empty"), "{}", stderr(&plain));
    assert_eq!(stdout(&plain).lines().count(), 2, "the ids alone");
    Ok(())
}

#[tokio::test]
async fn topics_are_created_once_and_differences_told() -> Result<()> {
    let (brokers, prefix) = (testkit::kafka_brokers(), testkit::unique_prefix("mintctl-topics"));
    let env = [("KAFKA_BROKERS", brokers.as_str()), ("KAFKA_TOPIC_PREFIX", prefix.as_str())];
    let outcomes = |arguments: &[&str]| -> Result<(i32, Vec<String>)> {
        let output = mintctl(&env, arguments, b"")?;
        let topics = document(&output)?;
        let topics = topics.as_array().context("a list")?;
        let outcomes = topics.iter().map(|topic| topic["outcome"].as_str().unwrap_or_default().to_owned());
        Ok((code(&output), outcomes.collect()))
    };
    let all = |word: &str| vec![word.to_owned(); 22];
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "1", "--dry-run"])?, (0, all("missing")));
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "1"])?, (0, all("created")));
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "1"])?, (0, all("exists")));
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "1", "--dry-run"])?, (0, all("exists")));
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "2"])?, (1, all("differs")));
    assert_eq!(outcomes(&["topics", "--json", "--partitions", "2", "--dry-run"])?, (1, all("differs")));
    Ok(())
}

#[tokio::test]
async fn what_is_submitted_lies_in_the_topic() -> Result<()> {
    let (brokers, prefix) = (testkit::kafka_brokers(), testkit::unique_prefix("mintctl-submit"));
    let env = [("KAFKA_BROKERS", brokers.as_str()), ("KAFKA_TOPIC_PREFIX", prefix.as_str())];
    assert_eq!(code(&mintctl(&env, &["topics", "--partitions", "1"], b"")?), 0);

    let mut input = String::from("not an event\n");
    for number in 0..300 {
        input += &(event(operation_id(number), "Quant Ape").replace('\n', " ") + "\n");
    }
    let output = mintctl(&env, &["submit", "--file", "-"], input.as_bytes())?;
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("line 1: not-json"), "{}", stderr(&output));
    let ids: Vec<OperationId> = stdout(&output).lines().map(str::parse).collect::<Result<_, _>>()?;
    assert_eq!(ids, (0..300).map(operation_id).collect::<Vec<_>>());

    let arguments = ["submit", "--wallet", "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin", "--name", "One", "--image"];
    let arguments = [&arguments[..], &["asset:a.png", "--attribute", "Level=2", "--priority", "critical"]].concat();
    let output = mintctl(&env, &arguments, b"")?;
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).trim().parse::<OperationId>().is_ok());

    let settings = KafkaSettings { topic_prefix: prefix.clone(), ..KafkaSettings::new(brokers.clone(), "test") };
    let lag = Admin::connect(&settings)?.lag("nobody", &[Topic::Operations.name(&prefix)]).await?;
    assert_eq!(lag.iter().map(kafka::PartitionLag::records).sum::<i64>(), 301);
    Ok(())
}

async fn insert(store: &Store, number: u64) -> Result<domain::Operation> {
    let operation = new_operation(operation_id(number), SystemClock.now());
    match store.insert(&[operation]).await?.remove(0) {
        Inserted::Present(operation) => Ok(*operation),
        Inserted::Conflict => anyhow::bail!("a conflict"),
    }
}

#[tokio::test]
async fn operations_are_shown_listed_and_watched() -> Result<()> {
    let database = Database::fresh().await;
    let url = database.url();
    let env = [("DATABASE_URL", url.as_str())];
    assert_eq!(document(&mintctl(&env, &["migrate", "--json"], b"")?)?["changed"], false);
    assert_eq!(code(&mintctl(&env, &["list"], b"")?), 3, "nothing there");
    let unknown = operation_id(99).to_string();
    assert_eq!(code(&mintctl(&env, &["status", &unknown], b"")?), 3);

    let store = Store::connect(&PoolSettings { min_connections: 0, ..PoolSettings::new(url.clone()) }).await?;
    let (open, failed) = (insert(&store, 1).await?, insert(&store, 2).await?);
    let failure = Failure::permanent("not-an-image", "the source holds no image");
    let failed_id = failed.id.to_string();
    let transition = Transition::Failed { failure, decided: None };
    store.commit(&[Commit { operation: failed, transition }]).await?;
    let open_id = open.id.to_string();

    let shown = document(&mintctl(&env, &["status", &failed_id, "--json"], b"")?)?;
    assert_eq!(shown["state"], "FAILED");
    assert_eq!(shown["error"]["code"], "not-an-image");
    assert_eq!(shown["attempts"], 1);
    assert!(shown["milestones"]["failed"].is_string() && !shown["history"].as_array().context("history")?.is_empty());
    let plain = mintctl(&env, &["status", &failed_id], b"")?;
    assert!(stdout(&plain).contains("the source holds no image"), "{}", stdout(&plain));

    let listed = document(&mintctl(&env, &["list", "--json", "--state", "failed", "--since", "1h"], b"")?)?;
    let ids: Vec<_> = listed.as_array().context("a list")?.iter().map(|one| one["operationId"].as_str()).collect();
    assert_eq!(ids, [Some(failed_id.as_str())]);
    assert_eq!(document(&mintctl(&env, &["list", "--json"], b"")?)?.as_array().map(Vec::len), Some(2));
    assert_eq!(code(&mintctl(&env, &["list", "--needs-review"], b"")?), 3);

    let ended = mintctl(&env, &["watch", &failed_id, "--json"], b"")?;
    assert_eq!(code(&ended), 1, "it failed");
    assert_eq!(document(&ended)?["state"], State::Failed.as_str());
    let waiting = mintctl(&env, &["watch", &open_id, &unknown, "--timeout", "1s"], b"")?;
    assert_eq!(code(&waiting), 1);
    assert!(stderr(&waiting).contains("1 in work, 1 not known"), "{}", stderr(&waiting));
    Ok(())
}

#[tokio::test]
async fn the_doctor_has_a_row_for_everything() -> Result<()> {
    let database = Database::fresh().await;
    let (url, brokers) = (database.url(), testkit::kafka_brokers());
    let prefix = testkit::unique_prefix("mintctl-doctor");
    let env = [
        ("DATABASE_URL", url.as_str()),
        ("KAFKA_BROKERS", brokers.as_str()),
        ("KAFKA_TOPIC_PREFIX", prefix.as_str()),
        ("SOLANA_RPC_ENDPOINTS", "gone=http://127.0.0.1:1/?api-key=hunter2hunter2"),
        ("PINATA_API_URL", "http://127.0.0.1:1"),
        ("PINATA_API_KEY", PASSWORD),
        ("IPFS_GATEWAYS", "http://127.0.0.1:1"),
    ];
    let output = mintctl(&env, &["doctor", "--json"], b"")?;
    assert_eq!(code(&output), 1);
    assert!(!stdout(&output).contains(PASSWORD), "{}", stdout(&output));
    let rows = document(&output)?;
    let verdict = |what: &str| {
        let rows = rows.as_array().into_iter().flatten();
        let row = rows.clone().find(|row| row["what"].as_str().is_some_and(|name| name.starts_with(what)));
        row.and_then(|row| row["verdict"].as_str()).unwrap_or("no row").to_owned()
    };
    assert_eq!(verdict("database"), "ok", "{rows:#}");
    assert_eq!(verdict("database schema"), "ok", "{rows:#}");
    assert_eq!(verdict("kafka"), "ok", "{rows:#}");
    assert_eq!(verdict("kafka topics"), "fail", "{rows:#}");
    assert_eq!(verdict("solana gone"), "fail", "{rows:#}");
    assert_eq!(verdict("mint keys"), "fail", "{rows:#}");
    assert_eq!(verdict("pinata"), "fail", "{rows:#}");
    assert_eq!(verdict("gateway"), "fail", "{rows:#}");
    Ok(())
}
