//! What lies where in a stack's directory, and who owns the directory.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{account::reachable_by_all, process};

/// A stack's directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

/// Everything a stack puts into its directory, so that nothing else is ever removed.
const OURS: [&str; 10] = ["assets", "control", "env", "kafka", "keys", "lock", "logs", "pids", "pins", "postgres"];

impl Layout {
    /// The directory `root`, which need not exist yet.
    ///
    /// # Errors
    /// The current directory is gone.
    pub fn new(root: &Path) -> Result<Self> {
        Ok(Self { root: std::path::absolute(root)? })
    }

    /// The directory itself, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The environment of the stack, in shell form.
    #[must_use]
    pub fn env(&self) -> PathBuf {
        self.root.join("env")
    }

    /// Lines of `name pid`.
    #[must_use]
    pub fn pids(&self) -> PathBuf {
        self.root.join("pids")
    }

    /// Where the running stack takes commands: one line, a URL that only its owner can read.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.root.join("control")
    }

    /// What the process `name` writes.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(name).with_extension("log")
    }

    /// The drawings.
    #[must_use]
    pub fn assets(&self) -> PathBuf {
        self.root.join("assets")
    }

    /// A secret of the stack.
    #[must_use]
    pub fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    pub(crate) fn pins(&self) -> PathBuf {
        self.root.join("pins")
    }

    pub(crate) fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }

    /// The database's files: in the stack's directory, unless PostgreSQL must run as `nobody`, who cannot enter there.
    pub(crate) fn postgres(&self, as_nobody: bool) -> PathBuf {
        if !as_nobody || reachable_by_all(&self.root) { self.root.join("postgres") } else { self.postgres_elsewhere() }
    }

    fn postgres_elsewhere(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.root.hash(&mut hasher);
        Path::new("/var/cache/mintfleet").join(format!("postgres-data-{:016x}", hasher.finish()))
    }

    /// Makes the directory and takes it; none while another stack runs in it.
    pub(crate) fn take(&self) -> Result<Option<Lock>> {
        fs::create_dir_all(self.root.join("logs")).with_context(|| format!("cannot create {}", self.root.display()))?;
        fs::create_dir_all(self.root.join("keys"))?;
        let mut file = OpenOptions::new().create(true).append(true).open(self.root.join("lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Some(Lock { _file: file }))
    }

    /// Whether a stack runs here, or is being started.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        File::open(self.root.join("lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// `kill -9` of the process that has taken the directory, if one has. Its children die with it.
    pub fn kill_holder(&self) {
        let holder = || fs::read_to_string(self.root.join("lock")).ok()?.trim().parse().ok();
        if self.is_taken()
            && let Some(pid) = holder()
        {
            process::kill_by_id(pid);
        }
    }

    /// Ends what a stack that crashed here has left running, and removes all that it has put here.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn clean(&self) -> Result<()> {
        self.kill_leftovers();
        self.remove_all()
    }

    /// Ends what a stack that crashed here has left running.
    pub(crate) fn kill_leftovers(&self) {
        let pids = fs::read_to_string(self.pids()).unwrap_or_default();
        pids.lines()
            .filter_map(|line| line.split_once(' ')?.1.parse().ok())
            .filter(|pid| process::belongs_to(*pid, &self.root))
            .for_each(process::kill_by_id);
    }

    /// Removes what a stack has put here but its logs, which tell why it crashed, and the lock.
    pub(crate) fn remove_run_data(&self) -> Result<()> {
        self.remove(|name| name != "lock" && name != "logs")
    }

    /// Removes all that a stack has put here, and the directory itself where nothing else is in it.
    pub(crate) fn remove_all(&self) -> Result<()> {
        self.remove(|_| true)?;
        fs::remove_dir(&self.root).ok();
        Ok(())
    }

    fn remove(&self, which: impl Fn(&str) -> bool) -> Result<()> {
        let inside = OURS.into_iter().filter(|name| which(name)).map(|name| self.root.join(name));
        for path in inside.chain([self.postgres_elsewhere()]) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Held as long as a stack has its directory; the system lets go of it when we die.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Writes a file that only its owner can read, in one step: whoever sees it sees the whole of it.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::remove_file(&unfinished).ok();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(content.as_bytes())?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}
