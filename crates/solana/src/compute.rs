//! How many compute units a transaction may use: measured once for each shape of transaction, with a margin.

use std::collections::HashMap;
use std::future::Future;

use tokio::sync::Mutex;

use crate::rpc_error::RpcError;

/// The most that a transaction may ask for.
pub(crate) const MOST: u32 = 1_400_000;
/// What is asked for while there is nothing measured, because the simulation failed.
const UNMEASURED: u32 = 400_000;
/// Added to what was measured, percent and units.
const MARGIN_PERCENT: u64 = 10;
const MARGIN: u64 = 5_000;
/// What one step of a search for a derived address costs, and how often the programs of one mint repeat the search of
/// one address at most. The number of steps differs from mint to mint.
const SEARCH_STEP: u64 = 1_500;
const SEARCHES: u64 = 4;

/// What makes two transactions cost alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Which standard.
    pub standard: &'static str,
    /// Whether the mint account is set up before the standard's own instructions.
    pub prefunded: bool,
    /// Whether it is verified into a collection.
    pub collection: bool,
    /// Whether somebody else than the payer signs for the collection.
    pub cosigned: bool,
}

/// What a simulation said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulated {
    /// Units it used.
    pub units: u64,
    /// Whether it ran through.
    pub succeeded: bool,
}

/// The measured use of each shape.
#[derive(Debug, Default)]
pub(crate) struct ComputeBudget {
    measured: Mutex<HashMap<Shape, u64>>,
}

impl ComputeBudget {
    /// The limit for a transaction of that shape whose addresses take `search_steps` more than the least. `measure`
    /// runs once a shape; a simulation that fails is not remembered.
    pub(crate) async fn limit<F>(&self, shape: &Shape, search_steps: u32, measure: F) -> Result<u32, RpcError>
    where
        F: Future<Output = Result<Simulated, RpcError>>,
    {
        let mut measured = self.measured.lock().await;
        let units = if let Some(units) = measured.get(shape) {
            *units
        } else {
            let Simulated { units, succeeded } = measure.await?;
            if !succeeded {
                return Ok(UNMEASURED);
            }
            measured.insert(shape.clone(), units);
            units
        };
        let searches = u64::from(search_steps) * SEARCH_STEP * SEARCHES;
        let limit = units + units * MARGIN_PERCENT / 100 + MARGIN + searches;
        Ok(u32::try_from(limit).unwrap_or(MOST).min(MOST))
    }

    /// A transaction of that shape failed for want of units.
    pub(crate) async fn raise(&self, shape: &Shape) {
        if let Some(units) = self.measured.lock().await.get_mut(shape) {
            *units = (*units + *units / 2).min(u64::from(MOST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { standard: "test", prefunded: false, collection: false, cosigned: false };

    fn used(units: u64) -> std::future::Ready<Result<Simulated, RpcError>> {
        std::future::ready(Ok(Simulated { units, succeeded: true }))
    }

    #[tokio::test]
    async fn a_shape_is_measured_once_and_raised_when_it_fails() {
        let budget = ComputeBudget::default();
        assert_eq!(budget.limit(&SHAPE, 0, used(100_000)).await, Ok(115_000));
        let never = async { panic!("measured twice") };
        assert_eq!(budget.limit(&SHAPE, 2, never).await, Ok(127_000));
        budget.raise(&SHAPE).await;
        assert_eq!(budget.limit(&SHAPE, 0, used(0)).await, Ok(170_000));
    }

    #[tokio::test]
    async fn a_failed_simulation_is_no_measure() {
        let budget = ComputeBudget::default();
        let failed = async { Ok(Simulated { units: 10, succeeded: false }) };
        assert_eq!(budget.limit(&SHAPE, 0, failed).await, Ok(UNMEASURED));
        assert_eq!(budget.limit(&SHAPE, 0, used(100_000)).await, Ok(115_000));
    }
}
