//! One upload per distinct content.

use domain::Cid;
use engine::{Pin, PinClaim, PinLedger};

use crate::support::{Fixture, image, metadata, pin};

async fn claim(fixture: &Fixture) -> Vec<PinClaim> {
    fixture.store.claim(&[pin(&image()), pin(&metadata())]).await.unwrap()
}

#[tokio::test]
async fn the_first_pins_and_the_others_wait_until_it_is_pinned() {
    let fixture = Fixture::new().await;
    assert_eq!(claim(&fixture).await, [PinClaim::Yours, PinClaim::Yours]);
    assert_eq!(claim(&fixture).await, [PinClaim::Elsewhere, PinClaim::Elsewhere]);
    fixture.pin(&[image()]).await;
    assert_eq!(claim(&fixture).await, [PinClaim::Pinned, PinClaim::Elsewhere]);
}

#[tokio::test]
async fn a_claim_that_ran_out_is_anybodys() {
    let fixture = Fixture::new().await;
    claim(&fixture).await;
    let lease: bool = sqlx::query_scalar(
        "SELECT bool_and(claimed_until BETWEEN now() + interval '10 s' AND now() + interval '20 s') FROM pinned_content",
    )
    .fetch_one(&fixture.sql)
    .await
    .unwrap();
    assert!(lease, "20 s, by the database's time");
    fixture.must_execute("UPDATE pinned_content SET claimed_until = now() - interval '1 ms'").await;
    assert_eq!(claim(&fixture).await, [PinClaim::Yours, PinClaim::Yours]);
    assert_eq!(claim(&fixture).await, [PinClaim::Elsewhere, PinClaim::Elsewhere]);
}

#[tokio::test]
async fn what_was_unpinned_is_pinned_again_and_what_is_being_unpinned_waits() {
    let fixture = Fixture::with_contents().await;
    fixture.must_execute(format!("UPDATE pinned_content SET state = 'unpinned' WHERE cid = '{}'", image())).await;
    fixture.must_execute(format!("UPDATE pinned_content SET state = 'unpinning' WHERE cid = '{}'", metadata())).await;
    assert_eq!(claim(&fixture).await, [PinClaim::Yours, PinClaim::Elsewhere]);
    fixture.pin(&[image(), metadata()]).await;
    assert_eq!(claim(&fixture).await, [PinClaim::Pinned, PinClaim::Elsewhere]);
}

fn at_the_backup(cid: &Cid) -> Pin {
    Pin { provider: "kubo".into(), ..pin(cid) }
}

async fn owed(fixture: &Fixture) -> Vec<Cid> {
    fixture.store.owed("pinata", 10).await.unwrap()
}

async fn let_claims_run_out(fixture: &Fixture) {
    fixture.must_execute("UPDATE pinned_content SET claimed_until = now() - interval '1 ms'").await;
}

#[tokio::test]
async fn what_the_backup_holds_nobody_need_pin_and_is_owed_to_the_first() {
    let fixture = Fixture::new().await;
    claim(&fixture).await;
    fixture.store.pinned(&[at_the_backup(&image())]).await.unwrap();
    assert_eq!(claim(&fixture).await, [PinClaim::Pinned, PinClaim::Elsewhere]);
    assert_eq!(owed(&fixture).await, [], "who pins it may still be at it");
    let_claims_run_out(&fixture).await;
    assert_eq!(owed(&fixture).await, [image()]);
    assert_eq!(owed(&fixture).await, [], "somebody has it in hand");
    let_claims_run_out(&fixture).await;
    fixture.pin(&[image()]).await;
    assert_eq!(owed(&fixture).await, [], "it is at home");
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM pinned_content WHERE state = 'pinned'")
        .fetch_one(&fixture.sql)
        .await
        .unwrap();
    assert_eq!(held, 2, "the backup keeps it");
}

#[tokio::test]
async fn what_is_owed_goes_to_one_process_and_the_longest_waiting_first() {
    let fixture = Fixture::new().await;
    claim(&fixture).await;
    fixture.store.pinned(&[at_the_backup(&image()), at_the_backup(&metadata())]).await.unwrap();
    let_claims_run_out(&fixture).await;
    let other = fixture.another_store().await;
    let (one, two) = tokio::join!(fixture.store.owed("pinata", 1), other.owed("pinata", 1));
    let mut both = [one.unwrap(), two.unwrap()].concat();
    both.sort_by_key(|cid| *cid == image());
    assert_eq!(both, [metadata(), image()]);
    let_claims_run_out(&fixture).await;
    let earlier = "UPDATE pinned_content SET claimed_until = now() - interval '1 h' WHERE cid =";
    fixture.must_execute(format!("{earlier} '{}'", metadata())).await;
    assert_eq!(fixture.store.owed("pinata", 1).await.unwrap(), [metadata()]);
}

#[tokio::test]
async fn what_nobody_holds_any_more_is_pinned_like_new() {
    let fixture = Fixture::new().await;
    claim(&fixture).await;
    fixture.store.pinned(&[at_the_backup(&image())]).await.unwrap();
    let_claims_run_out(&fixture).await;
    fixture.must_execute("UPDATE pinned_content SET state = 'unpinned' WHERE provider = 'kubo'").await;
    assert_eq!(owed(&fixture).await, []);
    assert_eq!(claim(&fixture).await, [PinClaim::Yours, PinClaim::Yours]);
}

#[tokio::test]
async fn of_twenty_processes_one_pins() {
    let fixture = Fixture::new().await;
    let claims = (0..20).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move { store.claim(&[pin(&image())]).await.unwrap().remove(0) })
    });
    let answers = futures::future::join_all(claims).await;
    let ours = answers.iter().filter(|answer| matches!(answer, Ok(PinClaim::Yours))).count();
    assert_eq!(ours, 1, "{answers:?}");
}

#[tokio::test]
async fn a_claim_does_not_wait_for_those_who_store_the_content() {
    let fixture = Fixture::with_contents().await;
    let mut storing = fixture.sql.begin().await.unwrap();
    sqlx::query("SELECT FROM pinned_content FOR SHARE").execute(&mut *storing).await.unwrap();
    assert_eq!(claim(&fixture).await, [PinClaim::Pinned, PinClaim::Pinned]);
    fixture.pin(&[image(), metadata()]).await;
    storing.rollback().await.unwrap();
}
