//! What a process has used, as the kernel accounts for it (Linux).

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel reports processor time in hundredths of a second, on every Linux there is.
const TICK: Duration = Duration::from_millis(10);

/// Processor time and memory of a process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time so far.
    pub cpu: Duration,
    /// Largest resident set so far, KiB.
    peak_kib: u64,
}

impl Usage {
    /// Reads `/proc`.
    pub fn of(pid: Option<u32>) -> Result<Self> {
        let pid = pid.context("a worker does not run")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The second field is the program's name in parentheses, which may hold anything.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u32>().ok());
        let cpu = TICK * (ticks(11).context("no user time")? + ticks(12).context("no system time")?);
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak memory")?;
        let peak_kib = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(Self { cpu, peak_kib })
    }

    /// What came since an earlier reading; the peak stays the peak.
    pub fn since(&self, earlier: &Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(earlier.cpu), ..*self }
    }

    /// Largest resident set, MiB.
    pub const fn peak_mib(&self) -> u64 {
        self.peak_kib.div_ceil(1024)
    }
}
