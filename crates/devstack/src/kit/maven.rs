//! Kafka and PostgreSQL from Maven Central, as `pom.xml` names them.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::Cache;
use crate::{
    Progress,
    process::{spawn_from_keeper, tethered},
};

const POM: &str = include_str!("../../pom.xml");

/// How often a download says how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// The directory with `kafka` and `postgres` in it. Another `pom.xml` has another directory.
pub(super) fn servers(cache: &Cache, progress: &Progress) -> Result<PathBuf> {
    let platform = platform()?;
    let version = hex::encode(&Sha256::digest(POM)[..4]);
    cache.fill_once(&format!("servers-{version}-{platform}"), |place| {
        progress.say("Fetching Apache Kafka and PostgreSQL from Maven Central, 60 MB, only this once");
        resolve(place, platform, progress)?;
        progress.say("Unpacking PostgreSQL");
        unpack_postgres(&place.join("postgres-archive"), &place.join("postgres"))
    })
}

/// The name of this machine among the PostgreSQL artifacts.
fn platform() -> Result<&'static str> {
    Ok(match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64v8",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64v8",
        (os, arch) => bail!("there are no PostgreSQL binaries for {os} on {arch}; the stack runs on Linux and macOS"),
    })
}

fn resolve(place: &Path, platform: &str, progress: &Progress) -> Result<()> {
    let pom = place.join("pom.xml");
    fs::write(&pom, POM)?;
    let errors = place.join("maven.errors");
    let mut maven = tethered("mvn");
    maven
        .args(["--batch-mode", "process-resources", "--file"])
        .arg(&pom)
        .arg(format!("-Dpostgres.platform={platform}"))
        .arg(format!("-Dkit={}", place.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Where it says that there is no mvn, or no Java; otherwise only escape codes.
        .stderr(File::create(&errors)?);
    let mut maven = spawn_from_keeper(maven).context("cannot run mvn")?;

    let mut files = 0_u32;
    let mut reported = Instant::now();
    let mut complaints = String::new();
    for line in BufReader::new(maven.stdout.take().context("Maven without output")?).lines() {
        let line = line?;
        if line.contains("ERROR") {
            complaints += &line;
            complaints.push('\n');
        } else if let Some(jar) = line.split_whitespace().find_map(|word| word.strip_suffix(".jar"))
            && line.contains("Downloaded from")
        {
            files += 1;
            if reported.elapsed() >= REPORT_EVERY {
                reported = Instant::now();
                progress.say(&format!("  {files} jars, {}", jar.rsplit('/').next().unwrap_or_default()));
            }
        }
    }
    let status = maven.wait()?;
    ensure!(
        status.success(),
        "mvn ended with {status}; Maven and a JDK 17 or newer must be installed \
         (Debian: apt install maven default-jdk-headless)\n{complaints}{}",
        fs::read_to_string(&errors)?
    );
    Ok(())
}

/// Unpacks the one `.txz` among `archives`.
fn unpack_postgres(archives: &Path, place: &Path) -> Result<()> {
    let archive = fs::read_dir(archives)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "txz"))
        .with_context(|| format!("no .txz in {}", archives.display()))?;
    let mut tar = Vec::new();
    lzma_rs::xz_decompress(&mut io::BufReader::new(File::open(&archive)?), &mut tar)
        .map_err(|error| anyhow::anyhow!("{} is not readable: {error:?}", archive.display()))?;
    tar::Archive::new(tar.as_slice()).unpack(place)?;
    fs::remove_dir_all(archives)?;
    Ok(())
}
