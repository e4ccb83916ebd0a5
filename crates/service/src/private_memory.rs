//! Keeps keys out of core dumps.

use anyhow::{Context, Result};

/// From now on this process leaves no core dump, whatever the limits say, and no other process of its user can read its
/// memory or environment: for processes that hold keys. Elsewhere than on Linux nothing is done.
///
/// # Errors
/// The kernel does not allow it.
pub fn keep_memory_private() -> Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_dumpable(false).context("keeping this process out of core dumps")?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_leaves_no_core_dump() {
        keep_memory_private().unwrap();
        assert_eq!(nix::sys::prctl::get_dumpable(), Ok(false));
    }
}
