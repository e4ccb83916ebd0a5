//! A change of the keys that mint.

use anyhow::Result;
use solana_sdk::signer::{Signer, keypair::read_keypair_file};

use super::Stack;
use crate::{
    layout::write_private,
    secrets::{create_payer, secret},
    serve::fund,
};

impl Stack {
    /// Retires the payer and the master secret of the stack and gives it others, the payer with SOL. Workers that run keep
    /// the keys they have until they are started again.
    ///
    /// # Errors
    /// A file cannot be written or read, or the chain gives nothing.
    pub async fn rotate_keys(&mut self) -> Result<()> {
        let retired_file = self.layout.key("payer.json");
        let retired = read_keypair_file(&retired_file).map_err(|error| anyhow::anyhow!("the payer's file: {error}"))?;
        let retired_secret = std::fs::read_to_string(self.layout.key("master-secret"))?;
        let (payer_file, secret_file) = (self.layout.key("payer-2.json"), self.layout.key("master-secret-2"));
        let payer = create_payer(&payer_file)?;
        fund(payer.pubkey(), &self.chain_url()).await?;
        write_private(&secret_file, &secret())?;
        let changes = [
            ("MINT_PAYER_KEYPAIR", format!("{},{}", retired_file.display(), payer_file.display())),
            ("MINT_RETIRED_PAYERS", retired.pubkey().to_string()),
            ("MINT_MASTER_SECRET_FILE", secret_file.display().to_string()),
            ("MINT_KEY_ID", "devstack-2".to_owned()),
            ("MINT_RETIRED_SECRETS", format!("devstack-1={}", retired_secret.trim())),
        ];
        self.programs.env.extend(changes.map(|(name, value)| (name.to_owned(), value)));
        Ok(())
    }
}
