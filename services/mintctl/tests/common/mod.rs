//! `mintctl` as a process.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

/// `mintctl` with exactly these variables.
pub fn mintctl(env: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> Result<Output> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mintctl"))
        .args(arguments)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("its stdin")?.write_all(input)?;
    Ok(child.wait_with_output()?)
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
