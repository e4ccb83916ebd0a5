//! What stands still, by what the owners of partitions say.

use chrono::TimeDelta;
use domain::{Operation, Priority, Step, Topic};
use engine::{Claim, ConsumptionReport, OperationStore, Partition, Reason, RowStore, Sweep};

use super::scene::Scene;
use super::world::StoreWorld;
use crate::transitions::ipfs_uploaded;

const MINT_REQUESTS: Topic = Topic::Requests(Step::Mint, Priority::Normal);
const MINUTE: u64 = 60;

impl<W: StoreWorld> Scene<W> {
    /// Reports at another process or at ours, on partitions that were consumed up to so many seconds ago.
    async fn reported<const N: usize>(&self, by: &W::Store, reports: [(i32, Option<i64>, u64); N]) -> Vec<Option<i64>> {
        let now = self.now().await;
        let report = |(id, epoch, seconds): (i32, Option<i64>, u64)| ConsumptionReport {
            partition: Partition { topic: MINT_REQUESTS.name("").into(), id },
            epoch,
            through: now - TimeDelta::seconds(i64::try_from(seconds).unwrap()),
        };
        by.report(&reports.map(report)).await.unwrap()
    }

    /// Every partition was consumed up to now.
    async fn consumed(&self) {
        self.reported(self.store(), [(0, None, 0), (1, None, 0)]).await;
    }

    /// Claims the mints that stand still.
    ///
    /// # Panics
    /// Where the store answers with an error.
    pub async fn still(&self) -> Vec<Claim> {
        let sweep = Sweep {
            step: Step::Mint,
            priority: Priority::Normal,
            topic: MINT_REQUESTS.name(""),
            partitions: 2,
            limit: 500,
        };
        self.store().claim_still(&sweep).await.unwrap()
    }

    /// An operation that waits for its mint from now on.
    async fn minting(&self, number: u64) -> Operation {
        self.advance(&self.inserted(number).await, ipfs_uploaded()).await
    }
}

pub async fn nothing_stands_still_before_every_partition_was_consumed_so_far<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let id = scene.minting(1).await.id;
    // Another step's, which nobody sweeps here.
    scene.inserted(3).await;
    scene.pass(10 * MINUTE).await;
    scene.minting(2).await;
    scene.pass(4).await;
    assert_eq!(scene.still().await, [], "nobody has reported");
    scene.reported(scene.store(), [(0, None, 0)]).await;
    assert_eq!(scene.still().await, [], "one partition is silent");
    scene.reported(scene.store(), [(1, None, 11 * MINUTE)]).await;
    assert_eq!(scene.still().await, [], "one partition is behind");
    scene.pass(16).await;
    scene.reported(scene.store(), [(1, None, 0)]).await;
    assert_eq!(scene.still().await, [], "one report is old");
    scene.reported(scene.store(), [(0, None, 0)]).await;
    let claims = scene.still().await;
    assert_eq!(claims.len(), 1, "20 s are not long");
    assert_eq!((claims[0].id, claims[0].reason), (id, Reason::Still { wakes: 0 }));
    assert_eq!(scene.still().await, [], "the lease holds");
}

pub async fn a_wake_counts_once_settled_and_holds_off_the_next_until_it_was_consumed<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let id = scene.minting(1).await.id;
    scene.pass(10 * MINUTE).await;
    for wakes in 0..3 {
        scene.consumed().await;
        assert_eq!(scene.still().await[0].reason, Reason::Still { wakes });
        // Who dies here has woken nobody.
        scene.pass(MINUTE + 1).await;
        scene.consumed().await;
        let claims = scene.still().await;
        assert_eq!(claims[0].reason, Reason::Still { wakes });
        scene.store().settle(&claims).await.unwrap();
        assert_eq!(scene.still().await, [], "its wake is younger than what was consumed, less 30 s");
        scene.pass(MINUTE).await;
    }
    scene.consumed().await;
    assert_eq!(scene.still().await[0].reason, Reason::Still { wakes: 3 });
    scene.store().flag(id, "it stands still").await.unwrap();
    scene.pass(MINUTE + 1).await;
    scene.consumed().await;
    assert_eq!(scene.still().await, [], "it is a person's now");
    let history = scene.world.history(id).await;
    assert_eq!(history.iter().filter(|line| line.kind == "woken").count(), 3);
}

pub async fn what_waits_in_its_row_does_not_stand_still<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let (waiting, owing) = (scene.minting(1).await, scene.minting(2).await);
    scene.wait(&waiting, 1).await;
    scene.world.owe_status(owing.id).await;
    scene.pass(10 * MINUTE).await;
    scene.consumed().await;
    assert_eq!(scene.still().await, []);
}

pub async fn an_older_owner_never_overwrites_a_newer_one<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    let other = scene.another_store().await;
    let id = scene.minting(1).await.id;
    scene.pass(2 * MINUTE).await;
    let old = scene.reported(scene.store(), [(0, None, 5 * MINUTE)]).await[0];
    let new = scene.reported(&other, [(0, None, 3 * MINUTE)]).await[0];
    assert!(new > old && old.is_some());
    // The old owner, frozen until now; and a neighbour that is its own.
    assert_eq!(scene.reported(scene.store(), [(0, old, 0), (1, old, 0)]).await, [None, old]);
    assert_eq!(scene.still().await, [], "the newer owner's word stands");
    assert_eq!(scene.reported(&other, [(0, new, 0)]).await, [new]);
    assert_eq!(scene.still().await[0].id, id);
}
