//! What the tests share: a store on a fresh database, and operations brought to any state.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    Attempt, Cid, DecidedAttempt, Failure, MintAddress, NewOperation, NftRecord, Operation, OperationId,
    OperationRequested, Record, Signature, State, Transition, Verdict,
};
use engine::{Commit, Committed, Inserted, OperationStore, Pin, PinLedger, StoreError};
use sqlx::{AssertSqlSafe, PgPool};
use store::{PoolSettings, Store};
use testkit::{Database, operation_id};

/// A store on a database of its own, and a way round it.
pub struct Fixture {
    pub store: Arc<Store>,
    /// As a person with a prompt has it.
    pub sql: PgPool,
    pub database: Database,
}

impl Fixture {
    pub async fn new() -> Self {
        let database = Database::fresh().await;
        let store = Arc::new(connect(&database).await);
        let sql = PgPool::connect(&database.url()).await.unwrap();
        Self { store, sql, database }
    }

    /// A second process.
    pub async fn another_store(&self) -> Store {
        connect(&self.database).await
    }

    /// Types a statement by hand.
    pub async fn execute(&self, sql: impl Into<String>) -> Result<u64, String> {
        let result = sqlx::query(AssertSqlSafe(sql.into())).execute(&self.sql).await;
        result.map(|done| done.rows_affected()).map_err(|error| error.to_string())
    }

    /// Types a statement that has to work.
    pub async fn must_execute(&self, sql: impl Into<String>) {
        let sql = sql.into();
        self.execute(sql.clone()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn load(&self, id: OperationId) -> Operation {
        let mut snapshot = self.store.load(&[id]).await.unwrap();
        snapshot.operations.remove(&id).expect("the operation has a row").unwrap()
    }

    pub async fn commit(&self, operation: &Operation, transition: Transition) -> Result<Committed, StoreError> {
        let commit = Commit { operation: operation.clone(), transition };
        Ok(self.store.commit(&[commit]).await?.remove(0))
    }

    /// Commits what has to work.
    pub async fn advance(&self, operation: &Operation, transition: Transition) -> Operation {
        let committed = self.commit(operation, transition.clone()).await.unwrap();
        let Committed::At(at) = committed else { panic!("{transition:?} of {operation:?}: {committed:?}") };
        operation.after(&transition, at).unwrap()
    }

    pub async fn inserted(&self, number: u64) -> Operation {
        match self.store.insert(&[new_operation(number)]).await.unwrap().remove(0) {
            Inserted::Present(operation) => *operation,
            Inserted::Conflict => panic!("operation {number} has other content"),
        }
    }

    /// An operation that came to that state by the flow's own way.
    pub async fn standing(&self, number: u64, state: State) -> Operation {
        let mut operation = self.inserted(number).await;
        for transition in way(number, state) {
            operation = self.advance(&operation, transition).await;
        }
        if state == State::RolledBack {
            let sql = format!(
                "UPDATE minting_operations SET state = 'ROLLED_BACK', previous_state = state, version = version + 1
                 WHERE id = '{}'",
                operation.id
            );
            self.must_execute(sql).await;
        }
        self.load(operation.id).await
    }

    pub async fn pin(&self, cids: &[Cid]) {
        self.store.pinned(&cids.iter().map(pin).collect::<Vec<_>>()).await.unwrap();
    }

    pub async fn with_contents() -> Self {
        let fixture = Self::new().await;
        fixture.pin(&[image(), metadata()]).await;
        fixture
    }
}

async fn connect(database: &Database) -> Store {
    let settings = PoolSettings { min_connections: 0, max_connections: 5, ..PoolSettings::new(database.url()) };
    Store::connect(&settings).await.unwrap()
}

/// How an operation comes to a state; ROLLED_BACK lies one hand-typed statement behind FAILED.
fn way(number: u64, state: State) -> Vec<Transition> {
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

pub fn new_operation(number: u64) -> NewOperation {
    named_operation(number, "Tech Chicken")
}

pub fn named_operation(number: u64, name: &str) -> NewOperation {
    let record = Record {
        topic: "nft-operations".into(),
        partition: 0,
        offset: 0,
        timestamp: DateTime::from_timestamp_millis(1_764_000_000_123),
        key: None,
        value: Some(testkit::event(operation_id(number), name).into_bytes()),
        headers: vec![],
    };
    OperationRequested::accept(&record, DateTime::UNIX_EPOCH).unwrap()
}

pub fn image() -> Cid {
    "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".parse().unwrap()
}

pub fn metadata() -> Cid {
    "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq".parse().unwrap()
}

pub fn pin(cid: &Cid) -> Pin {
    Pin { cid: cid.clone(), size: 4_096, provider: "pinata".into() }
}

pub fn mint(number: u64) -> MintAddress {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    MintAddress::from_bytes(bytes)
}

/// The name of the n-th attempt of an operation.
pub fn signature(number: u64, attempt: u8) -> Signature {
    let mut bytes = [attempt; 64];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Signature::from_bytes(bytes)
}

pub fn attempt(number: u64, nth: u8) -> Attempt {
    Attempt {
        signature: signature(number, nth),
        wire: vec![nth; 702],
        blockhash: "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".into(),
        last_valid_block_height: 300_000_000 + u64::from(nth),
        context_slot: 320_000_000,
        compute_unit_price: 1_000,
        endpoint: "primary".into(),
    }
}

pub fn image_uploaded() -> Transition {
    Transition::ImageUploaded { image_cid: image() }
}

pub fn ipfs_uploaded() -> Transition {
    Transition::IpfsUploaded { image_cid: image(), metadata_cid: metadata() }
}

pub fn submitted(number: u64, nth: u8, decided: Option<DecidedAttempt>) -> Transition {
    Transition::Submitted { mint: mint(number), key_id: "k1".into(), attempt: attempt(number, nth), decided }
}

pub fn confirmed(number: u64, nth: u8) -> Transition {
    Transition::Confirmed { mint: mint(number), signature: signature(number, nth) }
}

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

pub fn failed(decided: Option<DecidedAttempt>) -> Transition {
    Transition::Failed { failure: Failure::permanent("not-an-image", "the bytes are no image"), decided }
}

pub fn expired(number: u64, nth: u8) -> DecidedAttempt {
    DecidedAttempt { signature: signature(number, nth), verdict: Verdict::Expired }
}

/// Asks again until the answer is yes, for ten seconds at most.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, waiting).await.unwrap_or_else(|_| panic!("not within {deadline:?}: {what}"));
}

/// Ready once so many sessions wait for a lock.
pub async fn somebody_waits(sql: &PgPool, sessions: i64) {
    eventually("a session waits for a lock", || async { waiting(sql).await >= sessions }).await;
}

/// Ready once no session waits for a lock.
pub async fn nobody_waits(sql: &PgPool) {
    eventually("no session waits for a lock", || async { waiting(sql).await == 0 }).await;
}

async fn waiting(sql: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(sql)
    .await
    .unwrap()
}

pub fn count_committed(answers: &[Committed]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Committed::At(_))).count()
}

pub fn later() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(4_000_000_000_000).unwrap()
}
