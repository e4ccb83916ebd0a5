//! Holds a group's work while something that all of it needs is out.

use std::sync::Arc;

use engine::Assignment;
use futures::future::{pending, select_all};
use tokio::sync::watch;

/// Keeps `assignment` held while any gate is closed. Goes on for ever; may be dropped at any await.
pub async fn hold_while_closed(assignment: Arc<Assignment>, mut gates: Vec<watch::Receiver<bool>>, group: String) {
    loop {
        let open = gates.iter_mut().all(|gate| *gate.borrow_and_update());
        if assignment.is_held() == open {
            assignment.hold(!open);
            if open {
                tracing::info!(group, "takes work again");
            } else {
                tracing::warn!(group, "takes no work: something that all of it needs is out");
            }
        }
        if gates.is_empty() {
            return pending().await;
        }
        let (turned, index, _) = select_all(gates.iter_mut().map(|gate| Box::pin(gate.changed()))).await;
        if turned.is_err() {
            // Whoever kept this gate is gone: nobody closes it any more.
            gates.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::Window;

    use super::*;

    #[tokio::test]
    async fn work_is_held_while_any_gate_is_closed() {
        let assignment = Assignment::new(Window::default());
        let ((chain, chain_open), (database, database_open)) = (watch::channel(true), watch::channel(false));
        let holding = hold_while_closed(Arc::clone(&assignment), vec![chain_open, database_open], "mint".into());
        tokio::spawn(holding);
        let becomes = async |held: bool| {
            while assignment.is_held() != held {
                tokio::task::yield_now().await;
            }
        };
        becomes(true).await;
        database.send_replace(true);
        becomes(false).await;
        chain.send_replace(false);
        becomes(true).await;
        drop(database);
        chain.send_replace(true);
        becomes(false).await;
    }
}
