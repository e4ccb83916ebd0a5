//! One upload per distinct content.

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
    let elsewhere = Pin { provider: "kubo".into(), ..pin(&image()) };
    assert_eq!(fixture.store.claim(&[elsewhere]).await, Ok(vec![PinClaim::Yours]));
}

#[tokio::test]
async fn a_claim_that_ran_out_is_anybodys() {
    let fixture = Fixture::new().await;
    claim(&fixture).await;
    let lease: bool = sqlx::query_scalar(
        "SELECT bool_and(claimed_until BETWEEN now() + interval '5 s' AND now() + interval '15 s') FROM pinned_content",
    )
    .fetch_one(&fixture.sql)
    .await
    .unwrap();
    assert!(lease, "15 s, by the database's time");
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
