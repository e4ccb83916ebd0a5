//! Replaying: each letter once, whoever asks and however often.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use anyhow::{Context, Result};
use domain::{Failure, State, StatusChanged, Topic};
use engine::{Commit, OperationStore};
use testkit::operation_id;

use crate::common::{code, stderr};
use crate::fleet::{Fleet, MINT_REQUESTS, hopeless, ids, requested};

#[tokio::test]
async fn poison_is_published_again_as_it_was_and_counted() -> Result<()> {
    let fleet = Fleet::new("poison").await?;
    let letter = fleet.poison(1).await?;
    let (exit, planned) = fleet.dlq(&["replay", "--all", "--dry-run"])?;
    assert_eq!((exit, &planned[0]["would"]), (0, &"would be published again".into()));
    assert!(fleet.records_of(Topic::Operations).await?.is_empty());

    let (exit, replayed) = fleet.dlq(&["replay", &letter, "--reason", "a newer worker"])?;
    assert_eq!((exit, &replayed[0]["outcome"]), (0, &"published".into()));
    let record = fleet.records_of(Topic::Operations).await?.remove(0);
    assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"key"[..]), Some(&b"{\"poison\": 1"[..])));
    let headers: Vec<_> = record.headers.iter().map(|header| header.key.as_str()).collect();
    assert_eq!(headers, ["traceparent", "x-dlq-replay-count"]);
    assert_eq!(record.header("x-dlq-replay-count"), Some("1"));

    let again = fleet.mintctl(&["dlq", "replay", &letter])?;
    assert_eq!((code(&again), stderr(&again).contains("nothing matches")), (3, true));
    assert_eq!(fleet.mintctl(&["dlq", "replay"])?.status.code(), Some(2), "of nothing");
    assert_eq!(fleet.mintctl(&["dlq", "replay", "--all", "--edit"])?.status.code(), Some(2), "of which?");
    Ok(())
}

#[tokio::test]
async fn two_people_at_once_publish_once() -> Result<()> {
    let fleet = Fleet::new("two-publish").await?;
    for number in 0..20 {
        fleet.poison(number).await?;
    }
    let people = ["anna", "ben"].map(|name| fleet.begin(&["dlq", "replay", "--all", "--as", name]));
    for person in people {
        let output = person?.wait_with_output()?;
        assert!([0, 3].contains(&code(&output)), "{}", stderr(&output));
    }
    assert_eq!(fleet.records_of(Topic::Operations).await?.len(), 20);
    assert_eq!(fleet.ls(&[])?.0, 3, "all are dealt with");
    Ok(())
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_was() -> Result<()> {
    let fleet = Fleet::new("resume").await?;
    for number in 0..30 {
        fleet.poison(number).await?;
    }
    let mut run = fleet.begin(&["dlq", "replay", "--all", "--rate", "10/s"])?;
    let mut lines = BufReader::new(run.stdout.take().context("its stdout")?).lines();
    for _ in 0..3 {
        lines.next().context("a line for each letter")??;
    }
    let told = Command::new("kill").args(["-INT", &run.id().to_string()]).status()?;
    assert!(told.success());
    let rest = lines.count();
    let output = run.wait_with_output()?;
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("the same command goes on"), "{}", stderr(&output));
    let done = 3 + rest;
    assert!(done < 30, "it was interrupted");
    assert_eq!(fleet.records_of(Topic::Operations).await?.len(), done);

    let (exit, replayed) = fleet.dlq(&["replay", "--all"])?;
    assert_eq!((exit, replayed.len()), (0, 30 - done));
    let mut values: Vec<_> =
        fleet.records_of(Topic::Operations).await?.into_iter().filter_map(|record| record.value).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 30, "each once");
    Ok(())
}

#[tokio::test]
async fn a_failed_operation_is_tried_again_and_told_of() -> Result<()> {
    let fleet = Fleet::new("retry").await?;
    let letter = fleet.failed(1, vec![], hopeless()).await?;
    let failed = fleet.operation(1).await?;
    let (exit, replayed) = fleet.dlq(&["replay", "--topic", "nft-mint-requests", "--reason", "the program is back"])?;
    assert_eq!(exit, 0, "{replayed:?}");
    let told = (&replayed[0]["id"], &replayed[0]["outcome"], &replayed[0]["state"]);
    assert_eq!(told, (&letter.as_str().into(), &"retried".into(), &"IPFS_UPLOADED".into()));

    let operation = fleet.operation(1).await?;
    assert_eq!((operation.state, operation.version), (State::IpfsUploaded, failed.version + 1));
    let request = fleet.records_of(MINT_REQUESTS).await?.remove(0);
    assert_eq!((requested(&request), request.header("x-dlq-replay-count")), (Some(operation.id), Some("1")));
    let status = fleet.records_of(Topic::Status).await?.remove(0);
    let status: StatusChanged = serde_json::from_slice(&status.value.unwrap_or_default())?;
    assert_eq!((status.state, status.previous_state), (State::IpfsUploaded, Some(State::Failed)));
    let report = fleet.store.operation(operation.id).await?.context("its report")?;
    let last = report.history.last().context("its history")?;
    assert_eq!(last.detail["reason"], "the program is back");

    // It fails again: a new letter. The old one says nothing more, and neither does a second one of the same failure.
    fleet.store.commit(&[Commit { operation, transition: hopeless() }]).await?;
    let failed = fleet.operation(1).await?;
    let letters = [fleet.letter_of(&failed, 100).await?, fleet.letter_of(&failed, 101).await?];
    let (exit, replayed) = fleet.dlq(&["replay", "--all"])?;
    assert_eq!((exit, replayed.len()), (0, 2));
    assert!(letters.iter().all(|letter| ids(&replayed).contains(&letter.as_str())));
    let mut outcomes: Vec<_> = replayed.iter().filter_map(|one| one["outcome"].as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["retried", "settled"]);
    assert_eq!(fleet.operation(1).await?.version, failed.version + 1);
    Ok(())
}

#[tokio::test]
async fn two_people_at_once_make_one_retry() -> Result<()> {
    let fleet = Fleet::new("two-retry").await?;
    for number in 1..=10 {
        fleet.failed(number, vec![], hopeless()).await?;
    }
    let people = ["anna", "ben"].map(|name| fleet.begin(&["dlq", "replay", "--all", "--as", name]));
    for person in people {
        let output = person?.wait_with_output()?;
        assert!([0, 3].contains(&code(&output)), "{}", stderr(&output));
    }
    for number in 1..=10 {
        let operation = fleet.operation(number).await?;
        assert_eq!((operation.state, operation.version), (State::IpfsUploaded, 4), "{number}");
    }
    assert_eq!(fleet.records_of(MINT_REQUESTS).await?.len(), 10);
    assert_eq!(fleet.ls(&[])?.0, 3);
    Ok(())
}

#[tokio::test]
async fn what_is_on_its_way_is_settled() -> Result<()> {
    let fleet = Fleet::new("settled").await?;
    let letter = fleet.failed(1, vec![], hopeless()).await?;
    assert_eq!(fleet.dlq(&["replay", &letter])?.0, 0);
    let operation = fleet.operation(1).await?;
    let stale = domain::Operation { failure: Some(Failure::permanent("program-error", "x")), ..operation.clone() };
    let stale = fleet.letter_of(&stale, 50).await?;
    let (exit, replayed) = fleet.dlq(&["replay", &stale])?;
    assert_eq!((exit, &replayed[0]["outcome"]), (0, &"settled".into()));
    assert_eq!(fleet.operation(1).await?, operation);
    Ok(())
}

#[tokio::test]
async fn a_person_may_change_what_is_replayed() -> Result<()> {
    let mut fleet = Fleet::new("edit").await?;
    let failed = fleet.failed(1, vec![], hopeless()).await?;
    let event = testkit::event(operation_id(2), "a name that is longer than the chain stores");
    let reason = Failure::permanent("invalid-content", "nft.name is 43 bytes long");
    let poison = fleet.put_aside(Topic::Operations, event.as_bytes(), 9, &reason).await?;

    fleet.set("EDITOR", "sed -i 's/Quant Ape/Gold Ape/'");
    let (exit, replayed) = fleet.dlq(&["replay", &failed, "--edit", "--reason", "gold"])?;
    assert_eq!((exit, &replayed[0]["state"]), (0, &"INITIATED".into()), "its metadata is another one");
    let operation = fleet.operation(1).await?;
    assert_eq!((operation.state, operation.content.nft.name.as_str()), (State::Initiated, "Gold Ape"));

    let refused = fleet.mintctl(&["dlq", "replay", &poison, "--edit", "--editor", "sed -i s/level/lvl/"])?;
    assert_eq!((code(&refused), stderr(&refused).contains("it would be refused")), (1, true), "{}", stderr(&refused));
    let editor = "sed -i 's/a name that is longer than the chain stores/Short/'";
    assert_eq!(fleet.dlq(&["replay", &poison, "--edit", "--editor", editor])?.0, 0);
    let published = fleet.records_of(Topic::Operations).await?.remove(0).value.unwrap_or_default();
    assert!(String::from_utf8(published)?.contains("\"Short\""));
    let original = fleet.records(&Topic::Operations.dead_letter_name(&fleet.prefix)).await?.remove(0);
    assert_eq!(original.value.as_deref(), Some(event.as_bytes()), "the original is kept");
    Ok(())
}

#[tokio::test]
async fn a_request_that_nobody_could_read_is_published_again() -> Result<()> {
    let fleet = Fleet::new("request").await?;
    let failure = Failure::permanent("unknown-operation", "no operation of this id");
    let value = format!(r#"{{"operationId":"{}","state":"IPFS_UPLOADED","version":2}}"#, operation_id(7));
    let letter = fleet.put_aside(MINT_REQUESTS, value.as_bytes(), 1, &failure).await?;
    assert_eq!(fleet.dlq(&["replay", &letter])?.0, 0);
    let record = fleet.records_of(MINT_REQUESTS).await?.remove(0);
    assert_eq!(requested(&record), Some(operation_id(7)));
    Ok(())
}

#[tokio::test]
async fn what_was_cut_is_not_published() -> Result<()> {
    let fleet = Fleet::new("cut").await?;
    fleet.poison(1).await?;
    let mut record = fleet.records(&Topic::Operations.dead_letter_name(&fleet.prefix)).await?.remove(0);
    record.headers.retain(|header| header.key != "x-dlq-id");
    record.headers.push(domain::header("x-dlq-truncated", "true"));
    let domain::Record { topic, key, value, headers, .. } = record;
    fleet.publish(domain::OutgoingRecord { topic, partition: None, key, value, headers }).await?;
    let (exit, replayed) = fleet.dlq(&["replay", "--all"])?;
    assert_eq!((exit, replayed.len()), (1, 2));
    assert!(replayed.iter().any(|one| one["reason"].as_str().is_some_and(|reason| reason.contains("was cut"))));
    assert_eq!(fleet.records_of(Topic::Operations).await?.len(), 1);
    Ok(())
}
