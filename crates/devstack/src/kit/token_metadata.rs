//! The Token Metadata program as it runs on mainnet, from the test fixtures of a published crate.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::Cache;
use crate::Progress;

/// The crates.io package that carries the program.
const PACKAGE: (&str, &str) = ("spl-single-pool", "1.0.2");
const FILE: &str = "tests/fixtures/mpl_token_metadata.so";
/// What is deployed is exactly what was reviewed, whoever serves the package.
const SHA256: &str = "ea92efaa367ed3e23adeff8f1caef602ecea5f824df1c96591c961a6cded5a41";

/// The program's ELF, from the cache; fetched first where it is not there.
pub(crate) fn program(cache: &Cache, progress: &Progress) -> Result<Vec<u8>> {
    let place = cache.fill_once(&format!("token-metadata-{}", &SHA256[..8]), |place| {
        progress.say("Fetching the Token Metadata program from crates.io");
        let elf = fs::read(package_file()?)?;
        check(&elf)?;
        Ok(fs::write(place.join("program.so"), elf)?)
    })?;
    let elf = fs::read(place.join("program.so"))?;
    check(&elf)?;
    Ok(elf)
}

fn check(elf: &[u8]) -> Result<()> {
    let found = hex::encode(Sha256::digest(elf));
    ensure!(found == SHA256, "the Token Metadata program has sha256 {found}, not {SHA256}");
    Ok(())
}

/// Has cargo unpack the package where it unpacks every package, and finds the file there. `cargo info` is the command
/// that fetches one package without its dependencies.
fn package_file() -> Result<PathBuf> {
    let (name, version) = PACKAGE;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["info", "--quiet", "--registry", "crates-io", &format!("{name}@{version}")])
        // Outside of any workspace, whose lockfile would have a say.
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo cannot fetch {name} {version}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let sources = cargo_home()?.join("registry/src");
    for registry in fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))? {
        let file = registry?.path().join(format!("{name}-{version}")).join(Path::new(FILE));
        if file.exists() {
            return Ok(file);
        }
    }
    bail!("cargo fetched {name} {version}, but {FILE} is not below {}", sources.display())
}

fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) => Ok(home.into()),
        None => Ok(env::home_dir().context("no home directory; set CARGO_HOME")?.join(".cargo")),
    }
}
