//! The keys that mint, and the addresses of who minted.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use domain::WalletAddress;
use secrecy::{ExposeSecret, SecretString};
use solana::{KeyError, MintSigner, Payers, Pubkey, Signer, SignerCommand};

use super::env::Env;
use super::masters::MasterSettings;
use super::table;
use super::variable::Variable;

/// The keys that mint. They are read with the rest of the configuration, so that a start shows what is wrong with them
/// beside everything else.
#[derive(Debug, Clone)]
pub struct MintKeySettings {
    payers: Vec<Arc<dyn Signer>>,
    retired_payers: Vec<Pubkey>,
    masters: MasterSettings,
}

impl MintKeySettings {
    /// Reads the keys.
    pub fn read(env: &mut Env) -> Self {
        let has_command = signer_command(env).is_some();
        let settings = Self {
            payers: read_payers(env, has_command),
            retired_payers: read_addresses(env, &table::MINT_RETIRED_PAYERS),
            masters: MasterSettings::read(env),
        };
        if !settings.payers.is_empty()
            && !has_command
            && let Err(error) = Payers::new(settings.payers.iter().cloned(), &settings.retired_payers)
        {
            env.problem(format!("{}: {error}", table::MINT_PAYER_KEYPAIR.name));
        }
        settings
    }

    /// All that signs mints.
    ///
    /// # Errors
    /// A signer command that does not give what it is asked for; keys that contradict each other.
    pub async fn open(&self) -> Result<MintSigner, KeyError> {
        let kept_elsewhere = match self.masters.command() {
            Some(command) => command.signers().await?,
            None => Vec::new(),
        };
        let payers = Payers::new(self.payers.iter().cloned().chain(kept_elsewhere), &self.retired_payers)?;
        Ok(MintSigner::of(payers, self.masters.open().await?))
    }
}

/// Whom minted NFTs may name as their creator and update authority: every payer, retired or not.
#[derive(Debug, Clone)]
pub struct PayerSettings {
    /// Their addresses, each once.
    pub addresses: Vec<Pubkey>,
}

impl PayerSettings {
    /// Reads addresses, and those that belong to keypairs.
    pub fn read(env: &mut Env) -> Self {
        let mut addresses = read_addresses(env, &table::MINT_PAYER_ADDRESS);
        addresses.extend(read_payer_files(env, solana::read_payer_address));
        let variables = [&table::MINT_PAYER_ADDRESS, &table::MINT_PAYER_KEYPAIR];
        if variables.map(|variable| env.optional(variable)) == [None, None] {
            env.problem("missing MINT_PAYER_ADDRESS (or MINT_PAYER_KEYPAIR)");
        }
        addresses.extend(read_addresses(env, &table::MINT_RETIRED_PAYERS));
        addresses.sort_unstable();
        addresses.dedup();
        Self { addresses }
    }
}

fn read_payers(env: &mut Env, has_command: bool) -> Vec<Arc<dyn Signer>> {
    let mut payers = read_payer_files(env, solana::read_payer);
    let variable = &table::MINT_PAYER_SECRET;
    let secrets = env.optional_secret(variable);
    let is_missing = !has_command && secrets.is_none() && env.optional(&table::MINT_PAYER_KEYPAIR).is_none();
    for (index, secret) in secrets.iter().flat_map(|text| entries(text.expose_secret(), ';')).enumerate() {
        match solana::parse_payer(&SecretString::from(secret)) {
            Ok(payer) => payers.push(payer),
            Err(_) => env.problem(format!("{}: entry {} {NO_KEYPAIR}", variable.name, index + 1)),
        }
    }
    if is_missing {
        env.problem("missing MINT_PAYER_KEYPAIR (or MINT_PAYER_SECRET, MINT_PAYER_SECRET_FILE, MINT_SIGNER_CMD)");
    }
    payers
}

const NO_KEYPAIR: &str = "is no JSON list of 64 bytes that make a keypair, as solana-keygen writes it";

/// The paths are not shown: somebody may have put a key there.
fn read_payer_files<T>(env: &mut Env, read: impl Fn(&Path) -> Result<T, KeyError>) -> Vec<T> {
    let variable = &table::MINT_PAYER_KEYPAIR;
    let paths = env.optional(variable).unwrap_or_default();
    let mut payers = Vec::new();
    if !paths.is_empty() && entries(&paths, ',').next().is_none() {
        env.problem(format!("{}: names no file", variable.name));
    }
    for (index, path) in entries(&paths, ',').enumerate() {
        match read(Path::new(path)) {
            Ok(payer) => payers.push(payer),
            Err(KeyError::Unreadable { source, .. }) => {
                env.problem(format!("{}: file {} cannot be read: {source}", variable.name, index + 1));
            }
            Err(_) => env.problem(format!("{}: file {} {NO_KEYPAIR}", variable.name, index + 1)),
        }
    }
    payers
}

fn read_addresses(env: &mut Env, variable: &Variable) -> Vec<Pubkey> {
    let text = env.optional(variable).unwrap_or_default();
    let mut addresses = Vec::new();
    for (index, entry) in entries(&text, ',').enumerate() {
        match WalletAddress::from_str(entry) {
            Ok(address) => addresses.push(Pubkey::from(*address.as_bytes())),
            Err(_) => env.problem(format!("{}: entry {} is no Solana address", variable.name, index + 1)),
        }
    }
    addresses
}

/// The program that keeps keys. It is not started before it is asked, and is told none of the fleet's own secrets.
pub(super) fn signer_command(env: &mut Env) -> Option<Arc<SignerCommand>> {
    let command = env.optional(&table::MINT_SIGNER_CMD).filter(|command| !command.is_empty());
    command.map(|command| SignerCommand::new(command, secrets()))
}

/// What may hold a secret: librdkafka's properties, too.
fn secrets() -> impl Iterator<Item = &'static str> {
    let secret = table::ALL.iter().filter(|variable| variable.secret).map(|variable| variable.name);
    secret.chain([table::KAFKA_PROPERTIES.name])
}

pub(super) fn entries(list: &str, separator: char) -> impl Iterator<Item = &str> {
    list.split(separator).map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_is_told_no_secret_of_the_fleet() {
        let withheld: Vec<_> = secrets().collect();
        let secrets =
            ["DATABASE_URL", "KAFKA_SASL_PASSWORD", "KAFKA_PROPERTIES", "MINT_MASTER_SECRET", "MINT_PAYER_SECRET"];
        assert!(secrets.iter().all(|secret| withheld.contains(secret)), "{withheld:?}");
        assert!(!withheld.contains(&"RUST_LOG") && !withheld.contains(&"MINT_SIGNER_CMD"), "{withheld:?}");
    }
}
