//! Two worker processes that were given one instance id: the first one ends, and says why.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use kafka::{Admin, KafkaSettings, TopicPlan};
use testkit::Database;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);
/// Intake and upload.
const GROUPS: usize = 2;

struct Worker {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Worker {
    fn start(database: &str, prefix: &str) -> Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ipfs-uploader"))
            .env_clear()
            .env("DATABASE_URL", database)
            .env("KAFKA_BROKERS", testkit::kafka_brokers())
            .env("KAFKA_TOPIC_PREFIX", prefix)
            .env("KAFKA_GROUP_INSTANCE_ID", "uploader-0")
            .env("PINATA_API_KEY", "nobody")
            .env("OPS_LISTEN", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let log = BufReader::new(process.stderr.take().context("its stderr")?).lines();
        Ok(Self { process, log })
    }

    /// Reads its log until it is a member of all its groups.
    async fn joins(&mut self) -> Result<()> {
        let mut joined = 0;
        while joined < GROUPS {
            let line = self.log.next_line().await?.context("it ended before it had joined its groups")?;
            joined += usize::from(line.contains("partitions assigned"));
        }
        Ok(())
    }

    /// Its exit code, and what it says of not going on.
    async fn ends(&mut self) -> Result<(Option<i32>, String)> {
        let mut reason = String::new();
        while let Some(line) = self.log.next_line().await? {
            if line.contains("cannot go on") {
                reason = line;
            }
        }
        Ok((self.process.wait().await?.code(), reason))
    }
}

#[tokio::test]
async fn the_fenced_one_ends_with_a_message_and_the_other_goes_on() -> Result<()> {
    let (database, prefix) = (Database::fresh().await, testkit::unique_prefix("fenced"));
    let admin = Admin::connect(&KafkaSettings::new(testkit::kafka_brokers(), "test"))?;
    admin.create_topics(&TopicPlan { partitions: 1, ..TopicPlan::new(prefix.clone()) }).await?;
    let mut first = Worker::start(&database.url(), &prefix)?;
    timeout(PATIENCE, first.joins()).await.context("the first joins")??;
    let mut second = Worker::start(&database.url(), &prefix)?;
    timeout(PATIENCE, second.joins()).await.context("the second joins")??;

    let (code, reason) = timeout(PATIENCE, first.ends()).await.context("the first ends")??;
    assert_eq!(code, Some(1), "{reason}");
    assert!(reason.contains("uploader-0") && reason.contains("an instance id of its own"), "{reason}");
    assert_eq!(second.process.try_wait()?, None, "the other one goes on");
    Ok(())
}
