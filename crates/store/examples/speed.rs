//! How many transitions a second PostgreSQL takes from the store, by size of batch and writers at once:
//! `scratch-database cargo run -p store --example speed -- [OPERATIONS] [BATCH] [WRITERS]`.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use domain::{
    Attempt, Cid, MintAddress, NewOperation, NftRecord, Operation, OperationRequested, Record, Signature, Transition,
    WalletAddress,
};
use engine::{Commit, Committed, Inserted, OperationStore, Pin, PinLedger, Pinned};
use store::{PoolSettings, Store};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse());
    let mut next = |default: u64| arguments.next().unwrap_or(Ok(default));
    let (operations, batch, writers) = (next(3_000)?, usize::try_from(next(100)?)?, next(4)?);
    let url = std::env::var_os("DATABASE_URL").and_then(|url| url.into_string().ok()).context("DATABASE_URL")?;
    let store = Arc::new(Store::connect(&PoolSettings::new(url)).await?);
    let contents = [image(), metadata()];
    let pin = |cid| Pin { cid, size: 1, provider: "pinata".into() };
    let pins = contents.map(|cid| Pinned { pin: pin(cid), since: DateTime::UNIX_EPOCH });
    store.pinned(&pins).await?;

    let began = Instant::now();
    let tasks = (0..writers).map(|writer| {
        let numbers: Vec<u64> = (writer..operations).step_by(usize::try_from(writers).unwrap_or(1)).collect();
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for part in numbers.chunks(batch) {
                carry_through(&store, part).await?;
            }
            anyhow::Ok(())
        })
    });
    for task in futures::future::join_all(tasks).await {
        task??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let count = u32::try_from(operations).map(f64::from)?;
    println!("{operations} operations in {seconds:.2} s, batches of {batch}, {writers} writers:");
    println!("{:.0} operations/s, {:.0} rows written per second", count / seconds, count * 6.0 / seconds);
    Ok(())
}

/// An insert, five transitions, and a load before each.
async fn carry_through(store: &Store, numbers: &[u64]) -> Result<()> {
    let new: Vec<NewOperation> = numbers.iter().map(|number| new_operation(*number)).collect::<Result<_>>()?;
    let inserted = store.insert(&new).await?;
    ensure!(inserted.iter().all(|answer| matches!(answer, Inserted::Present(_))), "conflicts");
    let ids: Vec<_> = new.iter().map(|new| new.id).collect();
    for stage in 0..5 {
        let mut snapshot = store.load(&ids).await?;
        let mut commits = Vec::with_capacity(ids.len());
        for (id, number) in ids.iter().zip(numbers) {
            let operation = snapshot.operations.remove(id).context("no row")??;
            let transition = transition(stage, *number, &operation);
            commits.push(Commit { operation, transition });
        }
        let committed = store.commit(&commits).await?;
        ensure!(committed.iter().all(|answer| matches!(answer, Committed::At(_))), "{committed:?}");
    }
    Ok(())
}

fn transition(stage: usize, number: u64, operation: &Operation) -> Transition {
    let mint = MintAddress::from_bytes(bytes(number));
    let signature = Signature::from_bytes(bytes(number));
    match stage {
        0 => Transition::IpfsUploaded { image_cid: image(), metadata_cid: metadata() },
        1 => Transition::Submitted {
            mint,
            key_id: "k1".into(),
            attempt: Attempt {
                signature,
                wire: vec![7; 702],
                payer: Some(WalletAddress::from_bytes([7; 32])),
                blockhash: "EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N".into(),
                last_valid_block_height: 1,
                context_slot: 1,
                compute_unit_price: 1,
                endpoint: "primary".into(),
                cost: None,
            },
            decided: None,
        },
        2 => Transition::Confirmed { mint, signature },
        3 => Transition::DatabaseUpdated {
            record: NftRecord {
                mint,
                owner: operation.content.wallet_address,
                name: operation.content.nft.name.clone(),
                symbol: operation.content.nft.symbol.clone(),
                uri: format!("ipfs://{}", metadata()),
                signature,
                slot: 1,
            },
        },
        _ => Transition::Verified,
    }
}

fn new_operation(number: u64) -> Result<NewOperation> {
    let event = testkit::event(testkit::operation_id(number), "Tech Chicken");
    let record = Record {
        topic: String::new(),
        partition: 0,
        offset: 0,
        timestamp: None,
        key: None,
        value: Some(event.into_bytes()),
        headers: vec![],
    };
    Ok(OperationRequested::accept(&record, DateTime::UNIX_EPOCH)?)
}

fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let mut bytes = [7; N];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn image() -> Cid {
    Cid::from_str("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy").expect("a content id")
}

fn metadata() -> Cid {
    Cid::from_str("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq").expect("a content id")
}
