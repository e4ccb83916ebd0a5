//! Every way of securing the connection, against a broker that asks for it.

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use common::{Ground, eventually, publish, within};
use engine::{EventSink, PublishError, Window};
use kafka::{Admin, KafkaSettings, Producer, Sasl, SaslMechanism, SecurityProtocol};
use tempfile::TempDir;

const USER: &str = "fleet";
const PASSWORD: &str = "correct-horse";

/// A broker of the test's own: the stack's asks nobody who they are.
struct SecureBroker {
    home: TempDir,
    process: Child,
    plaintext: u16,
    ssl: u16,
    sasl_plaintext: u16,
    sasl_ssl: u16,
}

impl SecureBroker {
    async fn start() -> Result<Self> {
        let home = TempDir::new()?;
        let [controller, plaintext, ssl, sasl_plaintext, sasl_ssl] = free_ports()?;
        let ports = [controller, plaintext, ssl, sasl_plaintext, sasl_ssl];
        make_certificate(home.path())?;
        fs::write(home.path().join("server.properties"), properties(home.path(), ports))?;
        let mut format = java(home.path(), "kafka.tools.StorageTool")?;
        format.args(["format", "-t", "bWludGZsZWV0LXNlY3VyZQ", "-c", "server.properties"]);
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            format.args(["--add-scram", &format!("{mechanism}=[name={USER},password={PASSWORD}]")]);
        }
        run(&mut format)?;
        let mut broker = java(home.path(), "kafka.Kafka")?;
        let process = broker.arg("server.properties").stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let broker = Self { home, process, plaintext, ssl, sasl_plaintext, sasl_ssl };
        let admin = Admin::connect(&broker.settings(SecurityProtocol::Plaintext, None))?;
        eventually("the broker starts", async || Ok(admin.cluster(Duration::from_secs(1)).await.is_ok())).await?;
        Ok(broker)
    }

    fn settings(&self, security_protocol: SecurityProtocol, mechanism: Option<SaslMechanism>) -> KafkaSettings {
        let (port, encrypted) = match security_protocol {
            SecurityProtocol::Plaintext => (self.plaintext, false),
            SecurityProtocol::Ssl => (self.ssl, true),
            SecurityProtocol::SaslPlaintext => (self.sasl_plaintext, false),
            SecurityProtocol::SaslSsl => (self.sasl_ssl, true),
        };
        let (username, password) = (USER.to_owned(), PASSWORD.into());
        KafkaSettings {
            security_protocol,
            sasl: mechanism.map(|mechanism| Sasl { mechanism, username, password }),
            ca_location: encrypted.then(|| self.home.path().join("broker.pem")),
            ..KafkaSettings::new(format!("127.0.0.1:{port}"), "securing")
        }
    }
}

impl Drop for SecureBroker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// Where the stack keeps its Kafka.
fn jars() -> Result<PathBuf> {
    let caches = [
        std::env::var_os("MINTFLEET_CACHE").map(PathBuf::from),
        std::env::home_dir().map(|home| home.join(".cache/mintfleet")),
        Some(PathBuf::from("/var/cache/mintfleet")),
    ];
    let kits = caches.into_iter().flatten().filter_map(|cache| fs::read_dir(cache).ok()).flatten().flatten();
    let jars = kits.map(|kit| kit.path().join("kafka")).find(|jars| jars.is_dir());
    jars.context("no Kafka in the stack's cache: run make test")
}

fn java(home: &Path, class: &str) -> Result<Command> {
    let mut java = Command::new("java");
    java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
    java.arg(jars()?.join("*")).arg(class).current_dir(home);
    Ok(java)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let told = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&told));
    Ok(())
}

fn make_certificate(home: &Path) -> Result<()> {
    let keytool = |args: &[&str]| {
        let store = ["-keystore", "broker.p12", "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", "broker"];
        run(Command::new("keytool").args(args).args(store).current_dir(home))
    };
    keytool(&["-genkeypair", "-keyalg", "EC", "-dname", "CN=broker", "-ext", "SAN=IP:127.0.0.1", "-validity", "2"])?;
    keytool(&["-exportcert", "-rfc", "-file", "broker.pem"])
}

fn properties(home: &Path, [controller, plaintext, ssl, sasl_plaintext, sasl_ssl]: [u16; 5]) -> String {
    let data = home.join("data");
    let store = home.join("broker.p12");
    let properties = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=CONTROLLER://127.0.0.1:{controller},PLAINTEXT://127.0.0.1:{plaintext},SSL://127.0.0.1:{ssl},\
         SASL_PLAINTEXT://127.0.0.1:{sasl_plaintext},SASL_SSL://127.0.0.1:{sasl_ssl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,\
         SASL_SSL:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PKCS12
ssl.keystore.location={}
ssl.keystore.password={PASSWORD}
log.dirs={}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
",
        store.display(),
        data.display()
    );
    let modules = [
        ("plain", format!("plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\"")),
        ("scram-sha-256", "scram.ScramLoginModule required".to_owned()),
        ("scram-sha-512", "scram.ScramLoginModule required".to_owned()),
    ];
    let logins = ["sasl_plaintext", "sasl_ssl"].into_iter().flat_map(|listener| {
        modules.iter().map(move |(mechanism, module)| {
            let property = format!("listener.name.{listener}.{mechanism}.sasl.jaas.config");
            format!("{property}=org.apache.kafka.common.security.{module};")
        })
    });
    properties + &logins.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn records_travel_over_every_secured_connection() -> Result<()> {
    use SaslMechanism::{Plain, ScramSha256, ScramSha512};
    use SecurityProtocol::{SaslPlaintext, SaslSsl, Ssl};
    let broker = SecureBroker::start().await?;
    let ways = [
        (Ssl, None),
        (SaslPlaintext, Some(Plain)),
        (SaslPlaintext, Some(ScramSha256)),
        (SaslPlaintext, Some(ScramSha512)),
        (SaslSsl, Some(Plain)),
        (SaslSsl, Some(ScramSha512)),
    ];
    for (protocol, mechanism) in ways {
        let ground = Ground::on(broker.settings(protocol, mechanism), "securing", 1).await?;
        publish(&ground.producer()?, [ground.record("k", "v")]).await?;
        let mut worker = ground.worker(Window::default())?;
        let delivery = worker.next().await.with_context(|| format!("{protocol:?} {mechanism:?}"))?;
        assert_eq!(delivery.record.value.as_deref(), Some(b"v".as_slice()));
        within("the consumer leaves", worker.handle.close()).await??;
    }

    // A wrong password: told, without the password.
    let mut wrong = broker.settings(SaslPlaintext, Some(ScramSha256));
    wrong.sasl.as_mut().unwrap().password = "battery-staple".into();
    wrong.properties.insert("delivery.timeout.ms".into(), "2000".into());
    let refused = Admin::connect(&wrong)?.cluster(Duration::from_secs(2)).await.unwrap_err();
    let record = domain::OutgoingRecord { topic: "t".into(), partition: None, key: None, value: None, headers: vec![] };
    let unsent = within("an answer", Producer::start(&wrong)?.publish(record)).await?.unwrap_err();
    assert!(matches!(unsent, PublishError::Unavailable(_)), "{unsent}");
    assert!(!format!("{refused} {unsent} {wrong:?}").contains("battery-staple"));

    // A certificate that nobody vouches for.
    let strangers = KafkaSettings { ca_location: None, ..broker.settings(Ssl, None) };
    assert!(Admin::connect(&strangers)?.cluster(Duration::from_secs(2)).await.is_err());
    Ok(())
}
