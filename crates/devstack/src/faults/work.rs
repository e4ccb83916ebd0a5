//! Faults that do not wait for a request: they are worked at for as long as they stand.

use std::{future::pending, time::Duration};

use tokio::time::sleep;

use super::{FaultKind, Saboteur, Switch};

/// Between two traps for the fleet's statements: time in which some get through.
const BETWEEN_TRAPS: Duration = Duration::from_millis(500);
/// Tries to put the database back as it was: it may be in trouble of other kinds too.
const TRIES_TO_TIDY: u32 = 60;

/// What must hold before the fault does.
pub(super) async fn prepare(kind: FaultKind, saboteur: &Saboteur) -> sqlx::Result<()> {
    if kind == FaultKind::SerializationFailure {
        saboteur.freeze_snapshots().await?;
    }
    Ok(())
}

/// Works at a fault until it is gone, then tidies up.
pub(super) async fn until_gone(kind: FaultKind, id: u64, switch: Switch, saboteur: Saboteur) {
    tokio::select! {
        () = repeat(kind, id, &switch, &saboteur) => {}
        () = switch.until_gone(id) => {}
    }
    let stands = switch.standing().iter().any(|fault| fault.kind == kind);
    if kind == FaultKind::SerializationFailure && !stands {
        for _ in 0..TRIES_TO_TIDY {
            if saboteur.unfreeze_snapshots().await.is_ok() {
                return;
            }
            sleep(BETWEEN_TRAPS).await;
        }
    }
}

async fn repeat(kind: FaultKind, id: u64, switch: &Switch, saboteur: &Saboteur) {
    let Some(pause) = pause(kind) else { return pending().await };
    loop {
        // A database that is down for other reasons has no sessions to strike.
        let struck = strike(kind, switch, saboteur).await.unwrap_or(0);
        switch.strike(|fault| if fault.id == id { struck } else { 0 });
        sleep(pause).await;
    }
}

/// Strikes once. Answers how many it met, where that is known.
pub(super) async fn strike(kind: FaultKind, switch: &Switch, saboteur: &Saboteur) -> sqlx::Result<u64> {
    match kind {
        FaultKind::Cut(_) => {
            switch.cut();
            Ok(1)
        }
        FaultKind::Kill(_) => saboteur.kill_sessions().await,
        FaultKind::Deadlock => saboteur.deadlock().await,
        FaultKind::SerializationFailure => saboteur.overtake().await,
        FaultKind::Refused
        | FaultKind::Reset
        | FaultKind::Hang
        | FaultKind::Delay(_)
        | FaultKind::Status(_)
        | FaultKind::TooMany(_)
        | FaultKind::DropReply
        | FaultKind::Garbage
        | FaultKind::NullStatuses
        | FaultKind::Behind(_)
        | FaultKind::WrongCid
        | FaultKind::HalfUpload
        | FaultKind::OverQuota
        | FaultKind::OtherBytes => Ok(0),
    }
}

/// Between two strikes; none where requests come to the fault by themselves.
const fn pause(kind: FaultKind) -> Option<Duration> {
    if let FaultKind::Cut(every) | FaultKind::Kill(every) = kind {
        return every;
    }
    if matches!(kind, FaultKind::Deadlock | FaultKind::SerializationFailure) { Some(BETWEEN_TRAPS) } else { None }
}
