//! Faults that do not wait for a request: they are worked at for as long as they stand.

use std::{future::pending, time::Duration};

use tokio::time::sleep;

use super::{FaultError, FaultKind, Hands, Saboteur, Switch};

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
pub(super) async fn until_gone(kind: FaultKind, id: u64, switch: Switch, hands: Hands) {
    tokio::select! {
        () = repeat(kind, id, &switch, &hands) => {}
        () = switch.until_gone(id) => {}
    }
    let stands = switch.standing().iter().any(|fault| fault.kind == kind);
    if kind == FaultKind::SerializationFailure && !stands {
        for _ in 0..TRIES_TO_TIDY {
            if hands.database.unfreeze_snapshots().await.is_ok() {
                return;
            }
            sleep(BETWEEN_TRAPS).await;
        }
    }
}

async fn repeat(kind: FaultKind, id: u64, switch: &Switch, hands: &Hands) {
    let Some(pause) = pause(kind) else { return pending().await };
    loop {
        // A database that is down for other reasons has no sessions to strike.
        let struck = strike(kind, switch, hands).await.unwrap_or(0);
        switch.strike(|fault| if fault.id == id { struck } else { 0 });
        sleep(pause).await;
    }
}

/// Strikes once. Answers how many it met, where that is known.
pub(super) async fn strike(kind: FaultKind, switch: &Switch, hands: &Hands) -> Result<u64, FaultError> {
    match kind {
        FaultKind::Cut(_) => {
            switch.cut();
            Ok(1)
        }
        FaultKind::Kill(_) => Ok(hands.database.kill_sessions().await?),
        FaultKind::Deadlock => Ok(hands.database.deadlock().await?),
        FaultKind::SerializationFailure => Ok(hands.database.overtake().await?),
        FaultKind::Fork(slots) => Ok(hands.chain.drop_slots(slots).await?),
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
        | FaultKind::Swallow
        | FaultKind::Late(_)
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
