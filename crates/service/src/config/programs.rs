//! What each worker reads, whole.

use std::time::Duration;

use resilience::BreakerSettings;
use solana::FeePolicy;

use super::breaker::breaker_settings;
use super::database::database_settings;
use super::env::Env;
use super::fees::fee_policy;
use super::funding::FundingSettings;
use super::kafka::consuming_kafka_settings;
use super::keys::{MintKeySettings, PayerSettings};
use super::limits::WorkLimits;
use super::pinning::PinningSettings;
use super::sections::{GatewaySettings, ImageSettings, PartnerUrl};
use super::solana::SolanaSettings;
use super::table;

/// Seconds.
const DAY: u64 = 24 * 60 * 60;

/// What every worker needs.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// The database.
    pub database: store::PoolSettings,
    /// The broker.
    pub kafka: kafka::KafkaSettings,
    /// Of every breaker.
    pub breaker: BreakerSettings,
    /// Of every consumer group.
    pub limits: WorkLimits,
}

impl WorkerConfig {
    fn read(env: &mut Env) -> Self {
        Self {
            database: database_settings(env),
            kafka: consuming_kafka_settings(env),
            breaker: breaker_settings(env),
            limits: WorkLimits::read(env),
        }
    }
}

/// The configuration of `ipfs-uploader`.
#[derive(Debug, Clone)]
pub struct UploaderConfig {
    /// What every worker needs.
    pub worker: WorkerConfig,
    /// Where content is pinned.
    pub pinning: PinningSettings,
    /// Where `ipfs:` images are read.
    pub gateways: GatewaySettings,
    /// Where images may come from.
    pub images: ImageSettings,
    /// How long after it failed an operation is rolled back.
    pub rollback_after: Duration,
}

/// The configuration of `mint-submitter`.
#[derive(Debug, Clone)]
pub struct SubmitterConfig {
    /// What every worker needs.
    pub worker: WorkerConfig,
    /// The chain.
    pub solana: SolanaSettings,
    /// What is paid for a place in a block.
    pub fees: FeePolicy,
    /// How the payers are kept in funds.
    pub funding: FundingSettings,
    /// The keys.
    pub keys: MintKeySettings,
}

/// The configuration of `verifier`.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    /// What every worker needs.
    pub worker: WorkerConfig,
    /// The chain.
    pub solana: SolanaSettings,
    /// Whom the NFTs must name.
    pub payers: PayerSettings,
    /// Where content is read back.
    pub gateways: GatewaySettings,
    /// How long after they were decided the bytes of transactions are kept.
    pub attempt_bytes_kept: Duration,
    /// How often chain and records are compared.
    pub reconcile_every: Duration,
    /// The partner who is asked about each NFT, where there is one.
    pub partner: Option<PartnerUrl>,
}

/// The configuration of a worker, besides that of its process.
pub trait Config: Sized {
    /// Reads it; what is wrong is noted in `env`, and the value is then worth nothing.
    fn read(env: &mut Env) -> Self;
}

impl Config for UploaderConfig {
    fn read(env: &mut Env) -> Self {
        Self {
            worker: WorkerConfig::read(env),
            pinning: PinningSettings::read(env),
            gateways: GatewaySettings::read(env),
            images: ImageSettings::read(env),
            rollback_after: Duration::from_secs(env.number(&table::ROLLBACK_AFTER_SECONDS, 0..=366 * DAY)),
        }
    }
}

impl Config for SubmitterConfig {
    fn read(env: &mut Env) -> Self {
        Self {
            worker: WorkerConfig::read(env),
            solana: SolanaSettings::read(env),
            fees: fee_policy(env),
            funding: FundingSettings::read(env),
            keys: MintKeySettings::read(env),
        }
    }
}

impl Config for VerifierConfig {
    fn read(env: &mut Env) -> Self {
        Self {
            worker: WorkerConfig::read(env),
            solana: SolanaSettings::read(env),
            payers: PayerSettings::read(env),
            gateways: GatewaySettings::read(env),
            attempt_bytes_kept: Duration::from_secs(env.number(&table::ATTEMPT_BYTES_KEPT_DAYS, 1..=3_660) * DAY),
            reconcile_every: Duration::from_secs(env.number(&table::RECONCILE_EVERY_SECONDS, 10..=30 * DAY)),
            partner: env.optional_url(&table::PARTNER_VERIFY_URL).map(PartnerUrl),
        }
    }
}
