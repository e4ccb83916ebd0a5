//! The master secrets and what is on record of them: a wrong one is noticed before anything is derived from it.

use anyhow::bail;
use domain::OperationId;
use solana::{MasterSecret, MasterSecrets};
use store::{MintKeyRecord, Store};

/// Something that is wrong with the master secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintKeyProblem {
    /// Another secret has that name.
    #[error(
        "the master secret {key_id} is not the one that the database knows by that name: correct it, or give a new secret a \
         new MINT_KEY_ID and list the one before in MINT_RETIRED_SECRETS"
    )]
    OtherSecret {
        /// The name.
        key_id: String,
    },
    /// The secret has another name.
    #[error("the master secret {key_id} is on record as {recorded}: a secret keeps its name")]
    OtherName {
        /// What it is called here.
        key_id: String,
        /// What the database calls it.
        recorded: String,
    },
    /// Operations have their addresses from a secret that nobody gave.
    #[error(
        "the master secret {key_id} is on record and not configured: list it in MINT_RETIRED_SECRETS, for operations may have \
         their NFTs from it"
    )]
    NotConfigured {
        /// Its name.
        key_id: String,
    },
    /// An operation has another address than the secret derives.
    #[error("the master secret {key_id} does not derive the address that operation {operation} has from it")]
    OtherAddress {
        /// Its name.
        key_id: String,
        /// Whose address.
        operation: OperationId,
    },
}

/// What a look at the records told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MintKeyCheck {
    /// All that is wrong.
    pub problems: Vec<MintKeyProblem>,
    /// Secrets that are not on record yet, by name.
    pub unknown: Vec<String>,
}

/// Compares the configured master secrets with what is on record, and changes nothing. One that is not on record yet has to
/// derive the address of an operation that names it, where there is one.
///
/// # Errors
/// The database's trouble.
pub async fn check_mint_keys(store: &Store, masters: &MasterSecrets) -> anyhow::Result<MintKeyCheck> {
    let mut check = compare(&store.mint_keys().await?, masters);
    for secret in masters.all().filter(|secret| check.unknown.iter().any(|name| name == secret.key_id())) {
        if let Some((operation, mint)) = store.address_derived_from(secret.key_id()).await?
            && secret.address(&operation) != mint
        {
            check.problems.push(MintKeyProblem::OtherAddress { key_id: secret.key_id().to_owned(), operation });
        }
    }
    Ok(check)
}

/// As [`check_mint_keys`]; then puts on record what is not there yet. Answers the names of those.
///
/// # Errors
/// Everything that is wrong with the secrets, at once; the database's trouble.
pub async fn record_mint_keys(store: &Store, masters: &MasterSecrets) -> anyhow::Result<Vec<String>> {
    let MintKeyCheck { problems, unknown } = check_mint_keys(store, masters).await?;
    refuse(&problems)?;
    for secret in masters.all().filter(|secret| unknown.iter().any(|name| name == secret.key_id())) {
        store.record_mint_key(secret.key_id(), &secret.fingerprint()).await?;
    }
    // Somebody may have been first, with another secret under that name.
    refuse(&check_mint_keys(store, masters).await?.problems)?;
    Ok(unknown)
}

fn refuse(problems: &[MintKeyProblem]) -> anyhow::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    bail!("the mint keys are wrong:\n  {}", problems.join("\n  "))
}

fn compare(records: &[MintKeyRecord], masters: &MasterSecrets) -> MintKeyCheck {
    let mut check = MintKeyCheck::default();
    for secret in masters.all() {
        let key_id = secret.key_id().to_owned();
        let named = records.iter().find(|record| record.key_id == key_id);
        let alike = records.iter().find(|record| record.fingerprint == secret.fingerprint());
        match (named, alike) {
            (Some(named), Some(alike)) if named == alike => {}
            (_, Some(alike)) => {
                let recorded = alike.key_id.clone();
                check.problems.push(MintKeyProblem::OtherName { key_id, recorded });
            }
            (Some(_), None) => check.problems.push(MintKeyProblem::OtherSecret { key_id }),
            (None, None) => check.unknown.push(key_id),
        }
    }
    let configured: Vec<_> = masters.all().map(MasterSecret::key_id).collect();
    let missing = records.iter().filter(|record| !configured.contains(&&*record.key_id));
    check.problems.extend(missing.map(|record| MintKeyProblem::NotConfigured { key_id: record.key_id.clone() }));
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key_id: &str, byte: u8) -> MasterSecret {
        MasterSecret::parse(key_id.into(), &format!("{byte:02x}").repeat(32).into()).unwrap()
    }

    fn record(key_id: &str, byte: u8) -> MintKeyRecord {
        let fingerprint = secret(key_id, byte).fingerprint();
        MintKeyRecord { key_id: key_id.into(), fingerprint, activated_at: None, settled_height: None }
    }

    #[test]
    fn secrets_are_what_the_records_say_or_new() {
        let masters = MasterSecrets::new(secret("k2", 8), vec![secret("k1", 7)]).unwrap();
        let unknown = |names: &[&str]| MintKeyCheck {
            problems: vec![],
            unknown: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(compare(&[], &masters), unknown(&["k2", "k1"]));
        assert_eq!(compare(&[record("k1", 7)], &masters), unknown(&["k2"]));
        assert_eq!(compare(&[record("k2", 8), record("k1", 7)], &masters), unknown(&[]));
    }

    #[test]
    fn whatever_contradicts_the_records_is_named_all_at_once() {
        let masters = MasterSecrets::new(secret("k2", 8), vec![secret("k1", 7)]).unwrap();
        let check = compare(&[record("k1", 6), record("two", 8), record("k0", 5)], &masters);
        let key_id = |name: &str| name.to_owned();
        assert_eq!(
            check.problems,
            [
                MintKeyProblem::OtherName { key_id: key_id("k2"), recorded: key_id("two") },
                MintKeyProblem::OtherSecret { key_id: key_id("k1") },
                MintKeyProblem::NotConfigured { key_id: key_id("two") },
                MintKeyProblem::NotConfigured { key_id: key_id("k0") },
            ]
        );
    }
}
