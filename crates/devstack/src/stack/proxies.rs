//! What stands between clients and the servers that are processes of their own.

use anyhow::Result;

use crate::{
    faults::{Part, Switches, TcpProxy},
    kafka::KafkaPorts,
    ports::loopback,
};

/// A proxy each before PostgreSQL and Kafka. Closed when dropped.
#[derive(Debug)]
pub(super) struct Proxies {
    /// Where clients find PostgreSQL.
    pub postgres_port: u16,
    /// Where clients find Kafka.
    pub kafka_port: u16,
    _open: [TcpProxy; 2],
}

impl Proxies {
    pub(super) async fn open(
        postgres_port: u16,
        postgres: u16,
        kafka: KafkaPorts,
        switches: &mut Switches,
    ) -> Result<Self> {
        let open = [
            TcpProxy::open(postgres_port, switches.add(Part::Postgres, "postgres"), loopback(postgres)).await?,
            TcpProxy::open(kafka.advertised, switches.add(Part::Kafka, "kafka"), loopback(kafka.broker)).await?,
        ];
        Ok(Self { postgres_port, kafka_port: kafka.advertised, _open: open })
    }
}
