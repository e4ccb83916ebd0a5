//! What a configuration variable is, and which programs read it.

use std::fmt::Write as _;

/// A binary of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// Intake and upload.
    IpfsUploader,
    /// Mint.
    MintSubmitter,
    /// Verify.
    Verifier,
    /// The operators' command line.
    Mintctl,
}

impl Program {
    /// Every program.
    pub const ALL: [Self; 4] = [Self::IpfsUploader, Self::MintSubmitter, Self::Verifier, Self::Mintctl];
    /// The programs that run for long.
    pub const WORKERS: [Self; 3] = [Self::IpfsUploader, Self::MintSubmitter, Self::Verifier];

    /// The name of the binary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IpfsUploader => "ipfs-uploader",
            Self::MintSubmitter => "mint-submitter",
            Self::Verifier => "verifier",
            Self::Mintctl => "mintctl",
        }
    }

    /// Whether it may have the keys that mint in its memory.
    #[must_use]
    pub const fn holds_keys(self) -> bool {
        match self {
            Self::MintSubmitter | Self::Mintctl => true,
            Self::IpfsUploader | Self::Verifier => false,
        }
    }

    /// One line on what it does.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::IpfsUploader => "Takes mint events from Kafka and pins their image and metadata on IPFS",
            Self::MintSubmitter => "Mints each operation's NFT on Solana, once",
            Self::Verifier => "Verifies each minted NFT the way a partner would",
            Self::Mintctl => "The operators' command line of the mint fleet",
        }
    }
}

/// One environment variable. All of them are in [`super::table`]; nothing else can be read.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What an unset one stands for; none where it must be set or may be absent, as `meaning` says.
    pub default: Option<&'static str>,
    /// What it is for, with its unit.
    pub meaning: &'static str,
    /// Never shown. May be given as a file instead: `NAME_FILE` holds the path.
    pub secret: bool,
    /// Who reads it.
    pub programs: &'static [Program],
}

impl Variable {
    /// The name of the variable that holds the path of a file with the secret.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}_FILE", self.name)
    }

    pub(super) const fn new(
        name: &'static str,
        default: Option<&'static str>,
        meaning: &'static str,
        programs: &'static [Program],
    ) -> Self {
        Self { name, default, meaning, secret: false, programs }
    }

    pub(super) const fn secret(name: &'static str, meaning: &'static str, programs: &'static [Program]) -> Self {
        Self { name, default: None, meaning, secret: true, programs }
    }
}

/// The part of `--help` that lists what a program reads from its environment.
#[must_use]
pub fn help(program: Program) -> String {
    let mut text = String::from("Environment:\n");
    for variable in super::table::ALL.iter().filter(|variable| variable.programs.contains(&program)) {
        let default = variable.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        let file = if variable.secret { format!(" [secret; or {}]", variable.file_name()) } else { String::new() };
        let _ = writeln!(text, "  {}\n          {}{default}{file}", variable.name, variable.meaning);
    }
    text
}
