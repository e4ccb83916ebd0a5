//! What PostgreSQL itself refuses, whoever asks.

use domain::{Operation, State};

use crate::support::{Fixture, submitted};

/// A row that stands in `state`, put there past the triggers.
async fn planted(fixture: &Fixture, number: u64, state: State) -> String {
    let id = testkit::operation_id(number).to_string();
    fixture
        .must_execute(format!(
            "INSERT INTO minting_operations (
                 id, kind, user_id, wallet, content, content_hash, priority, event_at, state, version)
             VALUES ('{id}', 'unlock', 'u', 'w', '{{}}', decode(repeat('00', 32), 'hex'), 'normal', now(), '{state}', 5)"
        ))
        .await;
    id
}

#[tokio::test]
async fn the_trigger_knows_the_same_transitions_as_the_domain() {
    let fixture = Fixture::new().await;
    fixture.must_execute("ALTER TABLE minting_operations DISABLE TRIGGER beginning").await;
    let mut number = 0;
    for from in State::ALL {
        for to in State::ALL {
            number += 1;
            let id = planted(&fixture, number, from).await;
            let change = "version = version + 1";
            let typed =
                fixture.execute(format!("UPDATE minting_operations SET state = '{to}', {change} WHERE id = '{id}'"));
            match typed.await {
                Ok(rows) => assert!(rows == 1 && from.may_become(to), "{from} to {to} was let through"),
                Err(message) => {
                    assert!(!from.may_become(to), "{from} to {to} was refused: {message}");
                    assert!(message.contains(&format!("operation {id} may not go from {from} to {to}")), "{message}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_version_is_raised_by_one_and_only_by_a_transition() {
    let fixture = Fixture::new().await;
    let id = fixture.inserted(1).await.id;
    for (change, reason) in [
        ("state = 'FAILED'", "goes from INITIATED to FAILED with version 2, not 1"),
        ("state = 'FAILED', version = 3", "goes from INITIATED to FAILED with version 2, not 3"),
        ("version = 2", "may not go from INITIATED to INITIATED"),
        ("state = 'NO_SUCH_STATE', version = 2", "may not go from INITIATED to NO_SUCH_STATE"),
    ] {
        let refusal = fixture.execute(format!("UPDATE minting_operations SET {change} WHERE id = '{id}'")).await;
        assert!(refusal.as_ref().is_err_and(|message| message.contains(reason)), "{change}: {refusal:?}");
    }
}

#[tokio::test]
async fn an_operation_begins_as_initiated() {
    let fixture = Fixture::new().await;
    let refusal = fixture
        .execute(
            "INSERT INTO minting_operations (id, kind, user_id, wallet, content, content_hash, priority, event_at, state)
             VALUES (gen_random_uuid(), 'unlock', 'u', 'w', '{}', decode(repeat('00', 32), 'hex'), 'normal', now(),
                     'VERIFIED')",
        )
        .await;
    assert!(refusal.is_err_and(|message| message.contains("may not begin as VERIFIED with version 1")));
}

#[tokio::test]
async fn what_is_frozen_stays() {
    let fixture = Fixture::with_contents().await;
    let Operation { id, .. } = fixture.standing(1, State::BlockchainSubmitted).await;
    for (column, value) in [
        ("id", "gen_random_uuid()"),
        ("kind", "'airdrop'"),
        ("user_id", "'somebody else'"),
        ("wallet", "'another'"),
        ("content", "content || '{\"nft\": {}}'"),
        ("content_hash", "decode(repeat('ff', 32), 'hex')"),
        ("priority", "'critical'"),
        ("event_at", "now()"),
        ("mint_address", "'another'"),
        ("mint_address", "NULL"),
    ] {
        let sql = format!("UPDATE minting_operations SET {column} = {value} WHERE id = '{id}'");
        let refusal = fixture.execute(sql).await;
        let expected = format!("operation {id}: frozen columns may not change: {column}");
        assert!(refusal.as_ref().is_err_and(|message| message.contains(&expected)), "{column}: {refusal:?}");
    }
    let harmless = format!("UPDATE minting_operations SET wakes = wakes + 1, kind = kind WHERE id = '{id}'");
    assert_eq!(fixture.execute(harmless).await, Ok(1));
}

#[tokio::test]
async fn history_and_attempts_are_not_rewritten() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    fixture.advance(&operation, submitted(1, 0, None)).await;
    for (sql, reason) in [
        ("UPDATE operation_events SET at = now()", "operation_events is append-only: no UPDATE"),
        ("DELETE FROM operation_events", "operation_events is append-only: no DELETE"),
        ("DELETE FROM mint_attempts", "mint_attempts is append-only: no DELETE"),
        ("UPDATE mint_attempts SET wire = '\\x00'", "what was signed is frozen"),
    ] {
        let refusal = fixture.execute(sql).await;
        assert!(refusal.as_ref().is_err_and(|message| message.contains(reason)), "{sql}: {refusal:?}");
    }
    let decide = "UPDATE mint_attempts SET verdict = 'expired', decided_at = now()";
    assert_eq!(fixture.execute(decide).await, Ok(1));
    assert!(fixture.execute("UPDATE mint_attempts SET verdict = NULL, decided_at = NULL").await.is_err());
}

#[tokio::test]
async fn a_typed_transition_begins_its_step_anew_and_bookkeeping_is_no_transition() {
    let fixture = Fixture::new().await;
    let Operation { id, .. } = fixture.inserted(1).await;
    fixture
        .must_execute(
            "UPDATE minting_operations SET attempts = 3, wakes = 2, next_attempt_at = now(), claimed_until = now(),
                    requested_at = now()",
        )
        .await;
    assert_eq!((fixture.load(id).await.attempts, fixture.load(id).await.version), (3, 1));
    fixture.must_execute("UPDATE minting_operations SET state = 'FAILED', version = 2").await;
    let anew = "UPDATE minting_operations SET wakes = 0 WHERE attempts = 0 AND wakes = 0
                AND num_nonnulls(next_attempt_at, claimed_until, requested_at) = 0";
    assert_eq!(fixture.execute(anew).await, Ok(1));
}

#[tokio::test]
async fn counts_are_not_negative() {
    let fixture = Fixture::new().await;
    fixture.inserted(1).await;
    for column in ["attempts", "wakes"] {
        let refusal = fixture.execute(format!("UPDATE minting_operations SET {column} = -1")).await;
        assert!(refusal.is_err_and(|message| message.contains("check constraint")), "{column}");
    }
}
