//! A chain that answers as it is told, and an operation to mint on it.
#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Attempt, Clock, Content, MintAddress, Nft, Operation, OperationKind, Priority, Signature, State, WalletAddress,
};
use mint_submitter::Minter;
use solana::{
    Blockhash, Chain, ChainView, CollectionState, Commitment, Holding, Landing, MasterSecret, MasterSecrets,
    MetadataAccount, MintSigner, MintState, Mints, NftAccounts, OnChainError, OnChainErrorKind, Opinions, Payers,
    Pubkey, Purse, RpcError, RpcErrorKind, SendOutcome, Signer, Simulated, TokenMetadata, Toll, Transaction,
    TransportFault, Watch, Witness, parse_payer,
};
use testkit::{Crash, MemoryStore};

/// What the chain is to answer, call by call. The last of each goes on for ever.
#[derive(Debug, Default)]
pub struct Script {
    pub sends: VecDeque<SendOutcome>,
    pub confirmed: VecDeque<Landing>,
    pub finalized: VecDeque<Landing>,
    pub states: VecDeque<MintState>,
    pub expired: VecDeque<bool>,
    pub minted_by: Option<Signature>,
    pub witnesses: HashMap<Signature, Witness>,
    /// What stands at an address, whatever `states` say.
    pub at: HashMap<MintAddress, MintState>,
    /// What every collection is; one of ours where that is not said.
    pub collection: Option<CollectionState>,
}

/// The chain, and what was asked of it.
#[derive(Debug, Clone, Default)]
pub struct FakeChain {
    pub script: Arc<Mutex<Script>>,
    pub sent: Arc<Mutex<Vec<(Signature, bool)>>>,
    pub opinions: Arc<Mutex<Vec<Opinions>>>,
    pub preferred: Arc<Mutex<Vec<(Signature, String)>>>,
    blockhashes: Arc<AtomicU8>,
    balances: Arc<Mutex<HashMap<Pubkey, u64>>>,
    not_before: Arc<AtomicU64>,
}

fn next<T: Clone>(answers: &mut VecDeque<T>, otherwise: T) -> T {
    if answers.len() > 1 { answers.pop_front().unwrap() } else { answers.front().cloned().unwrap_or(otherwise) }
}

impl FakeChain {
    pub fn sent(&self) -> Vec<(Signature, bool)> {
        self.sent.lock().unwrap().clone()
    }
}

impl FakeChain {
    /// What an account holds from now on.
    pub fn hold(&self, account: Pubkey, lamports: u64) {
        self.balances.lock().unwrap().insert(account, lamports);
    }

    /// The slot that the last balances had to be as late as.
    pub fn not_before(&self) -> u64 {
        self.not_before.load(Ordering::Relaxed)
    }
}

impl Purse for FakeChain {
    async fn balances(&self, accounts: &[Pubkey], min_context_slot: u64) -> Result<Vec<u64>, RpcError> {
        self.not_before.store(min_context_slot, Ordering::Relaxed);
        let balances = self.balances.lock().unwrap();
        Ok(accounts.iter().map(|account| balances.get(account).copied().unwrap_or(0)).collect())
    }

    async fn rent(&self, bytes: u64) -> Result<u64, RpcError> {
        Ok((bytes + 128) * 6_960)
    }
}

impl ChainView for FakeChain {
    async fn landing(&self, _: Watch, commitment: Commitment, patience: Duration) -> Landing {
        let landing = {
            let mut script = self.script.lock().unwrap();
            let otherwise = Landing::Landed { slot: 1_001 };
            match commitment {
                Commitment::Confirmed => next(&mut script.confirmed, otherwise),
                Commitment::Finalized => next(&mut script.finalized, otherwise),
            }
        };
        if matches!(landing, Landing::Unknown { .. } | Landing::Pending { .. }) {
            tokio::time::sleep(patience).await;
        }
        landing
    }

    async fn mint_state(&self, mint: &MintAddress, _: Commitment, _: u64) -> Result<MintState, RpcError> {
        let mut script = self.script.lock().unwrap();
        let known = script.at.get(mint).copied();
        Ok(known.unwrap_or_else(|| next(&mut script.states, MintState::Absent { lamports: 0 })))
    }

    async fn minted_by(&self, _: &MintAddress) -> Result<Option<Signature>, RpcError> {
        Ok(self.script.lock().unwrap().minted_by)
    }

    async fn witness(&self, by: &Signature, _: &MintAddress, at: Commitment) -> Result<Option<Witness>, RpcError> {
        assert_eq!(at, Commitment::Finalized, "a burn counts once it is final");
        Ok(self.script.lock().unwrap().witnesses.get(by).cloned())
    }

    async fn nft(&self, _: &MintAddress, _: &WalletAddress, _: u64) -> Result<NftAccounts, RpcError> {
        unreachable!("minting verifies nothing")
    }

    async fn metadata(&self, _: &MintAddress) -> Result<Option<MetadataAccount>, RpcError> {
        unreachable!("minting verifies nothing")
    }

    async fn collection(&self, _: &MintAddress) -> Result<CollectionState, RpcError> {
        let told = self.script.lock().unwrap().collection;
        Ok(told.unwrap_or(CollectionState::Standing { authority: authority() }))
    }

    async fn holdings(&self, _: &WalletAddress) -> Result<Vec<Holding>, RpcError> {
        unreachable!("minting verifies nothing")
    }
}

impl Chain for FakeChain {
    async fn blockhash(&self) -> Result<Blockhash, RpcError> {
        let (last_valid_block_height, context_slot) = (1_150, 1_000);
        let hash = [self.blockhashes.fetch_add(1, Ordering::Relaxed); 32].into();
        Ok(Blockhash { hash, last_valid_block_height, context_slot, endpoint: "e0".into() })
    }

    async fn unit_price(&self, signed_before: u32) -> u64 {
        u64::from(signed_before) * 10_000
    }

    async fn mint_rent(&self) -> Result<u64, RpcError> {
        Ok(1_461_600)
    }

    async fn simulate(&self, _: &[u8]) -> Result<Simulated, RpcError> {
        Ok(Simulated { units: 100_000, succeeded: true })
    }

    async fn toll(&self, _: &Transaction, funded: &[Pubkey], _: u64) -> Result<Option<Toll>, RpcError> {
        assert_eq!(funded.len(), 4, "mint, metadata, edition, token account");
        Ok(Some(Toll { base_fee: 10_000, rent: 5_000_000, protocol_fee: 10_000_000 }))
    }

    async fn send(&self, attempt: &Attempt, _: Priority, _: u32, preflight: bool) -> SendOutcome {
        self.sent.lock().unwrap().push((attempt.signature, preflight));
        next(&mut self.script.lock().unwrap().sends, SendOutcome::Accepted)
    }

    fn prefer(&self, transaction: &Signature, endpoint: &str) {
        self.preferred.lock().unwrap().push((*transaction, endpoint.to_owned()));
    }

    async fn expired(&self, _: u64, mint: &MintAddress, opinions: Opinions) -> Result<bool, RpcError> {
        self.opinions.lock().unwrap().push(opinions);
        let mut script = self.script.lock().unwrap();
        let is_minted = script.at.get(mint) == Some(&MintState::Minted);
        Ok(!is_minted && next(&mut script.expired, true))
    }
}

pub fn unreachable() -> RpcError {
    let kind = RpcErrorKind::Transport(TransportFault::Refused("no route".into()));
    RpcError { endpoint: "e0".into(), method: "sendTransaction", kind }
}

pub fn on_chain(kind: OnChainErrorKind) -> OnChainError {
    OnChainError { kind, text: format!("{kind:?}") }
}

pub fn failed_preflight(kind: OnChainErrorKind) -> SendOutcome {
    SendOutcome::FailedPreflight { error: on_chain(kind), answer: unreachable() }
}

#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

pub type TestMinter = Minter<FakeChain, TokenMetadata, FixedClock, MemoryStore>;

pub fn minter(chain: &FakeChain) -> TestMinter {
    minter_at(chain, TimeDelta::zero())
}

/// A minter whose clock stands so long after the operation's last transition.
pub fn minter_at(chain: &FakeChain, after: TimeDelta) -> TestMinter {
    minter_of_at(chain, mints(), after)
}

pub fn minter_of(chain: &FakeChain, mints: Mints<TokenMetadata>) -> TestMinter {
    minter_of_at(chain, mints, TimeDelta::zero())
}

fn minter_of_at(chain: &FakeChain, mints: Mints<TokenMetadata>, after: TimeDelta) -> TestMinter {
    let store = MemoryStore::new(Arc::default(), Crash::never().into());
    Minter::new(chain.clone(), mints, store.into(), FixedClock(DateTime::UNIX_EPOCH + after))
}

pub fn mints() -> Mints<TokenMetadata> {
    let masters = MasterSecrets::one(master("k1", 0x17));
    mints_of(&[payer_1()], masters)
}

pub fn mints_of(payers: &[Arc<dyn Signer>], masters: MasterSecrets) -> Mints<TokenMetadata> {
    let payers = Payers::new(payers.iter().cloned(), &[]).unwrap();
    Mints::new(MintSigner::of(payers, masters), TokenMetadata)
}

/// The master secret of 32 such bytes.
pub fn master(key_id: &str, byte: u8) -> MasterSecret {
    MasterSecret::parse(key_id.into(), &format!("{byte:02x}").repeat(32).into()).unwrap()
}

/// Who pays and creates: the public half of the keypair of 32 bytes of 1.
pub fn authority() -> Pubkey {
    payer_1().address()
}

/// The keypair of 32 bytes of 1, as `solana-keygen` would write it.
pub fn payer_1() -> Arc<dyn Signer> {
    payer(1, "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
}

/// The keypair of 32 bytes of 2.
pub fn payer_2() -> Arc<dyn Signer> {
    payer(2, "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394")
}

fn payer(seed: u8, public: &str) -> Arc<dyn Signer> {
    let public = (0..32).map(|at| u8::from_str_radix(&public[2 * at..2 * at + 2], 16).unwrap());
    let bytes: Vec<u8> = [seed; 32].into_iter().chain(public).collect();
    parse_payer(&format!("{bytes:?}").into()).unwrap()
}

pub fn operation() -> Operation {
    let cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    let nft = Nft {
        name: "Quant Ape".into(),
        symbol: "AIW3".into(),
        description: String::new(),
        level: 2,
        image: "asset:quant-ape.png".into(),
        attributes: vec![],
        seller_fee_basis_points: 500,
        collection: None,
    };
    let wallet_address = WalletAddress::from_bytes([9; 32]);
    Operation {
        content: Content { kind: OperationKind::Unlock, wallet_address, nft, burn: None },
        state: State::IpfsUploaded,
        version: 2,
        image_cid: Some(cid.parse().unwrap()),
        metadata_cid: Some(cid.parse().unwrap()),
        ..testkit::operation(testkit::operation_id(7))
    }
}
