//! `devstack fault …`, as a person types it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, ensure};
use devstack::faults::FaultKind;

use crate::rig::Rig;

fn devstack(dir: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devstack"));
    command.args(arguments.split(' ')).arg("--dir").arg(dir).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

pub async fn work(rig: &Rig, dir: PathBuf) -> Result<()> {
    let run = async |arguments: &'static str| {
        let dir = dir.clone();
        anyhow::Ok(tokio::task::spawn_blocking(move || devstack(&dir, arguments)).await?)
    };
    let set = run("fault set rpc-1 hang --method sendTransaction --share 30% --for 5m").await?;
    ensure!(set.status.success() && said(&set) == "rpc-1/hang/sendTransaction stands\n", "{}", said(&set));
    let report = rig.faults.report();
    let [fault] = report.faults.as_slice() else { anyhow::bail!("{report:?}") };
    ensure!(fault.kind == FaultKind::Hang && fault.method.as_deref() == Some("sendTransaction"));
    ensure!((fault.share - 0.3).abs() < 1e-9 && fault.remaining.is_some());

    let list = said(&run("fault ls").await?);
    ensure!(list.contains("rpc-1/hang/sendTransaction") && list.contains("30%"), "{list}");
    ensure!(said(&run("fault set postgres kill").await?) == "kill: done\n");
    let wrong = run("fault set kafka wrong-cid").await?;
    ensure!(wrong.status.code() == Some(1) && said(&wrong).contains("cannot happen to kafka"), "{}", said(&wrong));

    ensure!(said(&run("fault clear rpc").await?) == "rpc-1/hang/sendTransaction is over\n");
    ensure!(said(&run("fault ls").await?).starts_with("No fault stands."));
    let help = said(&run("fault set --help").await?);
    for (kind, meaning) in FaultKind::EXAMPLES {
        ensure!(help.contains(&kind.to_string()) && help.contains(meaning), "{kind} is explained:\n{help}");
    }
    Ok(())
}
