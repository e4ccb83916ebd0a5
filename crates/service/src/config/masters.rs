//! The master secrets, from which mint addresses are derived.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use solana::{KeyError, MasterSecret, MasterSecrets, SignerCommand};

use super::env::Env;
use super::keys::{entries, signer_command};
use super::table;

/// The master secret in use, and those of before.
#[derive(Debug, Clone)]
pub struct MasterSettings {
    /// None only with a problem noted.
    active: Option<Source>,
    retired: Vec<Source>,
    command: Option<Arc<SignerCommand>>,
}

/// Where a master secret comes from.
#[derive(Debug, Clone)]
enum Source {
    /// It was given.
    Given(MasterSecret),
    /// The signer command is asked for the one of that name.
    Asked(String),
}

impl MasterSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Self {
        let command = signer_command(env);
        let settings = Self {
            retired: read_retired(env, command.is_some()),
            active: read_active(env, command.is_some()),
            command,
        };
        if let Some(Err(error)) = settings.given() {
            env.problem(format!("{}: {error}", table::MINT_RETIRED_SECRETS.name));
        }
        settings
    }

    /// Reads them where there are any: for who has nothing to do with payers.
    pub fn read_optional(env: &mut Env) -> Option<Self> {
        let settings = [&table::MINT_MASTER_SECRET, &table::MINT_SIGNER_CMD].map(|variable| env.optional(variable));
        settings.iter().any(Option::is_some).then(|| Self::read(env))
    }

    /// The secrets themselves.
    ///
    /// # Errors
    /// A signer command that does not give what it is asked for; secrets that contradict each other.
    pub async fn open(&self) -> Result<MasterSecrets, KeyError> {
        let active = self.obtain(self.active.as_ref().ok_or(KeyError::NoMaster)?).await?;
        let mut retired = Vec::new();
        for source in &self.retired {
            retired.push(self.obtain(source).await?);
        }
        MasterSecrets::new(active, retired)
    }

    /// The program that keeps keys, which is started when it is first asked.
    pub(super) const fn command(&self) -> Option<&Arc<SignerCommand>> {
        self.command.as_ref()
    }

    async fn obtain(&self, source: &Source) -> Result<MasterSecret, KeyError> {
        match (source, &self.command) {
            (Source::Given(secret), _) => Ok(secret.clone()),
            (Source::Asked(key_id), Some(command)) => {
                MasterSecret::parse(key_id.clone(), &command.master_secret(key_id).await?)
            }
            (Source::Asked(_), None) => Err(KeyError::NoMaster),
        }
    }

    /// What can be said of them before anybody is asked; none where somebody has to be.
    fn given(&self) -> Option<Result<MasterSecrets, KeyError>> {
        let given = |source: &Source| match source {
            Source::Given(secret) => Some(secret.clone()),
            Source::Asked(_) => None,
        };
        let retired = self.retired.iter().map(given).collect::<Option<Vec<_>>>()?;
        Some(MasterSecrets::new(given(self.active.as_ref()?)?, retired))
    }
}

fn read_active(env: &mut Env, has_command: bool) -> Option<Source> {
    let variable = &table::MINT_MASTER_SECRET;
    let key_id = env.text(&table::MINT_KEY_ID);
    match env.optional_secret(variable) {
        // Something was said of it already.
        Some(secret) if secret.expose_secret().is_empty() => None,
        Some(secret) => {
            let secret = MasterSecret::parse(key_id, &secret).ok();
            if secret.is_none() {
                env.problem(format!("{}: not 32 bytes in hexadecimal", variable.name));
            }
            secret.map(Source::Given)
        }
        None if has_command => Some(Source::Asked(key_id)),
        None => {
            env.problem(format!("missing {} (or {})", variable.name, variable.file_name()));
            None
        }
    }
}

fn read_retired(env: &mut Env, has_command: bool) -> Vec<Source> {
    let variable = &table::MINT_RETIRED_SECRETS;
    let text = env.optional_secret(variable);
    let mut secrets = Vec::new();
    for (index, entry) in text.iter().flat_map(|text| entries(text.expose_secret(), ',')).enumerate() {
        let source = source(entry, has_command);
        if source.is_none() {
            let form = "is not KEY_ID=SECRET with 32 bytes in hexadecimal";
            env.problem(format!("{}: entry {} {form}", variable.name, index + 1));
        }
        secrets.extend(source);
    }
    secrets
}

/// A secret without its name is no name, to be asked for, shown and stored.
fn looks_secret(entry: &str) -> bool {
    entry.len() == 64 && entry.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn source(entry: &str, has_command: bool) -> Option<Source> {
    match entry.split_once('=') {
        Some((key_id, secret)) if !key_id.trim().is_empty() => {
            let secret = MasterSecret::parse(key_id.trim().to_owned(), &SecretString::from(secret));
            secret.ok().map(Source::Given)
        }
        None if has_command && !looks_secret(entry) => Some(Source::Asked(entry.to_owned())),
        Some(_) | None => None,
    }
}
