//! Somebody with a wallet, and what they do with it on the chain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::Stack;
use domain::{Attempt, Burn, MintAddress, Priority, Signature, WalletAddress};
use mpl_token_metadata::accounts::Metadata;
use mpl_token_metadata::instructions::BurnNftBuilder;
use resilience::Jitter;
use serde_json::json;
use solana::{
    Chain, ChainView, Cluster, Commitment, EndpointAddress, Endpoints, EndpointsSettings, FeePolicy, Landing,
    NftAddresses, Pubkey, SendOutcome, Watch,
};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::signer::Signer;
use solana_sdk::signer::keypair::Keypair;
use solana_sdk::transaction::Transaction;
use spl_token_interface::ID as TOKEN_PROGRAM;

const PATIENCE: Duration = Duration::from_mins(1);

/// A user with a wallet of their own.
pub struct User {
    wallet: Keypair,
    endpoints: Arc<Endpoints>,
    cluster: Cluster,
}

impl User {
    pub fn of(stack: &Stack) -> Result<Self> {
        let endpoint = EndpointAddress::new("chain", stack.chain_url());
        let endpoints = Endpoints::connect([endpoint], EndpointsSettings::default(), Arc::new(Jitter::from_os()))?;
        let endpoints = Arc::new(endpoints);
        let cluster = Cluster::start(Arc::clone(&endpoints), FeePolicy::NOTHING);
        Ok(Self { wallet: Keypair::new(), cluster, endpoints })
    }

    pub fn address(&self) -> WalletAddress {
        WalletAddress::from_bytes(self.wallet.pubkey().to_bytes())
    }

    /// A little to spend, from the chain's faucet.
    pub async fn give(&self, to: &Keypair) -> Result<()> {
        let funds = json!([to.pubkey().to_string(), 1_000_000_000]);
        let funds = self.endpoints.ask::<String>(RpcRequest::RequestAirdrop, funds).await?;
        self.confirmed(funds.value.parse()?).await
    }

    async fn confirmed(&self, signature: Signature) -> Result<()> {
        let watch = Watch { signature, signed_at: None };
        let landing = self.cluster.landing(watch, Commitment::Confirmed, PATIENCE).await;
        ensure!(matches!(landing, Landing::Landed { .. }), "{signature}: {landing:?}");
        Ok(())
    }

    /// Burns what the user holds, of that collection, and does not wait until that is final.
    pub async fn burn(&self, mint: MintAddress, collection: Option<MintAddress>) -> Result<Burn> {
        self.give(&self.wallet).await?;
        let at = NftAddresses::of(&mint, &self.address());
        let metadata = |of: MintAddress| Metadata::find_pda(&Pubkey::new_from_array(*of.as_bytes())).0;
        let burn = BurnNftBuilder::new()
            .metadata(at.metadata)
            .owner(self.wallet.pubkey())
            .mint(at.mint)
            .token_account(at.token)
            .master_edition_account(at.edition)
            .spl_token_program(TOKEN_PROGRAM)
            .collection_metadata(collection.map(metadata))
            .instruction();
        let blockhash = self.cluster.blockhash().await?;
        let mut transaction = Transaction::new_with_payer(&[burn], Some(&self.wallet.pubkey()));
        transaction.try_sign(&[&self.wallet], blockhash.hash)?;
        let signature = Signature::from_bytes(transaction.signatures[0].into());
        let attempt = Attempt {
            signature,
            wire: bincode::serialize(&transaction)?,
            payer: None,
            blockhash: blockhash.hash.to_string(),
            last_valid_block_height: blockhash.last_valid_block_height,
            context_slot: blockhash.context_slot,
            compute_unit_price: 0,
            endpoint: "chain".into(),
            cost: None,
        };
        let outcome = self.cluster.send(&attempt, Priority::Normal, 0, true).await;
        ensure!(outcome == SendOutcome::Accepted, "{outcome:?}");
        self.confirmed(signature).await?;
        Ok(Burn { mint, signature })
    }
}
