//! What the demo asks for: five levels of NFTs for as many wallets as there are operations.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use domain::{
    Attribute, Envelope, Nft, OperationId, OperationKind, OperationRequested, OutgoingRecord, Priority, Topic,
    WalletAddress,
};
use engine::EventSink;
use futures::future::try_join_all;
use kafka::{KafkaSettings, Producer};
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use uuid::Uuid;

/// A level of the collection and its drawing.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Name of its NFTs.
    pub name: &'static str,
    /// File in the asset directory.
    pub asset: &'static str,
    /// A sentence for the metadata.
    pub description: &'static str,
}

/// The five levels, lowest first.
pub const LEVELS: [Level; 5] = [
    Level { name: "Tech Chicken", asset: "tech-chicken.png", description: "Pecks at charts, lays the odd golden egg." },
    Level { name: "Quant Ape", asset: "quant-ape.png", description: "Reads order books for breakfast." },
    Level { name: "On-chain Hunter", asset: "on-chain-hunter.png", description: "Follows wallets, leaves no trace." },
    Level { name: "Alpha Alchemist", asset: "alpha-alchemist.png", description: "Turns noise into gold." },
    Level {
        name: "Quantum Alchemist",
        asset: "quantum-alchemist.png",
        description: "In profit and in loss, unobserved.",
    },
];

/// One operation that the demo publishes.
#[derive(Debug, Clone)]
pub struct Order {
    /// The event.
    pub event: OperationRequested,
    /// The level it is of.
    pub level: Level,
}

/// That many operations, level after level, each for a wallet of its own.
#[must_use]
pub fn campaign(operations: usize) -> Vec<Order> {
    orders(0).take(operations).collect()
}

/// Operations without end, numbered on from `first`. Each is made when it is asked for: its id begins with that time.
pub fn orders(first: usize) -> impl Iterator<Item = Order> {
    let levels = LEVELS.into_iter().enumerate().cycle().skip(first % LEVELS.len());
    (first..).zip(levels).map(|(number, (level, of))| order(number, level, of))
}

fn order(number: usize, level: usize, of: Level) -> Order {
    let level_number = u32::try_from(level + 1).unwrap_or(u32::MAX);
    let attribute = Attribute { trait_type: "Level".into(), value: level_number.to_string() };
    let event = OperationRequested {
        operation_id: OperationId::from_uuid(Uuid::now_v7()),
        kind: OperationKind::Unlock,
        user_id: format!("demo-user-{}", number + 1),
        wallet_address: WalletAddress::from_bytes(Keypair::new().pubkey().to_bytes()),
        priority: Priority::Normal,
        nft: Nft {
            name: format!("{} #{}", of.name, number + 1),
            symbol: "AIW3".into(),
            description: of.description.into(),
            level: level_number,
            image: format!("asset:{}", of.asset),
            attributes: vec![attribute],
            seller_fee_basis_points: 500,
            collection: None,
        },
        burn: None,
    };
    Order { event, level: of }
}

/// Publishes as an API does, all at once; ready when every record is acknowledged.
///
/// # Errors
/// Kafka does not take them.
pub async fn publish(env: &BTreeMap<String, String>, orders: &[Order]) -> Result<()> {
    let producer = Producer::start(&KafkaSettings::new(brokers(env)?, "devstack-demo"))?;
    let records = orders.iter().map(record).collect::<Result<Vec<_>>>()?;
    try_join_all(records.into_iter().map(|record| producer.publish(record))).await.context("publishing operations")?;
    Ok(())
}

/// The brokers of the stack.
pub fn brokers(env: &BTreeMap<String, String>) -> Result<String> {
    env.get("KAFKA_BROKERS").cloned().context("the stack has no KAFKA_BROKERS")
}

/// The record that an API publishes for an operation.
pub(crate) fn record(order: &Order) -> Result<OutgoingRecord> {
    let event = &order.event;
    let id = event.operation_id;
    let envelope = Envelope {
        id: *id.as_uuid(),
        source: "/devstack/demo",
        kind: OperationRequested::KIND,
        time: chrono::DateTime::from_timestamp_millis(created_at(id)).unwrap_or_default(),
        trace_parent: None,
    };
    Ok(OutgoingRecord {
        topic: Topic::Operations.name(""),
        partition: None,
        key: Some(id.to_string().into_bytes()),
        value: Some(serde_json::to_vec(event)?),
        headers: envelope.headers(),
    })
}

/// A UUID of version 7 begins with the time it was made, milliseconds since 1970.
pub(crate) fn created_at(id: OperationId) -> i64 {
    i64::try_from(id.as_uuid().as_u128() >> 80).unwrap_or_default()
}
