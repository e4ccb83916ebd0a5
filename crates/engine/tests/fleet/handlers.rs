//! Steps without their services.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta};
use domain::{Attempt, Clock, Failure, MintAddress, NftRecord, Operation, State, Step, Transition};
use engine::{StepError, StepHandler};
use testkit::{Crash, Tables, TestClock};

use super::Chain;

pub const IMAGE: &str = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
pub const METADATA: &str = "bafkreiem4twkqzsq2aj4shbycd4yvoj2cx72vezicletlhi7dijjciqpui";

/// How long the dependency of `patient` ones is away.
const AWAY: TimeDelta = TimeDelta::seconds(9);

/// Uploads at once. Names tell it to fail: `broken` for good, `flaky` at every try, `patient` while a dependency is away.
pub struct Upload {
    pub clock: TestClock,
    pub tries: Arc<AtomicUsize>,
}

impl StepHandler for Upload {
    const STEP: Step = Step::Upload;
    const AT_ONCE: usize = 64;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        let image_cid = IMAGE.parse().expect("a content id");
        match (operation.content.nft.name.as_str(), operation.state) {
            ("broken", _) => Err(StepError::Permanent(Failure::permanent("not-an-image", "no image"))),
            ("flaky", _) => {
                Err(StepError::Foreign { failure: Failure::transient("image-source-slow", "slow"), attempts: 5 })
            }
            ("patient", _) if self.clock.now() < DateTime::UNIX_EPOCH + AWAY => {
                Err(StepError::Dependency(Failure::transient("provider-away", "connection refused")))
            }
            (_, State::Initiated) => Ok(Transition::ImageUploaded { image_cid }),
            _ => Ok(Transition::IpfsUploaded { image_cid, metadata_cid: METADATA.parse().expect("a content id") }),
        }
    }
}

/// Signs, and sends what is on record.
pub struct Mint {
    pub chain: Arc<Chain>,
    pub tables: Arc<Tables>,
    pub crash: Arc<Crash>,
}

impl StepHandler for Mint {
    const STEP: Step = Step::Mint;
    const AT_ONCE: usize = 64;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        let mut address = [9; 32];
        address[..16].copy_from_slice(operation.id.as_uuid().as_bytes());
        let mint = MintAddress::from_bytes(address);
        let Some(attempt) = &operation.open_attempt else {
            let signature = self.chain.sign();
            let attempt = Attempt {
                signature,
                wire: vec![1],
                payer: None,
                blockhash: "hash".into(),
                last_valid_block_height: 1,
                context_slot: 1,
                compute_unit_price: 0,
                endpoint: "test".into(),
                cost: None,
            };
            return Ok(Transition::Submitted { mint, key_id: "k".into(), attempt, decided: None });
        };
        assert!(self.tables.has_attempt(&attempt.signature), "nothing is sent before it is on record");
        self.crash.moment().await;
        self.chain.land(operation.id, attempt.signature);
        self.crash.moment().await;
        Ok(Transition::Confirmed { mint, signature: attempt.signature })
    }
}

/// Asks the chain.
pub struct Verify {
    pub chain: Arc<Chain>,
}

impl StepHandler for Verify {
    const STEP: Step = Step::Verify;
    const AT_ONCE: usize = 64;

    async fn run(&self, operation: &Operation) -> Result<Transition, StepError> {
        if operation.state == State::DatabaseUpdated {
            return Ok(Transition::Verified);
        }
        let missing = || StepError::Permanent(Failure::permanent("not-on-chain", "no such NFT"));
        let signature = self.chain.minted_by(operation.id).ok_or_else(missing)?;
        let nft = &operation.content.nft;
        let record = NftRecord {
            mint: operation.mint_address.ok_or_else(missing)?,
            owner: operation.content.wallet_address,
            name: nft.name.clone(),
            symbol: nft.symbol.clone(),
            uri: "ipfs://".into(),
            signature,
            slot: 1,
        };
        Ok(Transition::DatabaseUpdated { record })
    }
}
