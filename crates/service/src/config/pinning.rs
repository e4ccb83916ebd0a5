//! Where content is pinned.

use secrecy::ExposeSecret as _;
use url::Url;

use super::env::Env;
use super::sections::PinataSettings;
use super::table;

/// Where content is pinned, and who stands in while that is down.
#[derive(Debug, Clone)]
pub struct PinningSettings {
    /// The account that is to hold everything.
    pub pinata: PinataSettings,
    /// Another account.
    pub backup: Option<PinataSettings>,
    /// A node of our own.
    pub kubo: Option<Url>,
    /// What the plan of an account allows.
    pub requests_per_minute: u32,
    /// Larger uploads are resumable, bytes.
    pub resumable_above: u64,
}

impl PinningSettings {
    /// Reads the providers. A backup that is the first account once more is a mistake.
    pub fn read(env: &mut Env) -> Self {
        let pinata = PinataSettings::read(env);
        let backup = backup(env);
        if backup.as_ref().is_some_and(|backup| is_same(backup, &pinata)) {
            env.problem("PINATA_BACKUP_API_KEY: the account of PINATA_API_KEY, which cannot stand in for itself");
        }
        Self {
            pinata,
            backup,
            kubo: env.optional_url(&table::KUBO_API_URL),
            requests_per_minute: env.number(&table::PINATA_REQUESTS_PER_MINUTE, 1..=1_000_000),
            resumable_above: env.number(&table::PINATA_RESUMABLE_ABOVE_BYTES, 0..=u64::MAX),
        }
    }
}

fn backup(env: &mut Env) -> Option<PinataSettings> {
    let (api_url, uploads_url) = (env.url(&table::PINATA_BACKUP_API_URL), env.url(&table::PINATA_BACKUP_UPLOADS_URL));
    let api_key = env.optional_secret(&table::PINATA_BACKUP_API_KEY)?;
    Some(PinataSettings { api_url, uploads_url, api_key })
}

fn is_same(one: &PinataSettings, other: &PinataSettings) -> bool {
    one.uploads_url == other.uploads_url && one.api_key.expose_secret() == other.api_key.expose_secret()
}
