//! Whether an attempt can no longer land. The only ground, besides finality, on which anything is signed anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::MintAddress;
use mpl_token_metadata::accounts::MasterEdition;
use resilience::EndpointHealth;
use serde_json::json;
use solana_client::rpc_request::RpcRequest;
use solana_sdk::pubkey::Pubkey;

use crate::account_reader::{AccountReader, Source};
use crate::chain::Opinions;
use crate::commitment::Commitment;
use crate::endpoints::Endpoints;
use crate::nft::MintState;
use crate::refreshed::Refreshed;
use crate::rpc_error::{RpcError, RpcErrorKind};
use crate::token_metadata::pubkey;
use crate::wire::EpochInfo;

/// Slots after its blockhash was read at which a transaction may be over for good: 150 blocks and 31 to their finality.
pub const SLOTS_TO_EXPIRY: u64 = 181;
/// Blocks past the last valid one that have to be final.
const BLOCKS_PAST: u64 = 2;
/// Attempts that wait for their expiry share one look at the height.
const KEEP_HEIGHT: Duration = Duration::from_secs(1);
/// Looks that are remembered: some minutes of them.
const MOST_LOOKS: usize = 256;

/// Asks each endpoint by itself.
#[derive(Debug)]
pub(crate) struct Expiry {
    witnesses: Vec<HeightWitness>,
    /// Endpoints that are not for emergencies.
    regular: usize,
}

#[derive(Debug)]
struct HeightWitness {
    endpoints: Arc<Endpoints>,
    label: Arc<str>,
    emergency: bool,
    height: Refreshed<()>,
    /// What it said, oldest first. A height that was reached at a slot stays reached at it, so the oldest look that
    /// is good enough asks the least of the account read: a node whose accounts lag behind its heights can be believed
    /// as soon as they have caught up.
    looks: Mutex<VecDeque<EpochInfo>>,
    accounts: AccountReader,
}

/// What one endpoint says of what was good until some height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opinion {
    Expired,
    /// The height is not reached.
    TooEarly,
    /// It landed, or another one did.
    NotAbsent,
}

impl Expiry {
    pub(crate) fn start(endpoints: &Arc<Endpoints>) -> Self {
        let witness = |EndpointHealth { label, emergency, .. }| HeightWitness {
            accounts: AccountReader::start(
                Source::One(Arc::clone(endpoints), Arc::clone(&label)),
                Commitment::Finalized,
            ),
            endpoints: Arc::clone(endpoints),
            label,
            emergency,
            height: Refreshed::new(KEEP_HEIGHT),
            looks: Mutex::default(),
        };
        let witnesses: Vec<_> = endpoints.health().into_iter().map(witness).collect();
        let regular = witnesses.iter().filter(|witness| !witness.emergency).count();
        Self { witnesses, regular }
    }

    /// See [`crate::Chain::expired`]. One endpoint that sees the mint outweighs all others.
    pub(crate) async fn expired(
        &self,
        last_valid_block_height: u64,
        mint: &MintAddress,
        opinions: Opinions,
    ) -> Result<bool, RpcError> {
        let needed = match opinions {
            Opinions::Two => self.regular.min(2),
            Opinions::One => 1,
        };
        let (mut agreeing, mut unheard) = (0, None);
        for witness in &self.witnesses {
            match witness.opinion(last_valid_block_height, mint).await {
                Ok(Opinion::Expired) => agreeing += 1,
                Ok(Opinion::TooEarly) => {}
                Ok(Opinion::NotAbsent) => return Ok(false),
                // It is not needed while there is no emergency.
                Err(error) if witness.emergency && matches!(error.kind, RpcErrorKind::NotAsked(_)) => {}
                Err(error) => unheard = Some(error),
            }
            if agreeing == needed {
                return Ok(true);
            }
        }
        unheard.map_or(Ok(false), Err)
    }
}

impl HeightWitness {
    async fn opinion(&self, last_valid_block_height: u64, mint: &MintAddress) -> Result<Opinion, RpcError> {
        let Some(slot) = self.slot_at(last_valid_block_height.saturating_add(BLOCKS_PAST)).await? else {
            return Ok(Opinion::TooEarly);
        };
        let mint = pubkey(mint.as_bytes());
        match self.mint_state(mint, slot).await? {
            MintState::Absent { .. } => Ok(Opinion::Expired),
            MintState::Minted | MintState::Foreign => Ok(Opinion::NotAbsent),
        }
    }

    async fn mint_state(&self, mint: Pubkey, min_context_slot: u64) -> Result<MintState, RpcError> {
        let snapshot = self.accounts.read(vec![mint], min_context_slot).await?;
        let (edition, _) = MasterEdition::find_pda(&mint);
        Ok(MintState::of(snapshot.accounts.first().and_then(Option::as_ref), &edition))
    }

    /// A slot at which that height was final; none while it is not reached.
    async fn slot_at(&self, height: u64) -> Result<Option<u64>, RpcError> {
        if let Some(slot) = self.remembered_slot_at(height) {
            return Ok(Some(slot));
        }
        self.height.get(self.look()).await?;
        Ok(self.remembered_slot_at(height))
    }

    fn remembered_slot_at(&self, height: u64) -> Option<u64> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.iter().find(|look| look.block_height >= height).map(|look| look.absolute_slot)
    }

    async fn look(&self) -> Result<(), RpcError> {
        let params = json!([Commitment::Finalized.config()]);
        let look = self.endpoints.ask_one(&self.label, RpcRequest::GetEpochInfo, params, Ok).await?.value;
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.push_back(look);
        if looks.len() > MOST_LOOKS {
            looks.pop_front();
        }
        Ok(())
    }
}
