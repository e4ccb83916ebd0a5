//! Operations on their way: what steps would answer with, for tests of stores. Everything is told apart by a number, so
//! that two operations share nothing but their contents.

use chrono::{DateTime, Utc};
use domain::{
    Attempt, Cid, DecidedAttempt, Failure, MintAddress, MintCost, NewOperation, NftRecord, OperationRequested, Record,
    Signature, State, Transition, Verdict, WalletAddress,
};
use engine::{Pin, Pinned};

use crate::samples::{event, operation_id};

/// An operation that was accepted.
#[must_use]
pub fn new_operation(number: u64) -> NewOperation {
    named_operation(number, "Tech Chicken")
}

/// An operation that was accepted, with an NFT of that name.
///
/// # Panics
/// Where no NFT may have that name.
#[must_use]
pub fn named_operation(number: u64, name: &str) -> NewOperation {
    let record = Record {
        topic: "nft-operations".into(),
        partition: 0,
        offset: 0,
        timestamp: DateTime::from_timestamp_millis(1_764_000_000_123),
        key: None,
        value: Some(event(operation_id(number), name).into_bytes()),
        headers: vec![],
    };
    OperationRequested::accept(&record, DateTime::UNIX_EPOCH).expect("the sample is valid")
}

/// The image of all of them.
///
/// # Panics
/// Never: it is a content id.
#[must_use]
pub fn image() -> Cid {
    "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".parse().expect("a content id")
}

/// The metadata of all of them.
///
/// # Panics
/// Never: it is a content id.
#[must_use]
pub fn metadata() -> Cid {
    "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq".parse().expect("a content id")
}

/// A content at the first provider.
#[must_use]
pub fn pin(cid: &Cid) -> Pin {
    Pin { cid: cid.clone(), size: 4_096, provider: "pinata".into() }
}

/// A content at the backup.
#[must_use]
pub fn at_the_backup(cid: &Cid) -> Pin {
    Pin { provider: "kubo".into(), ..pin(cid) }
}

/// A content that a provider took after whatever was unpinned before.
#[must_use]
pub fn taken(pin: Pin) -> Pinned {
    Pinned { pin, since: later() }
}

/// An operation's own mint address.
#[must_use]
pub fn mint(number: u64) -> MintAddress {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    MintAddress::from_bytes(bytes)
}

/// The name of the n-th attempt of an operation.
#[must_use]
pub fn signature(number: u64, attempt: u8) -> Signature {
    let mut bytes = [attempt; 64];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Signature::from_bytes(bytes)
}

/// What every attempt costs where it lands.
pub const COST: MintCost = MintCost { base_fee: 10_000, priority_fee: 200, rent: 5_000_000, protocol_fee: 10_000_000 };

/// The n-th attempt of an operation.
#[must_use]
pub fn attempt(number: u64, nth: u8) -> Attempt {
    Attempt {
        signature: signature(number, nth),
        wire: vec![nth; 702],
        payer: Some(WalletAddress::from_bytes([nth; 32])),
        blockhash: "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".into(),
        last_valid_block_height: 300_000_000 + u64::from(nth),
        context_slot: 320_000_000,
        compute_unit_price: 1_000,
        endpoint: "primary".into(),
        cost: Some(COST),
    }
}

/// The image is pinned.
#[must_use]
pub fn image_uploaded() -> Transition {
    Transition::ImageUploaded { image_cid: image() }
}

/// Image and metadata are pinned.
#[must_use]
pub fn ipfs_uploaded() -> Transition {
    Transition::IpfsUploaded { image_cid: image(), metadata_cid: metadata() }
}

/// The n-th attempt is signed.
#[must_use]
pub fn submitted(number: u64, nth: u8, decided: Option<DecidedAttempt>) -> Transition {
    Transition::Submitted { mint: mint(number), key_id: "k1".into(), attempt: attempt(number, nth), decided }
}

/// The n-th attempt minted it.
#[must_use]
pub fn confirmed(number: u64, nth: u8) -> Transition {
    Transition::Confirmed { mint: mint(number), signature: signature(number, nth) }
}

/// It is final that the n-th attempt minted it.
#[must_use]
pub fn database_updated(number: u64, nth: u8) -> Transition {
    let record = NftRecord {
        mint: mint(number),
        owner: new_operation(number).content.wallet_address,
        name: "Tech Chicken".into(),
        symbol: "AIW3".into(),
        uri: format!("ipfs://{}", metadata()),
        signature: signature(number, nth),
        slot: 320_000_007,
    };
    Transition::DatabaseUpdated { record }
}

/// It failed for good.
#[must_use]
pub fn failed(decided: Option<DecidedAttempt>) -> Transition {
    Transition::Failed { failure: Failure::permanent("not-an-image", "the bytes are no image"), decided }
}

/// The n-th attempt can land no more.
#[must_use]
pub fn expired(number: u64, nth: u8) -> DecidedAttempt {
    DecidedAttempt { signature: signature(number, nth), verdict: Verdict::Expired }
}

/// Every transition there is, from every state it may follow.
#[must_use]
pub fn every_transition(number: u64) -> Vec<(State, Transition)> {
    use State as S;
    let again = || submitted(number, 1, Some(expired(number, 0)));
    vec![
        (S::Initiated, image_uploaded()),
        (S::Initiated, ipfs_uploaded()),
        (S::Initiated, failed(None)),
        (S::ImageUploaded, ipfs_uploaded()),
        (S::ImageUploaded, failed(None)),
        (S::IpfsUploaded, submitted(number, 0, None)),
        (S::IpfsUploaded, confirmed(number, 0)),
        (S::IpfsUploaded, failed(None)),
        (S::BlockchainSubmitted, again()),
        (S::BlockchainSubmitted, confirmed(number, 0)),
        (S::BlockchainSubmitted, failed(Some(expired(number, 0)))),
        (S::BlockchainConfirmed, database_updated(number, 0)),
        (S::BlockchainConfirmed, Transition::Dropped),
        (S::BlockchainConfirmed, again()),
        (S::DatabaseUpdated, Transition::Verified),
        (S::Failed, ipfs_uploaded()),
        (S::Failed, confirmed(number, 0)),
        (S::RolledBack, confirmed(number, 0)),
    ]
}

/// How an operation comes to a state by the flow's own way. To ROLLED_BACK no step brings it: the way ends at FAILED.
#[must_use]
pub fn way(number: u64, state: State) -> Vec<Transition> {
    let uploaded = ipfs_uploaded();
    let submitted = submitted(number, 0, None);
    let confirmed = confirmed(number, 0);
    let recorded = database_updated(number, 0);
    match state {
        State::Initiated => vec![],
        State::ImageUploaded => vec![image_uploaded()],
        State::IpfsUploaded => vec![uploaded],
        State::BlockchainSubmitted => vec![uploaded, submitted],
        State::BlockchainConfirmed => vec![uploaded, submitted, confirmed],
        State::DatabaseUpdated => vec![uploaded, submitted, confirmed, recorded],
        State::Verified => vec![uploaded, submitted, confirmed, recorded, Transition::Verified],
        State::Failed | State::RolledBack => vec![uploaded, failed(None)],
    }
}

/// A time that no test lives to see.
///
/// # Panics
/// Never: there is such a time.
#[must_use]
pub fn later() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(4_000_000_000_000).expect("a time")
}
