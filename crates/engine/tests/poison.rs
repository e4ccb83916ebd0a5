//! What cannot be carried on is put aside with its reason, and nobody behind it waits.

#[expect(dead_code, reason = "each test file uses its share of the fleet")]
mod fleet;

use domain::{OperationId, OutgoingRecord, Priority, Record, Rejected, State, Step, Topic};
use fleet::World;
use testkit::{Crash, operation_id, request};

const MINT_REQUESTS: Topic = Topic::Requests(Step::Mint, Priority::Normal);

fn raw(topic: Topic, value: Option<&[u8]>) -> OutgoingRecord {
    OutgoingRecord {
        topic: topic.name(""),
        partition: None,
        key: None,
        value: value.map(<[u8]>::to_vec),
        headers: vec![],
    }
}

async fn run(world: &World, ids: &[OperationId]) {
    let known = || ids.iter().all(|id| world.state(*id).is_some());
    world.start(Crash::never()).run_until(|| world.at_rest(ids) && known()).await;
}

fn dead_letters(world: &World, topic: Topic) -> Vec<Record> {
    world.log.records(&topic.dead_letter_name(""))
}

fn codes(letters: &[Record]) -> Vec<&str> {
    letters.iter().map(|letter| letter.header("x-dlq-code").unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn poison_is_put_aside_and_its_neighbours_go_on() {
    let world = World::default();
    for value in [None, Some(&b"\xff"[..]), Some(b"{"), Some(b"{}")] {
        world.log.append(raw(Topic::Operations, value));
    }
    let id = operation_id(1);
    world.log.append(request(id, "Quant Ape", ""));
    run(&world, &[id]).await;
    assert_eq!(world.state(id), Some(State::Verified));
    let letters = dead_letters(&world, Topic::Operations);
    let mut codes = codes(&letters);
    codes.sort_unstable();
    assert_eq!(codes, ["not-json", "not-utf8", "null-value", "schema"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_id_with_other_content_is_refused_and_the_first_one_stands() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "Quant Ape", ""));
    world.log.append(request(id, "Another", ""));
    run(&world, &[id]).await;
    assert_eq!(world.operation(id).unwrap().content.nft.name, "Quant Ape");
    assert_eq!(codes(&dead_letters(&world, Topic::Operations)), ["operation-conflict"]);
    let statuses = world.log.records(&Topic::Status.name(""));
    let rejected = statuses.iter().filter_map(|r| serde_json::from_slice::<Rejected>(r.value.as_deref()?).ok());
    assert_eq!(
        rejected.map(|r| (r.operation_id, r.error.code)).collect::<Vec<_>>(),
        [(id, "operation-conflict".into())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_ends_in_failed_and_in_the_dead_letters() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "broken", ""));
    run(&world, &[id]).await;
    let operation = world.operation(id).unwrap();
    assert_eq!((operation.state, operation.failed_from), (State::Failed, Some(State::Initiated)));
    assert_eq!(operation.failure.unwrap().code, "not-an-image");
    assert_eq!(world.chain.transactions(id), 0);
    let letters = dead_letters(&world, Topic::Requests(Step::Upload, Priority::Normal));
    assert_eq!(letters[0].header("x-dlq-operation-id"), Some(id.to_string().as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_source_gets_five_attempts() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "flaky", ""));
    run(&world, &[id]).await;
    assert_eq!(world.state(id), Some(State::Failed));
    let letters = dead_letters(&world, Topic::Requests(Step::Upload, Priority::Normal));
    assert_eq!(letters[0].header("x-dlq-attempts"), Some("5"));
}

#[tokio::test(start_paused = true)]
async fn poison_on_a_request_topic_flags_the_operation_it_names() {
    let (world, id) = (World::default(), operation_id(1));
    world.log.append(request(id, "broken", ""));
    run(&world, &[id]).await;
    world.log.append(raw(MINT_REQUESTS, Some(format!(r#"{{"operationId":"{id}","state":"NONE"}}"#).as_bytes())));
    let stranger = operation_id(2);
    let unknown = format!(r#"{{"operationId":"{stranger}","state":"IPFS_UPLOADED","version":2}}"#);
    world.log.append(raw(MINT_REQUESTS, Some(unknown.as_bytes())));
    run(&world, &[id]).await;
    let letters = dead_letters(&world, MINT_REQUESTS);
    let mut codes = codes(&letters);
    codes.sort_unstable();
    assert_eq!(codes, ["schema", "unknown-operation"]);
    assert!(world.operation(id).unwrap().needs_review.unwrap().contains("poison"));
}
