//! SIGTERM and SIGINT ask for an orderly end; the second one gets a disorderly one.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGTERM or SIGINT. The second one ends the process at once, with the code a
/// shell gives a process that died of it.
///
/// # Errors
/// Signals that cannot be waited for.
///
/// # Panics
/// Outside a tokio runtime.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        loop {
            let kind = tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            };
            if stop.is_cancelled() {
                tracing::warn!(signal = kind.as_raw_value(), "told to end twice: ending at once");
                std::process::exit(128 + kind.as_raw_value());
            }
            tracing::info!(signal = kind.as_raw_value(), "told to end: finishing what is in hand");
            stop.cancel();
        }
    });
    Ok(token)
}
