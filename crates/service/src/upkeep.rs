//! What runs beside the records of a step, put together.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use domain::{Step, SystemClock};
use engine::{Assignment, Backlog, Consumption, EventSink, OperationStore, Redrive, RowOutbox, RowStore, Sweeper};
use engine::{Telling, Upkeep};
use futures::future::{Either, select};

/// Redrive, reports and sweeper of one step.
pub(crate) fn upkeep<S, E, B>(
    step: Step,
    store: &Arc<S>,
    telling: &Telling<E>,
    backlog: B,
    assignment: &Arc<Assignment>,
) -> impl Future<Output = ()> + Send + use<S, E, B>
where
    S: OperationStore + RowStore,
    E: EventSink,
    B: Backlog,
{
    let backlog = Arc::new(backlog);
    let outbox = || RowOutbox { store: Arc::clone(store), telling: telling.clone(), step: step.as_str() };
    let held = Arc::clone(assignment);
    let may_sweep = move || !held.is_held();
    let upkeep = Upkeep {
        redrive: Redrive::new(step, outbox(), Arc::clone(assignment)),
        consumption: Consumption::new(Arc::clone(store), Arc::clone(&backlog), Arc::clone(assignment), SystemClock),
        sweeper: Sweeper { step, outbox: outbox(), backlog, assignment: Arc::clone(assignment), may_sweep },
    };
    upkeep.run()
}

/// Does the work, and what runs beside it for as long.
pub(crate) async fn beside<T>(work: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
    match select(pin!(work), pin!(other)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), work)) => work.await,
    }
}
