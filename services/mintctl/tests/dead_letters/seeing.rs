//! Listing, showing and discarding.

use anyhow::Result;
use domain::{Failure, Header, OutgoingRecord, Topic, header};

use crate::common::{code, stderr, stdout};
use crate::fleet::{Fleet, hopeless, ids};

#[tokio::test]
async fn letters_are_listed_filtered_and_grouped() -> Result<()> {
    let fleet = Fleet::new("ls").await?;
    assert_eq!(fleet.ls(&[])?.0, 3, "nothing there");
    for number in 0..5 {
        fleet.poison(number).await?;
    }
    let other = Failure::permanent("invalid-content", "nft.name is 33 bytes long");
    let long_name = fleet.put_aside(Topic::Operations, b"{}", 5, &other).await?;
    let failed = fleet.failed(1, vec![], hopeless()).await?;
    // The same record, put aside again after a crash, is the same letter.
    fleet.poison(4).await?;

    let (exit, all) = fleet.ls(&[])?;
    assert_eq!((exit, all.len()), (0, 7));
    assert!(all.windows(2).all(|pair| pair[0]["at"].as_str() >= pair[1]["at"].as_str()), "newest first");
    let found = |arguments: &[&str]| -> Result<usize> { Ok(fleet.ls(arguments)?.1.len()) };
    assert_eq!(ids(&fleet.ls(&["--code", "invalid-content"])?.1), [long_name.as_str()]);
    assert_eq!(ids(&fleet.ls(&["--topic", "nft-mint-requests"])?.1), [failed.as_str()]);
    assert_eq!(found(&["--topic", &Topic::Operations.dead_letter_name(&fleet.prefix)])?, 6);
    assert_eq!((found(&["--class", "permanent"])?, found(&["--class", "outage"])?), (7, 0));
    assert_eq!((found(&["--since", "1h"])?, found(&["--since", "2099-01-01T00:00:00Z"])?), (7, 0));
    assert_eq!(found(&["--limit", "2"])?, 2);
    assert_eq!(fleet.mintctl(&["dlq", "ls", "--topic", "no-such-topic"])?.status.code(), Some(2));

    let (_, groups) = fleet.ls(&["--group"])?;
    let counts: Vec<_> = groups.iter().map(|group| (group["code"].as_str(), group["letters"].as_u64())).collect();
    assert_eq!(counts[0], (Some("not-json"), Some(5)));
    assert_eq!(groups.len(), 3);
    assert_eq!(groups[0]["message"], "EOF while parsing at column #");
    let fingerprint = groups[0]["fingerprint"].as_str().unwrap_or_default();
    assert_eq!(found(&["--fingerprint", &fingerprint[..6]])?, 5);
    let table = fleet.mintctl(&["dlq", "ls", "--group"])?;
    assert!(stdout(&table).contains("program-error"), "{}", stdout(&table));
    Ok(())
}

#[tokio::test]
async fn a_letter_is_shown_with_all_that_belongs_to_it() -> Result<()> {
    let fleet = Fleet::new("show").await?;
    let poison = fleet.poison(7).await?;
    let failed = fleet.failed(1, vec![], hopeless()).await?;

    let (exit, shown) = fleet.dlq(&["show", &poison])?;
    let shown = &shown[0];
    assert_eq!((exit, shown["origin"]["offset"].as_i64()), (0, Some(7)));
    assert_eq!(shown["value"]["text"], "{\"poison\": 7");
    assert!(shown["problem"].as_str().is_some_and(|problem| problem.starts_with("not-json")), "{shown:#}");
    assert!(shown["headers"].as_array().is_some_and(|all| all.iter().any(|header| header[0] == "traceparent")));

    let (_, shown) = fleet.dlq(&["show", &failed])?;
    let operation = &shown[0]["operation"];
    assert_eq!((&operation["state"], &operation["error"]["code"]), (&"FAILED".into(), &"program-error".into()));
    assert_eq!(operation["history"].as_array().map(Vec::len), Some(3));
    assert_eq!(shown[0]["onChain"]["state"], "never-signed");
    let plain = stdout(&fleet.mintctl(&["dlq", "show", &failed])?);
    for word in ["custom program error", "never signed", "x-dlq-step", "IPFS_UPLOADED", "Quant Ape"] {
        assert!(plain.contains(word), "{word}: {plain}");
    }
    let unknown = fleet.mintctl(&["dlq", "show", "0199a0b0-0000-5000-8000-000000000001"])?;
    assert_eq!((code(&unknown), stderr(&unknown).contains("no dead letter")), (3, true));
    Ok(())
}

#[tokio::test]
async fn other_producers_letters_are_seen_and_not_published_where_they_do_not_belong() -> Result<()> {
    let fleet = Fleet::new("foreign").await?;
    let raw = |key: &str, value: &[u8]| Header { key: key.into(), value: Some(value.to_vec()) };
    let spring = vec![
        header("kafka_dlt-original-topic", "payments"),
        raw("kafka_dlt-original-partition", &[0, 0, 0, 5]),
        raw("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 1, 2]),
        header("kafka_dlt-exception-fqcn", "java.lang.IllegalStateException"),
        header("kafka_dlt-exception-message", "\u{1b}[2Jno such user"),
    ];
    let connect = vec![
        header("__connect.errors.topic", "nft-operation-status"),
        header("__connect.errors.exception.class.name", "DataException"),
    ];
    for headers in [spring, connect, vec![]] {
        let topic = Topic::Status.dead_letter_name(&fleet.prefix);
        let value = Some(vec![0xff, 0x00]);
        fleet.publish(OutgoingRecord { topic, partition: None, key: None, value, headers }).await?;
    }
    let (_, letters) = fleet.ls(&[])?;
    let mut formats: Vec<_> = letters.iter().filter_map(|letter| letter["format"].as_str()).collect();
    formats.sort_unstable();
    assert_eq!(formats, ["connect", "plain", "spring"]);
    let spring = letters.iter().find(|letter| letter["format"] == "spring").cloned().unwrap_or_default();
    assert_eq!((spring["origin"]["partition"].as_i64(), spring["origin"]["offset"].as_i64()), (Some(5), Some(258)));
    let id = spring["id"].as_str().unwrap_or_default();
    let plain = stdout(&fleet.mintctl(&["dlq", "show", id])?);
    assert!(plain.contains("0xff00") && plain.contains("java.lang.IllegalStateException"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "a terminal obeys nothing of it");

    let (exit, replayed) = fleet.dlq(&["replay", id])?;
    assert_eq!((exit, &replayed[0]["outcome"]), (1, &"refused".into()));
    assert!(replayed[0]["reason"].as_str().is_some_and(|reason| reason.contains("payments")), "{replayed:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_discarded_is_out_of_sight_and_still_there() -> Result<()> {
    let fleet = Fleet::new("discard").await?;
    let (first, second) = (fleet.poison(1).await?, fleet.poison(2).await?);
    for wrong in [&["discard", "--reason", "x"][..], &["discard", &first], &["discard", &first, "--reason", " "]] {
        assert_eq!(fleet.dlq(wrong)?.0, 2, "{wrong:?}");
    }
    let nothing = fleet.mintctl(&["dlq", "discard", "--code", "no-such-code", "--reason", "x"])?;
    assert_eq!((code(&nothing), stderr(&nothing).contains("nothing matches")), (3, true));

    let (exit, discarded) = fleet.dlq(&["discard", &first, "--reason", "a test", "--as", "anna@ops"])?;
    assert_eq!((exit, ids(&discarded)), (0, vec![first.as_str()]));
    assert_eq!(fleet.dlq(&["discard", &first, "--reason", "again"])?.0, 3);
    assert_eq!(ids(&fleet.ls(&[])?.1), [second.as_str()]);
    let (_, all) = fleet.ls(&["--all"])?;
    let ledger = all.iter().find(|letter| letter["id"] == first.as_str()).map(|letter| letter["ledger"].clone());
    let ledger = ledger.unwrap_or_default();
    let told = (&ledger["outcome"], &ledger["by"], &ledger["reason"]);
    assert_eq!(told, (&"discarded".into(), &"anna@ops".into(), &"a test".into()));

    assert_eq!(fleet.dlq(&["replay", "--all"])?.1.len(), 1, "the second alone");
    let (exit, taken_back) = fleet.dlq(&["replay", &first])?;
    assert_eq!((exit, &taken_back[0]["outcome"]), (0, &"published".into()), "by its id");
    assert_eq!(fleet.records_of(Topic::Operations).await?.len(), 2);
    assert_eq!(fleet.ls(&[])?.0, 3);
    Ok(())
}
