//! `mintctl op`: what a person may do to one operation, and what is refused because it could mint twice.

use anyhow::{Context, Result};
use domain::{DecidedAttempt, NftRecord, Operation, Transition, Verdict};
use serde_json::Value;
use testkit::operation_id;

use crate::chain::{Chain, OVER, SIGNED_AT, attempt, mint, signature};
use crate::common::{code, stderr, stdout};
use crate::fleet::{Fleet, hopeless};

const ABSENT: Chain = Chain { minted: false, slot: OVER, failed: false };
const EARLY: Chain = Chain { slot: SIGNED_AT + 100, ..ABSENT };
const MINTED: Chain = Chain { minted: true, ..ABSENT };

fn submitted() -> Transition {
    Transition::Submitted { mint: mint(), key_id: "1".into(), attempt: attempt(), decided: None }
}

fn expired() -> Transition {
    let decided = Some(DecidedAttempt { signature: signature(), verdict: Verdict::Expired });
    Transition::Failed { failure: domain::Failure::permanent("not-minted", "no block took it"), decided }
}

fn confirmed() -> Transition {
    Transition::Confirmed { mint: mint(), signature: signature() }
}

fn recorded(operation: &Operation) -> Transition {
    let record = NftRecord {
        mint: mint(),
        owner: operation.content.wallet_address,
        name: "Quant Ape".into(),
        symbol: "AIW3".into(),
        uri: "ipfs://x".into(),
        signature: signature(),
        slot: SIGNED_AT + 1,
    };
    Transition::DatabaseUpdated { record }
}

async fn ask(fleet: &mut Fleet, chains: &[Chain]) -> Result<()> {
    let mut urls = Vec::new();
    for (number, chain) in chains.iter().enumerate() {
        urls.push(format!("rpc-{number}={}", chain.start().await?));
    }
    fleet.set("SOLANA_RPC_ENDPOINTS", urls.join(","));
    Ok(())
}

/// `mintctl op` for machines: its exit code, its document, and what it said beside that.
fn op(fleet: &Fleet, arguments: &[&str]) -> Result<(i32, Value, String)> {
    let output = fleet.mintctl(&[&["op", "--json"], arguments].concat())?;
    let document = if output.stdout.is_empty() { Value::Null } else { serde_json::from_slice(&output.stdout)? };
    Ok((code(&output), document, stderr(&output)))
}

fn id(number: u64) -> String {
    operation_id(number).to_string()
}

async fn last_event(fleet: &Fleet, number: u64) -> Result<store::HistoryEntry> {
    let report = fleet.store.operation(operation_id(number)).await?.context("its row")?;
    report.history.last().cloned().context("its history")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_fails_by_hand_while_its_transaction_may_still_mint() -> Result<()> {
    let mut fleet = Fleet::new("fail-open").await?;
    let before = fleet.standing(1, vec![submitted()]).await?;
    let fail = ["fail", &id(1), "--reason", "the user left"];
    for (chains, why) in [
        (vec![EARLY, EARLY], "may still mint it"),
        (vec![ABSENT, EARLY], "may still mint it"),
        (vec![MINTED, EARLY], "its NFT exists"),
        // An endpoint that does not see the status, and one whose finalized state has the mint.
        (vec![ABSENT, MINTED], "its NFT exists"),
    ] {
        ask(&mut fleet, &chains).await?;
        let (exit, document, said) = op(&fleet, &fail)?;
        assert_eq!((exit, &document["outcome"]), (1, &"refused".into()), "{said}");
        assert!(said.contains(why), "{why}: {said}");
        assert_eq!(fleet.operation(1).await?.version, before.version, "{why}");
    }
    fleet.set("SOLANA_RPC_ENDPOINTS", "http://127.0.0.1:1/?api-key=hunter2");
    let (exit, _, said) = op(&fleet, &fail)?;
    assert!(exit == 1 && said.contains("may still mint it") && !said.contains("hunter2"), "{said}");

    ask(&mut fleet, &[ABSENT, ABSENT]).await?;
    let (exit, document, said) = op(&fleet, &[&fail[..], &["--by", "anna@ops"]].concat())?;
    assert_eq!((exit, &document["state"]), (0, &"FAILED".into()), "{said}");
    let report = fleet.store.operation(operation_id(1)).await?.context("its row")?;
    assert_eq!(report.attempts[0].verdict, Some(Verdict::Expired), "decided first, as the minter would");
    let event = last_event(&fleet, 1).await?;
    assert_eq!((&event.detail["by"], &event.detail["reason"]), (&"anna@ops".into(), &"the user left".into()));
    let failure = report.operation.failure.context("its failure")?;
    assert_eq!((&*failure.code, failure.message.as_str()), ("failed-by-hand", "anna@ops: the user left"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_on_chain_for_good_is_decided_as_that() -> Result<()> {
    let mut fleet = Fleet::new("fail-failed").await?;
    fleet.standing(1, vec![submitted()]).await?;
    ask(&mut fleet, &[Chain { failed: true, ..ABSENT }]).await?;
    let (exit, _, said) = op(&fleet, &["force", &id(1), "FAILED", "--reason", "enough"])?;
    assert_eq!(exit, 0, "{said}");
    let report = fleet.store.operation(operation_id(1)).await?.context("its row")?;
    assert_eq!(report.attempts[0].verdict, Some(Verdict::FailedOnChain));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_signed_fails_without_asking_and_what_exists_never_does() -> Result<()> {
    let fleet = Fleet::new("fail-plain").await?;
    fleet.standing(1, vec![]).await?;
    let fail = |number: u64| ["fail".to_owned(), id(number), "--reason".into(), "a test".into()];
    let run = |number| {
        let arguments = fail(number);
        op(&fleet, &arguments.each_ref().map(String::as_str))
    };
    assert_eq!(run(1)?.0, 0, "no endpoint is configured, and none is needed");
    let by = last_event(&fleet, 1).await?.detail["by"].as_str().unwrap_or_default().to_owned();
    assert!(by.contains('@'), "user and host: {by}");
    assert!(run(1)?.2.contains("it is FAILED already"));

    let confirmed = fleet.standing(2, vec![submitted(), confirmed()]).await?;
    let (exit, _, said) = run(2)?;
    assert!(exit == 1 && said.contains("an NFT exists"), "{said}");
    assert_eq!(fleet.operation(2).await?.version, confirmed.version);
    assert_eq!(run(99)?.0, 3, "no such operation");
    assert_eq!(op(&fleet, &["fail", &id(1), "--reason", " "])?.0, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_only_to_what_the_chain_shows() -> Result<()> {
    let mut fleet = Fleet::new("force-forward").await?;
    fleet.standing(1, vec![submitted()]).await?;
    let force =
        |number: u64, state: &str| ["force", &id(number), state, "--reason", "seen in the explorer"].map(str::to_owned);
    let run = |fleet: &Fleet, number, state| {
        let arguments = force(number, state);
        op(fleet, &arguments.each_ref().map(String::as_str))
    };
    ask(&mut fleet, &[ABSENT, ABSENT]).await?;
    let (exit, _, said) = run(&fleet, 1, "BLOCKCHAIN_CONFIRMED")?;
    assert!(exit == 1 && said.contains("does not show its NFT"), "{said}");
    ask(&mut fleet, &[ABSENT, MINTED]).await?;
    let (exit, document, said) = run(&fleet, 1, "blockchain-confirmed")?;
    assert_eq!((exit, &document["state"]), (0, &"BLOCKCHAIN_CONFIRMED".into()), "{said}");
    let operation = fleet.operation(1).await?;
    assert_eq!(operation.signature, Some(signature()));

    for (state, why) in [
        ("VERIFIED", "from BLOCKCHAIN_CONFIRMED it goes to DATABASE_UPDATED"),
        ("DATABASE_UPDATED", "written from the chain by the verifier"),
        ("BLOCKCHAIN_SUBMITTED", "nobody else"),
        ("BLOCKCHAIN_CONFIRMED", "already"),
        ("INITIATED", "no operation goes from"),
    ] {
        let (exit, _, said) = run(&fleet, 1, state)?;
        assert!(exit == 1 && said.contains(why), "{state}: {said}");
    }
    let recorded = recorded(&operation);
    let other = fleet.advance(&operation, recorded).await?;
    ask(&mut fleet, &[ABSENT, ABSENT]).await?;
    assert_eq!(run(&fleet, 1, "VERIFIED")?.0, 1, "an NFT that is not there is not verified");
    ask(&mut fleet, &[MINTED]).await?;
    let (exit, _, said) = run(&fleet, 1, "VERIFIED")?;
    assert_eq!(exit, 0, "{said}");
    assert_eq!(fleet.operation(1).await?.version, other.version + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_asks_the_chain_first_and_keeps_to_its_terms() -> Result<()> {
    let mut fleet = Fleet::new("retry").await?;
    fleet.standing(1, vec![submitted(), expired()]).await?;
    let failed = fleet.operation(1).await?;
    ask(&mut fleet, &[ABSENT, EARLY]).await?;
    let (exit, _, said) = op(&fleet, &["retry", &id(1)])?;
    assert!(exit == 1 && said.contains("is not known"), "{said}");
    assert_eq!(fleet.operation(1).await?, failed);

    ask(&mut fleet, &[ABSENT, ABSENT]).await?;
    let terms = ["--endpoint", "rpc-1", "--fee", "5000", "--attempts", "4", "--reason", "busy"];
    let retry = id(1);
    let (exit, document, said) = op(&fleet, &[&["retry", &retry], &terms[..]].concat())?;
    assert_eq!((exit, &document["state"]), (0, &"IPFS_UPLOADED".into()), "{said}");
    let operation = fleet.operation(1).await?;
    assert_eq!(operation.terms.endpoint.as_deref(), Some("rpc-1"));
    assert_eq!((operation.terms.unit_price, operation.terms.signings), (Some(5_000), Some(4)));
    let (exit, _, said) = op(&fleet, &["retry", &id(1), "--endpoint", "elsewhere"])?;
    assert!(exit == 2 && said.contains("rpc-0, rpc-1"), "{said}");

    // Under way, it is due at once, and the terms are taken back.
    let (exit, document, said) = op(&fleet, &["retry", &id(1)])?;
    assert_eq!((exit, &document["outcome"]), (0, &"hastened".into()), "{said}");
    assert_eq!(fleet.operation(1).await?.terms, domain::RetryTerms::default());
    assert_eq!(last_event(&fleet, 1).await?.kind, "retried");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_what_turns_out_to_be_minted_mints_nothing() -> Result<()> {
    let mut fleet = Fleet::new("retry-minted").await?;
    fleet.standing(1, vec![submitted(), expired()]).await?;
    ask(&mut fleet, &[ABSENT, MINTED]).await?;
    let (exit, _, said) = op(&fleet, &["force", &id(1), "INITIATED", "--reason", "anew"])?;
    assert!(exit == 1 && said.contains("its NFT exists"), "{said}");
    let (exit, document, said) = op(&fleet, &["retry", &id(1)])?;
    assert_eq!((exit, &document["state"]), (0, &"BLOCKCHAIN_CONFIRMED".into()), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_shown_with_what_happens_next() -> Result<()> {
    let fleet = Fleet::new("show").await?;
    fleet.standing(1, vec![submitted()]).await?;
    let (exit, shown, _) = op(&fleet, &["show", &id(1)])?;
    assert_eq!(exit, 0);
    assert_eq!(shown["attemptsOnChain"][0]["signature"], signature().to_string());
    assert_eq!(
        (&shown["next"]["by"], &shown["attemptsOnChain"][0]["verdict"]),
        (&"mint-submitter".into(), &Value::Null)
    );
    let text = stdout(&fleet.mintctl(&["op", "show", &id(1)])?);
    assert!(text.contains("until it has landed") && text.contains("IPFS_UPLOADED"), "{text}");
    assert_eq!(text, stdout(&fleet.mintctl(&["status", &id(1)])?), "one and the same");
    assert_eq!(op(&fleet, &["show", &id(9)])?.0, 3);

    fleet.standing(2, vec![hopeless()]).await?;
    assert_eq!(op(&fleet, &["show", &id(2)])?.1["next"]["by"], Value::Null);
    Ok(())
}
