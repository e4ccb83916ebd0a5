//! "Is it on chain already?", asked before anything that was signed is tried again.

use anyhow::Result;
use domain::{DecidedAttempt, State as OperationState, Transition, Verdict};
use serde_json::Value;

use crate::chain::{Chain, OVER, attempt, mint, signature};
use crate::common::{code, stderr};
use crate::fleet::{Fleet, MINT_REQUESTS};

/// An operation that failed after its one transaction expired.
async fn failed_after_signing(fleet: &Fleet, number: u64) -> Result<String> {
    let submitted = Transition::Submitted { mint: mint(), key_id: "1".into(), attempt: attempt(), decided: None };
    let decided = Some(DecidedAttempt { signature: signature(), verdict: Verdict::Expired });
    let failure = domain::Failure::permanent("not-minted", "no block took it");
    Box::pin(fleet.failed(number, vec![submitted], Transition::Failed { failure, decided })).await
}

/// A fleet with one such operation, and what a replay of it comes to at these endpoints.
async fn replayed_at(test: &str, endpoints: &[(bool, u64)], more: &[&str]) -> Result<(Fleet, i32, Value)> {
    let mut fleet = Box::pin(Fleet::new(test)).await?;
    let letter = failed_after_signing(&fleet, 1).await?;
    let mut urls = Vec::new();
    for (minted, slot) in endpoints.iter().copied() {
        urls.push(Chain { minted, slot, ..Chain::default() }.start().await?);
    }
    fleet.set("SOLANA_RPC_ENDPOINTS", urls.join(","));
    let (exit, mut replayed) = fleet.dlq(&[&["replay", &letter], more].concat())?;
    Ok((fleet, exit, replayed.pop().unwrap_or_default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_endpoints_call_absent_is_tried_again() -> Result<()> {
    let (fleet, exit, replayed) = replayed_at("absent", &[(false, OVER), (false, OVER)], &[]).await?;
    assert_eq!((exit, &replayed["state"]), (0, &"IPFS_UPLOADED".into()), "{replayed}");
    assert_eq!(fleet.operation(1).await?.mint_address, Some(mint()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_endpoint_sees_goes_on_as_confirmed() -> Result<()> {
    let (fleet, exit, replayed) = replayed_at("minted", &[(false, OVER), (true, OVER)], &[]).await?;
    assert_eq!((exit, &replayed["outcome"]), (0, &"confirmed".into()), "{replayed}");
    let operation = fleet.operation(1).await?;
    assert_eq!((operation.state, operation.signature), (OperationState::BlockchainConfirmed, Some(signature())));
    assert!(fleet.records_of(MINT_REQUESTS).await?.is_empty(), "nothing is minted again");
    let requests = domain::Topic::Requests(domain::Step::Verify, domain::Priority::Normal);
    assert_eq!(fleet.records_of(requests).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_minted_is_not_amended() -> Result<()> {
    let gold = ["--edit", "--editor", "sed -i 's/Quant Ape/Gold Ape/'"];
    let (fleet, exit, replayed) = replayed_at("amended", &[(true, OVER)], &gold).await?;
    assert_eq!((exit, &replayed["outcome"]), (1, &"refused".into()), "{replayed}");
    assert_eq!(fleet.operation(1).await?.state, OperationState::Failed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_not_known_nothing_is_done() -> Result<()> {
    // The second endpoint has not reached the slot at which the transaction was over.
    let (mut fleet, exit, replayed) = replayed_at("unknown", &[(false, OVER), (false, OVER - 1)], &[]).await?;
    assert_eq!((exit, &replayed["outcome"]), (1, &"refused".into()), "{replayed}");
    let before = fleet.operation(1).await?;
    assert_eq!(before.state, OperationState::Failed);

    let answering = Chain { slot: OVER, ..Chain::default() }.start().await?;
    fleet.set("SOLANA_RPC_ENDPOINTS", format!("{answering},http://127.0.0.1:1/?api-key=hunter2"));
    let gone = fleet.mintctl(&["dlq", "replay", "--all"])?;
    assert_eq!(code(&gone), 1);
    assert!(stderr(&gone).contains("2 endpoint(s) have to say"), "{}", stderr(&gone));
    assert!(!stderr(&gone).contains("hunter2"), "{}", stderr(&gone));
    assert_eq!(fleet.operation(1).await?, before);

    // One is enough where one is all there is; the letter is still open.
    fleet.set("SOLANA_RPC_ENDPOINTS", answering);
    assert_eq!(fleet.mintctl(&["dlq", "replay", "--all"])?.status.code(), Some(0));
    assert_eq!(fleet.operation(1).await?.state, OperationState::IpfsUploaded);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_endpoints_it_is_said_what_is_missing() -> Result<()> {
    let fleet = Fleet::new("no-endpoints").await?;
    let letter = failed_after_signing(&fleet, 1).await?;
    let refused = fleet.mintctl(&["dlq", "replay", &letter])?;
    assert!(stderr(&refused).contains("missing SOLANA_RPC_ENDPOINTS"), "{}", stderr(&refused));
    assert_eq!(fleet.operation(1).await?.state, OperationState::Failed);
    let (_, shown) = fleet.dlq(&["show", &letter])?;
    assert_eq!(shown[0]["onChain"]["state"], "unknown");
    Ok(())
}
