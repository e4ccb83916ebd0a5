//! A consumer that is killed, as a process.

mod common;

use std::process::{Child, Command};

use anyhow::Result;
use common::{Ground, Worker, publish, within};
use engine::Window;
use kafka::KafkaSettings;

const TOPIC: &str = "KAFKA_TEST_VICTIM_TOPIC";
const GROUP: &str = "KAFKA_TEST_VICTIM_GROUP";

/// The fourth record of every ten is never finished.
fn is_stuck(offset: i64) -> bool {
    offset % 10 == 3
}

struct Victim(Child);

impl Victim {
    fn start(ground: &Ground) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "victim", "--ignored"]).env(TOPIC, &ground.topic).env(GROUP, &ground.group);
        Ok(Self(command.spawn()?))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill().ok();
    }
}

#[tokio::test]
async fn a_killed_consumers_unfinished_work_comes_again() -> Result<()> {
    let mut ground = Ground::new("killing", 2).await?;
    let records = (0..100).flat_map(|n| [0, 1].map(|partition| (partition, n)));
    publish(&ground.producer()?, records.map(|(partition, n)| ground.record_at(partition, &n.to_string()))).await?;
    let mut victim = Victim::start(&ground)?;
    ground.committed(|lag| lag.committed == Some(3)).await?;
    victim.kill()?;
    assert!(ground.lag().await?.iter().all(|lag| lag.committed == Some(3)), "past unfinished work");
    ground.settings.client_id = "heir".to_owned();
    let mut heir = ground.worker(Window::default())?;
    let inherited = heir.take(2 * 97).await?;
    heir.finish(&inherited);
    for partition in [0, 1] {
        let of_it = inherited.iter().filter(|d| d.record.partition == partition);
        assert_eq!(of_it.map(|d| d.record.offset).collect::<Vec<_>>(), (3..100).collect::<Vec<_>>());
    }
    ground.committed(|lag| lag.committed == Some(100)).await?;
    within("the consumer leaves", heir.handle.close()).await??;
    Ok(())
}

/// The process that is killed.
#[tokio::test]
#[ignore = "started by a_killed_consumers_unfinished_work_comes_again"]
async fn victim() -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "how the test above tells it where to work")]
    let (topic, group) = (std::env::var(TOPIC)?, std::env::var(GROUP)?);
    let settings = KafkaSettings::new(testkit::kafka_brokers(), "victim");
    let mut worker = Worker::start(&settings, &group, &topic, Window::default())?;
    while let Some(delivery) = worker.deliveries.recv().await {
        if !is_stuck(delivery.record.offset) {
            worker.finish(&[delivery]);
        }
    }
    Ok(())
}
