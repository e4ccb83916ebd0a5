//! As whom PostgreSQL runs: it refuses root.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use anyhow::{Context, Result};
use nix::unistd::{User, geteuid};

/// A user without rights, under whom root starts PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    /// User id.
    pub user: u32,
    /// Group id.
    pub group: u32,
}

impl Account {
    /// Whom PostgreSQL must run as; none where it can run as ourselves.
    pub(crate) fn for_postgres() -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let nobody = User::from_name("nobody")?.context(
            "PostgreSQL does not run as root, and there is no user `nobody`; start the stack as another user",
        )?;
        Ok(Some(Self { user: nobody.uid.as_raw(), group: nobody.gid.as_raw() }))
    }

    /// Makes this user the owner.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group)).with_context(|| format!("cannot hand over {}", path.display()))
    }
}

/// Whether any user of the machine may pass through every directory on the way, and into this one.
pub(crate) fn reachable_by_all(directory: &Path) -> bool {
    directory.ancestors().all(|part| fs::metadata(part).is_ok_and(|meta| meta.mode() & 0o001 != 0))
}
