//! A crash before and after every await of a port, and every record twice: one NFT, everything told.

#[expect(dead_code, reason = "each test file uses its share of the fleet")]
mod fleet;

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{State, StatusChanged, Topic};
use fleet::World;
use testkit::{Crash, operation_id, request};

/// What must hold however it was reached.
fn assert_one_nft_and_told(world: &World, id: domain::OperationId, how: &str) {
    let operation = world.operation(id).unwrap();
    assert_eq!(operation.state, State::Verified, "{how}");
    assert_eq!(operation.signature, world.chain.minted_by(id), "{how}");
    assert_eq!(world.chain.transactions(id), 1, "{how}: signed anew while the first was open");
    assert_eq!(world.tables.attempts().len(), 1, "{how}");
    let statuses = world.log.records(&Topic::Status.name(""));
    let versions = statuses.iter().map(|record| {
        let status: StatusChanged = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        status.version
    });
    assert_eq!(versions.max(), Some(operation.version), "{how}: the latest version was not told");
    for topic in Topic::all() {
        assert_eq!(world.log.records(&topic.dead_letter_name("")), [], "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_leaves_one_nft_and_nothing_untold() {
    let id = operation_id(1);
    for moment in 0.. {
        let world = World::default();
        world.log.append(request(id, "Quant Ape", ""));
        let died = world.start(Crash::at(moment)).run_until(|| world.at_rest(&[id])).await;
        if died {
            world.start(Crash::never()).run_until(|| world.at_rest(&[id])).await;
        }
        assert_one_nft_and_told(&world, id, &format!("crash at moment {moment}"));
        if !died {
            assert!(moment > 30, "only {moment} moments were tried");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_crashes_leave_one_nft_too() {
    let id = operation_id(1);
    for first in (0..40).step_by(3) {
        for second in (0..40).step_by(5) {
            let world = World::default();
            world.log.append(request(id, "Quant Ape", ""));
            for crash in [Crash::at(first), Crash::at(second), Crash::never()] {
                world.start(crash).run_until(|| world.at_rest(&[id])).await;
            }
            assert_one_nft_and_told(&world, id, &format!("crashes at {first} and {second}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_record_twice_and_two_processes_at_once_give_one_nft() {
    let id = operation_id(1);
    let world = World::default();
    for _ in 0..2 {
        world.log.append(request(id, "Quant Ape", ""));
    }
    let (one, other) = (world.start(Crash::never()), world.start(Crash::never()));
    one.run_until(|| world.at_rest(&[id])).await;
    assert_one_nft_and_told(&world, id, "two processes");
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn nothing_fails_while_the_database_is_away() {
    let id = operation_id(1);
    let world = World::default();
    let process = world.start(Crash::never());
    process.store.away.store(true, Ordering::SeqCst);
    world.log.append(request(id, "Quant Ape", ""));
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(world.state(id), None);
    process.store.away.store(false, Ordering::SeqCst);
    process.run_until(|| world.at_rest(&[id]) && world.state(id).is_some()).await;
    assert_one_nft_and_told(&world, id, "database away");
}
