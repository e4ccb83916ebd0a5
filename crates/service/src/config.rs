//! What a program is told by its environment: read once, checked whole, all problems in one message.

mod breaker;
mod database;
mod env;
mod fees;
mod fleet;
mod funding;
mod kafka;
mod keys;
mod limits;
mod masters;
mod pinning;
mod programs;
mod sections;
mod solana;
pub mod table;
mod variable;

pub use breaker::breaker_settings;
pub use database::{database_settings, small_database_settings};
pub use env::{ConfigError, Env};
pub use fees::fee_policy;
pub use fleet::FleetSettings;
pub use funding::{FundingSettings, funding_policy};
pub use kafka::{consuming_kafka_settings, kafka_settings};
pub use keys::{MintKeySettings, PayerSettings};
pub use limits::WorkLimits;
pub use masters::MasterSettings;
pub use pinning::PinningSettings;
pub use programs::{Config, SubmitterConfig, UploaderConfig, VerifierConfig, WorkerConfig};
pub use sections::{GatewaySettings, ImageSettings, LogFormat, PartnerUrl, PinataSettings, ProcessSettings, asset_dir};
pub use solana::SolanaSettings;
pub use variable::{Program, Variable, help};

#[cfg(test)]
mod tests;
