//! Who judges a run: counts NFTs on the ledger, reads every row, and believes no worker.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::{Operation, OperationId, State, Topic};
use solana_sdk::signature::Signature;
use testkit::RecordedAttempt;

use crate::api;
use crate::chain::{Ledger, brief};
use crate::world::World;

/// What the referee says of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What was broken, and of which operation.
    pub broken: Vec<(OperationId, Broken)>,
    /// What there was.
    pub count: Count,
}

/// How much there was of each thing in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Operations asked for.
    pub operations: usize,
    /// Of these, verified,
    pub verified: usize,
    /// and failed with a reason.
    pub failed: usize,
    /// NFTs on the ledger.
    pub nfts: usize,
    /// Transactions that were signed and recorded.
    pub signed: usize,
    /// Rows that the sweeper woke.
    pub woken: usize,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// More than one NFT.
    Double(usize),
    /// Verified, and no NFT.
    Lost,
    /// There is no row.
    NoRow,
    /// It came to no end.
    Stuck(State),
    /// Failed, and there is an NFT.
    FailedAndMinted,
    /// Ended, and an attempt is undecided.
    Undecided,
    /// Failed without a reason.
    NoReason,
    /// An attempt was called dead, and landed.
    DeadAndLanded(String),
    /// An attempt was called final, and is not on the ledger as that.
    FinalAndAbsent(String),
    /// An endpoint was given a transaction that is on no record.
    SentUnrecorded(String),
    /// Verified, and the row names another transaction than the one that minted.
    WrongSignature,
    /// The API never heard of its last version.
    Untold {
        /// What it heard of,
        told: Option<i64>,
        /// and what there is.
        version: i64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Double(nfts) => write!(f, "{nfts} NFTs"),
            Self::Lost => f.write_str("VERIFIED, and there is no NFT"),
            Self::NoRow => f.write_str("its event was consumed, and there is no row"),
            Self::Stuck(state) => write!(f, "stuck in {state}"),
            Self::FailedAndMinted => f.write_str("FAILED, and there is an NFT"),
            Self::Undecided => f.write_str("ended, and an attempt is undecided"),
            Self::NoReason => f.write_str("FAILED without a reason"),
            Self::DeadAndLanded(signature) => write!(f, "{signature} was called dead, and landed"),
            Self::FinalAndAbsent(signature) => write!(f, "{signature} was called final, and is not so on the ledger"),
            Self::SentUnrecorded(signature) => write!(f, "{signature} was sent, and is on no record"),
            Self::WrongSignature => f.write_str("the row names a transaction that did not mint it"),
            Self::Untold { told, version } => write!(f, "version {version} was not told, {told:?} was"),
        }
    }
}

/// Judges a run once everything that may happen has happened.
#[must_use]
pub fn judge(world: &World) -> Verdict {
    let ledger = world.chain.ledger();
    let attempts = world.tables.attempts();
    let minted = minted(&ledger);
    let told = told(world);
    let mut verdict = Verdict::default();
    for id in world.ids() {
        verdict.count.operations += 1;
        let nfts = minted.get(&id).map_or(&[][..], Vec::as_slice);
        let mut breaks = |broken| verdict.broken.push((id, broken));
        if nfts.len() > 1 {
            breaks(Broken::Double(nfts.len()));
        }
        let Some(row) = world.tables.operation(id) else {
            breaks(Broken::NoRow);
            continue;
        };
        end_of(&row, nfts).into_iter().for_each(&mut breaks);
        let told = told.get(&id).copied();
        if told != Some(row.version) {
            breaks(Broken::Untold { told, version: row.version });
        }
        verdict.count.verified += usize::from(row.state == State::Verified);
        verdict.count.failed += usize::from(row.state == State::Failed);
    }
    verdict
        .broken
        .extend(attempts.iter().filter_map(|attempt| Some((attempt.operation, broken_by(attempt, &ledger)?))));
    verdict.broken.extend(unrecorded(&ledger, &attempts));
    verdict.count.nfts = minted.values().map(Vec::len).sum();
    verdict.count.signed = attempts.len();
    verdict.count.woken = world.tables.woken();
    verdict
}

/// Whose NFTs there are, by their names alone, and what minted them.
fn minted(ledger: &Ledger) -> BTreeMap<OperationId, Vec<Signature>> {
    let mut minted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for nft in ledger.nfts() {
        if let Some(id) = api::operation_of(&nft.creation.args.name) {
            minted.entry(id).or_default().push(nft.signature);
        }
    }
    minted
}

/// What is wrong with how an operation ended.
fn end_of(row: &Operation, nfts: &[Signature]) -> Vec<Broken> {
    let mut broken = Vec::new();
    match row.state {
        State::Verified if nfts.is_empty() => broken.push(Broken::Lost),
        State::Verified => {
            let named = row.signature.map(|signature| signature.to_string());
            if !nfts.iter().any(|nft| Some(nft.to_string()) == named) {
                broken.push(Broken::WrongSignature);
            }
        }
        State::Failed => {
            if !nfts.is_empty() {
                broken.push(Broken::FailedAndMinted);
            }
            if row.failure.is_none() {
                broken.push(Broken::NoReason);
            }
        }
        State::Initiated
        | State::ImageUploaded
        | State::IpfsUploaded
        | State::BlockchainSubmitted
        | State::BlockchainConfirmed
        | State::DatabaseUpdated
        | State::RolledBack => return vec![Broken::Stuck(row.state)],
    }
    if row.open_attempt.is_some() {
        broken.push(Broken::Undecided);
    }
    broken
}

/// What an attempt's verdict says, and the ledger does not.
fn broken_by(attempt: &RecordedAttempt, ledger: &Ledger) -> Option<Broken> {
    let signature = attempt.attempt.signature;
    let landed = signature.to_string().parse().ok().and_then(|signature| ledger.landed(&signature));
    let succeeded = landed.map(|landed| landed.error.is_none());
    match (attempt.verdict?, succeeded) {
        (domain::Verdict::Finalized, Some(true))
        | (domain::Verdict::FailedOnChain, Some(false))
        | (domain::Verdict::Expired, None) => None,
        (domain::Verdict::Finalized | domain::Verdict::FailedOnChain, _) => {
            Some(Broken::FinalAndAbsent(brief(&signature)))
        }
        (domain::Verdict::Expired, Some(_)) => Some(Broken::DeadAndLanded(brief(&signature))),
    }
}

/// What endpoints were given that is on no record.
fn unrecorded(ledger: &Ledger, attempts: &[RecordedAttempt]) -> Vec<(OperationId, Broken)> {
    let recorded: BTreeSet<_> = attempts.iter().map(|attempt| attempt.attempt.signature.to_string()).collect();
    let name = |transaction: &crate::chain::MintTransaction| {
        transaction.creations().next().and_then(|creation| api::operation_of(&creation.args.name))
    };
    let sent = ledger.taken().filter(|transaction| !recorded.contains(&transaction.signature.to_string()));
    sent.filter_map(|sent| Some((name(sent)?, Broken::SentUnrecorded(brief(&sent.signature))))).collect()
}

/// As much of a status event as the referee reads.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    operation_id: OperationId,
    version: i64,
}

/// The latest version of each operation that the API was told of.
fn told(world: &World) -> BTreeMap<OperationId, i64> {
    let mut told: BTreeMap<_, i64> = BTreeMap::new();
    for record in world.records(Topic::Status) {
        let status = record.value.as_deref().and_then(|value| serde_json::from_slice::<Told>(value).ok());
        if let Some(status) = status {
            let known = told.entry(status.operation_id).or_default();
            *known = status.version.max(*known);
        }
    }
    told
}
