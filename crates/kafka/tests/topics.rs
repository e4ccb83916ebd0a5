//! Topics on a real cluster.

mod common;

use std::time::Duration;

use anyhow::Result;
use common::eventually;
use kafka::{Admin, Difference, KafkaSettings, TopicOutcome, TopicPlan, TopicReport};

fn outcomes(reports: &[TopicReport]) -> Vec<&TopicOutcome> {
    reports.iter().map(|report| &report.outcome).collect()
}

#[tokio::test]
async fn creating_topics_twice_changes_nothing() -> Result<()> {
    let admin = Admin::connect(&KafkaSettings::new(testkit::kafka_brokers(), "topics"))?;
    let plan = TopicPlan { partitions: 2, ..TopicPlan::new(testkit::unique_prefix("topics")) };
    let created = admin.create_topics(&plan).await?;
    assert_eq!(outcomes(&created), vec![&TopicOutcome::Created; 22]);
    let again = admin.create_topics(&plan).await?;
    assert_eq!(outcomes(&again), vec![&TopicOutcome::Exists; 22], "{again:?}");

    let other = TopicPlan { partitions: 3, retention: Duration::from_mins(1), ..plan.clone() };
    let told = admin.create_topics(&other).await?;
    let difference = |what: &str, wanted: &str, found: &str| Difference {
        what: what.into(),
        wanted: wanted.into(),
        found: found.into(),
    };
    let partitions = difference("partitions", "3", "2");
    let retention = difference("retention.ms", "60000", "604800000");
    for (index, report) in told.iter().enumerate() {
        let expected =
            if index % 2 == 0 { vec![partitions.clone(), retention.clone()] } else { vec![partitions.clone()] };
        assert_eq!(report.outcome, TopicOutcome::Differs(expected), "{}", report.name);
    }
    assert_eq!(outcomes(&admin.create_topics(&plan).await?), vec![&TopicOutcome::Exists; 22]);
    Ok(())
}

#[tokio::test]
async fn a_topic_that_cannot_be_made_says_why() -> Result<()> {
    let admin = Admin::connect(&KafkaSettings::new(testkit::kafka_brokers(), "topics"))?;
    let mut topic = TopicPlan::new(testkit::unique_prefix("impossible")).topics().swap_remove(0);
    topic.replication = 99;
    let reports = admin.ensure(&[topic]).await?;
    let TopicOutcome::Failed(why) = &reports[0].outcome else { panic!("{reports:?}") };
    assert!(why.contains("replication"), "{why}");
    Ok(())
}

#[tokio::test]
async fn the_cluster_introduces_itself() -> Result<()> {
    let admin = Admin::connect(&KafkaSettings::new(testkit::kafka_brokers(), "topics"))?;
    let ground = common::Ground::new("cluster", 5).await?;
    eventually("the topic shows", async || {
        Ok(admin.cluster(Duration::from_secs(20)).await?.topics.get(&ground.topic) == Some(&5))
    })
    .await?;
    let cluster = admin.cluster(Duration::from_secs(20)).await?;
    assert!(cluster.id.is_some() && !cluster.brokers.is_empty(), "{cluster:?}");

    let nobody = Admin::connect(&KafkaSettings::new("127.0.0.1:1", "topics"))?;
    let error = nobody.cluster(Duration::from_millis(500)).await.unwrap_err();
    assert!(error.to_string().starts_with("kafka, asking for the cluster: "), "{error}");
    Ok(())
}
