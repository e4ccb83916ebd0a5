//! Who holds the claim on a burn: the port of the table `burn_claims`.

use std::future::Future;

use domain::{MintAddress, Operation, OperationId, State, WalletAddress};

use crate::ports::StoreError;

/// The operation that holds the claim on a burn, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BurnHolder {
    /// Which one.
    pub id: OperationId,
    /// Its version.
    pub version: i64,
    /// Where it stands.
    pub state: State,
    /// Whose burn it is.
    pub wallet: WalletAddress,
    /// The address it was to mint at.
    pub mint: Option<MintAddress>,
    /// The slot at which the blockhash of its newest transaction was read; none where nothing was ever signed.
    pub newest_slot: Option<u64>,
}

/// Who may mint for a burn now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BurnClaim {
    /// The operation that asked: its mint address is on record.
    Held,
    /// Another one.
    HeldBy(BurnHolder),
    /// Nobody was asked: somebody else moved the operation first.
    Overtaken,
}

/// The address that an operation mints at, as it is put on record with its claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintPlace {
    /// The derived address.
    pub mint: MintAddress,
    /// The secret it was derived from.
    pub key_id: String,
}

/// The table `burn_claims`: one burn pays for one mint.
pub trait BurnLedger: Send + Sync + 'static {
    /// Claims the burn that `operation` names, and puts its mint address on record with the claim. Guarded by id, state and
    /// version; harmless to repeat. Whoever asks has seen the burn at finality: a false one must take no claim from its
    /// rightful user.
    fn claim_burn(
        &self,
        operation: &Operation,
        place: &MintPlace,
    ) -> impl Future<Output = Result<BurnClaim, StoreError>> + Send;

    /// Moves the claim from `holder`, which ended without an NFT, to `heir`, an operation of the same wallet for the same
    /// burn; the holder's version is raised and its address forgotten, so that it must claim anew before it signs anew.
    /// False where either is not as it was seen, or a transaction of the holder is undecided: then nothing moved. Whoever
    /// asks has seen at finality that nothing is minted at the holder's address.
    fn hand_over_burn(
        &self,
        holder: &BurnHolder,
        heir: &Operation,
        place: &MintPlace,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
