//! Every row of the failure table on real parts: whatever fails while operations keep coming, each of them becomes one
//! right NFT, and every record that nobody can read a dead letter. How long it takes is for `devstack chaos` to print.

use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::chaos::{ROWS, Round, Tempo};
use devstack::{Stack, StackOptions};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Ten times shorter than in a full run; what the fleet waits for is shortened as well.
const TEMPO: Tempo = Tempo { rate: 5, shortened: 10, after: Duration::from_secs(2) };
const SETTINGS: [(&str, &str); 2] = [("CB_TIMEOUT_MS", "3000"), ("KAFKA_PROPERTIES", "session.timeout.ms=6000")];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_every_operation_becomes_one_nft() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut options = StackOptions::new(dir.path().join("stack"));
    options.slot = Duration::from_millis(100);
    options.settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut stack = Stack::start(options).await?;
    let mut round = Round::begin(&mut stack, TEMPO, StdRng::seed_from_u64(1)).await?;
    let mut bad = Vec::new();
    for row in ROWS {
        let outcome = round.suffer(row).await?;
        eprintln!("{}: {} of {} verified", row.name(), outcome.verified, outcome.operations);
        if !outcome.is_good() {
            bad.push(outcome);
        }
    }
    stack.stop().await?;
    ensure!(bad.is_empty(), "{bad:#?}");
    Ok(())
}
