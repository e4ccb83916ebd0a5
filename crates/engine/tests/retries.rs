//! What waits longer than a lane may hold it waits in its row: crashed at any moment, nothing is lost, no attempt is
//! counted twice, and no duplicate spends one.

#[expect(dead_code, reason = "each test file uses its share of the fleet")]
mod fleet;

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Clock as _, OperationId, Priority, State, StatusChanged, Step, Topic};
use fleet::World;
use testkit::{Crash, operation_id, request};

const UPLOAD_REQUESTS: Topic = Topic::Requests(Step::Upload, Priority::Normal);

/// Lets a process die at that moment, and another one finish. Says whether it died.
async fn crashed_at(moment: usize, world: &World, ids: &[OperationId]) -> bool {
    let at_rest = || world.at_rest(ids) && ids.iter().all(|id| world.state(*id).is_some());
    let died = world.start(Crash::at(moment)).run_until(at_rest).await;
    if died {
        world.start(Crash::never()).run_until(at_rest).await;
    }
    died
}

fn tries(world: &World) -> usize {
    world.tries.load(Ordering::SeqCst)
}

/// Waits until the row owns the next try.
async fn until_parked(world: &World, id: OperationId) {
    fleet::until(|| world.operation(id).is_some_and(|operation| operation.next_attempt_at.is_some())).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_of_a_long_wait_loses_nothing() {
    let id = operation_id(1);
    for moment in 0.. {
        let world = World::default();
        world.log.append(request(id, "patient", ""));
        let died = crashed_at(moment, &world, &[id]).await;
        let operation = world.operation(id).unwrap();
        assert_eq!(operation.state, State::Verified, "crash at moment {moment}");
        assert_eq!((operation.attempts, operation.next_attempt_at), (0, None), "crash at moment {moment}");
        assert_eq!(world.chain.transactions(id), 1, "crash at moment {moment}");
        assert_eq!(world.tables.woken(), 0, "the sweeper had to help, crash at moment {moment}");
        if !died {
            let requests = world.log.records(&UPLOAD_REQUESTS.name(""));
            let from_row: Vec<_> = requests.iter().map(|request| request.header("x-from-row")).collect();
            assert_eq!(from_row, [None, Some("due")], "once by intake, once by the redrive");
            assert!(moment > 60, "only {moment} moments were tried");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_gives_no_attempt_back() {
    let id = operation_id(1);
    for moment in 0.. {
        let world = World::default();
        world.log.append(request(id, "flaky", ""));
        let died = crashed_at(moment, &world, &[id]).await;
        assert_eq!(world.state(id), Some(State::Failed), "crash at moment {moment}");
        assert_eq!(world.tables.woken(), 0, "the sweeper had to help, crash at moment {moment}");
        // The one that the crash interrupted was not on record yet.
        let at_most = 5 + usize::from(died);
        assert!((5..=at_most).contains(&tries(&world)), "{} tries, crash at moment {moment}", tries(&world));
        assert!(!world.log.records(&UPLOAD_REQUESTS.dead_letter_name("")).is_empty(), "crash at moment {moment}");
        if !died {
            assert!(moment > 40, "only {moment} moments were tried");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_never_spends_an_attempt() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "flaky", ""));
    let _process = world.start(Crash::never());
    until_parked(&world, id).await;
    let (attempts, before) = (world.operation(id).unwrap().attempts, tries(&world));
    let record = world.log.records(&UPLOAD_REQUESTS.name("")).remove(0);
    for _ in 0..5 {
        world.log.append(domain::OutgoingRecord {
            topic: record.topic.clone(),
            partition: None,
            key: record.key.clone(),
            value: record.value.clone(),
            headers: vec![],
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.log.committed("upload", &record.topic), 6, "the duplicates were consumed");
    assert_eq!((world.operation(id).unwrap().attempts, tries(&world)), (attempts, before));
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_its_row_lets_the_records_behind_it_pass() {
    let (world, patient) = (World::default(), operation_id(1));
    world.log.append(request(patient, "patient", ""));
    let process = world.start(Crash::never());
    until_parked(&world, patient).await;
    let topic = UPLOAD_REQUESTS.name("");
    process.run_until(|| world.log.committed("upload", &topic) == 1).await;
    assert_eq!(world.state(patient), Some(State::Initiated));
    let statuses = world.log.records(&Topic::Status.name(""));
    let last: StatusChanged = serde_json::from_slice(statuses.last().unwrap().value.as_deref().unwrap()).unwrap();
    assert_eq!(last.error.unwrap().code, "provider-away", "the API is told what it waits for");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_dependency_does_not_wait_longer_than_that_is_away() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "patient", ""));
    let process = world.start(Crash::never());
    until_parked(&world, id).await;
    let due = world.operation(id).and_then(|operation| operation.next_attempt_at).unwrap();
    process.hold(Step::Upload, true);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.state(id), Some(State::Initiated));
    process.hold(Step::Upload, false);
    fleet::until(|| world.state(id) != Some(State::Initiated)).await;
    assert!(world.clock.now() < due, "moved at {}, due at {due}", world.clock.now());
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_leaves_no_status_owed() {
    let id = operation_id(1);
    for moment in 0.. {
        let world = World::default();
        world.log.append(request(id, "broken", ""));
        world.start(Crash::never()).run_until(|| world.at_rest(&[id]) && world.state(id).is_some()).await;
        // What a person's command does: the row first, and no record.
        world.tables.type_over(id, |row| {
            row.content.nft.name = "Quant Ape".into();
            row.state = State::Initiated;
            row.version += 1;
        });
        let told = world.log.records(&Topic::Status.name("")).len();
        let died = crashed_at(moment, &world, &[id]).await;
        assert_eq!(world.state(id), Some(State::Verified), "crash at moment {moment}");
        assert!(!world.tables.owes_status(id), "crash at moment {moment}");
        assert_eq!(world.tables.woken(), 0, "the sweeper had to help, crash at moment {moment}");
        assert!(world.log.records(&Topic::Status.name("")).len() > told, "crash at moment {moment}");
        if !died {
            assert!(moment > 30, "only {moment} moments were tried");
            return;
        }
    }
}
