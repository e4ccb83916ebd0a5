//! What a program is told by its environment: read once, checked whole, all problems in one message.

mod database;
mod env;
mod kafka;
mod programs;
mod sections;
pub mod table;
mod variable;

pub use database::{database_settings, small_database_settings};
pub use env::{ConfigError, Env};
pub use kafka::{consuming_kafka_settings, kafka_settings};
pub use programs::{Config, SubmitterConfig, UploaderConfig, VerifierConfig, WorkerConfig};
pub use sections::{
    EndpointSetting, GatewaySettings, ImageSettings, LogFormat, MintKeySettings, PayerSettings, PinataSettings,
    ProcessSettings, SolanaSettings, asset_dir,
};
pub use variable::{Program, Variable, help};

#[cfg(test)]
mod tests;
