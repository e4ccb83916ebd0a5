//! Apache Kafka: broker and controller in one process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::{
    layout::Layout,
    process::{MARK, Process, tethered},
};

const NAME: &str = "kafka";
const PATIENCE: Duration = Duration::from_mins(1);
/// Any cluster id does: one cluster, one node.
const CLUSTER: &str = "bWludGZsZWV0LWRldnN0Yw";

/// A broker that starts in 2 s is worth more here than one that is at its best after minutes.
const JAVA: [&str; 5] =
    ["-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"];

const LOGGING: &str = "
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %m (%c{1})%n
";

/// The stack's broker.
#[derive(Debug)]
pub(crate) struct Kafka {
    jars: PathBuf,
    layout: Layout,
    process: Process,
}

/// Where the broker listens, all on loopback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KafkaPorts {
    /// Itself.
    pub broker: u16,
    /// Where it tells clients to come: the proxy's.
    pub advertised: u16,
    /// Its controller.
    pub controller: u16,
}

impl Kafka {
    /// Formats a new log directory and starts the broker on it.
    pub(crate) async fn create(jars: &Path, layout: &Layout, ports: KafkaPorts) -> Result<Self> {
        let home = layout.kafka();
        fs::create_dir_all(&home)?;
        fs::write(home.join("log4j2.properties"), LOGGING)?;
        fs::write(home.join("server.properties"), configuration(&home, ports))?;
        let mut format = java(jars, layout, "kafka.tools.StorageTool");
        format.args(["format", "-t", CLUSTER, "-c"]).arg(home.join("server.properties"));
        Process::spawn("kafka-format", format, &layout.log(NAME))?
            .finish(PATIENCE)
            .await
            .context("cannot format Kafka's directory (Kafka 4 needs a JDK 17 or newer)")?;
        let process = start(jars, layout).await?;
        Ok(Self { jars: jars.to_owned(), layout: layout.clone(), process })
    }

    /// The broker's process.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again after it ended, on the same data and port.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.process = start(&self.jars, &self.layout).await?;
        Ok(())
    }

    /// Stops it as an operator does.
    pub(crate) async fn stop(&mut self) {
        self.process.stop(Signal::SIGTERM, PATIENCE).await;
    }
}

fn java(jars: &Path, layout: &Layout, class: &str) -> Command {
    let mut command = tethered("java");
    command
        .args(JAVA)
        .arg(format!("-Dlog4j2.configurationFile={}", layout.kafka().join("log4j2.properties").display()))
        .arg("-cp")
        .arg(jars.join("*"))
        .arg(class)
        .env(MARK, layout.root());
    command
}

async fn start(jars: &Path, layout: &Layout) -> Result<Process> {
    let mut command = java(jars, layout, "kafka.Kafka");
    command.arg(layout.kafka().join("server.properties"));
    let mut process = Process::spawn(NAME, command, &layout.log(NAME))?;
    process.wait_for_output("Kafka Server started", PATIENCE).await?;
    Ok(process)
}

fn configuration(home: &Path, KafkaPorts { broker, advertised, controller }: KafkaPorts) -> String {
    let data = home.join("data");
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
# A forgotten `mintctl topics` shall be seen, not papered over.
auto.create.topics.enable=false
# One node.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A group of one worker need not wait for more.
group.initial.rebalance.delay.ms=0
# 128 MiB by default, allocated at start.
log.cleaner.dedupe.buffer.size=16777216
",
        data.display()
    )
}
