//! Where downloads are kept.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::account::{Account, reachable_by_all};

/// The directory of the downloads, shared by every stack of a user.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Opens the cache: `chosen` (`MINTFLEET_CACHE`), else `$HOME/.cache/mintfleet`.
    ///
    /// PostgreSQL refuses to run as root, and whoever it runs as instead must reach its programs, while root's home is
    /// mostly closed to everybody else. Where that is so, the cache is `/var/cache/mintfleet`.
    pub(crate) fn open(chosen: Option<&Path>) -> Result<Self> {
        let root = match chosen {
            Some(chosen) => std::path::absolute(chosen)?,
            None => env::home_dir().context("no home directory; set MINTFLEET_CACHE")?.join(".cache/mintfleet"),
        };
        let must_be_reachable = Account::for_postgres()?.is_some();
        if must_be_reachable && !reachable_by_all(nearest_existing(&root)) {
            return Self::create(PathBuf::from("/var/cache/mintfleet"));
        }
        Self::create(root)
    }

    fn create(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).with_context(|| format!("cannot create the cache {}", root.display()))?;
        Ok(Self { root })
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Runs `fill` on an empty directory and puts it in its place as a whole: a crash leaves no half of it there. What is
    /// in its place is only read, so that a cache may lie where nobody can write.
    pub(crate) fn fill_once(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let place = self.path(name);
        if place.exists() {
            return Ok(place);
        }
        let _only_one_fetches = self.lock()?;
        if place.exists() {
            return Ok(place);
        }
        let unfinished = self.path(&format!("{name}.unfinished"));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir(&unfinished)?;
        fill(&unfinished)?;
        fs::rename(&unfinished, &place)?;
        Ok(place)
    }

    /// Waits until no other process fetches into the cache. Held until the file is dropped.
    fn lock(&self) -> Result<File> {
        let file = File::create(self.path(".lock"))?;
        file.lock()?;
        Ok(file)
    }
}

fn nearest_existing(path: &Path) -> &Path {
    path.ancestors().find(|part| part.exists()).unwrap_or(path)
}
