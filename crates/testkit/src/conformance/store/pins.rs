//! One upload per distinct content.

use domain::Cid;
use engine::{Pin, PinClaim, PinLedger};

use super::scene::Scene;
use super::world::StoreWorld;
use crate::memory_store::PinState;
use crate::transitions::{image, metadata, pin};

pub fn at_the_backup(cid: &Cid) -> Pin {
    Pin { provider: "kubo".into(), ..pin(cid) }
}

impl<W: StoreWorld> Scene<W> {
    async fn claim(&self) -> Vec<PinClaim> {
        self.store().claim(&[pin(&image()), pin(&metadata())]).await.unwrap()
    }

    async fn owed(&self) -> Vec<Cid> {
        self.store().owed("pinata", 10).await.unwrap()
    }
}

pub async fn the_first_pins_and_the_others_wait_until_it_is_pinned<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    assert_eq!(scene.claim().await, [PinClaim::Yours, PinClaim::Yours]);
    assert_eq!(scene.claim().await, [PinClaim::Elsewhere, PinClaim::Elsewhere]);
    scene.pin(&[image()]).await;
    assert_eq!(scene.claim().await, [PinClaim::Pinned, PinClaim::Elsewhere]);
}

pub async fn a_claim_that_ran_out_is_anybodys<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.claim().await;
    scene.pass(10).await;
    assert_eq!(scene.claim().await, [PinClaim::Elsewhere, PinClaim::Elsewhere], "the lease is 20 s");
    scene.pass(11).await;
    assert_eq!(scene.claim().await, [PinClaim::Yours, PinClaim::Yours]);
    assert_eq!(scene.claim().await, [PinClaim::Elsewhere, PinClaim::Elsewhere]);
}

pub async fn what_was_unpinned_is_pinned_again_and_what_is_being_unpinned_waits<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    scene.world.type_pin(&image(), "pinata", PinState::Unpinned).await;
    scene.world.type_pin(&metadata(), "pinata", PinState::Unpinning).await;
    assert_eq!(scene.claim().await, [PinClaim::Yours, PinClaim::Elsewhere]);
    scene.pin(&[image(), metadata()]).await;
    assert_eq!(scene.claim().await, [PinClaim::Pinned, PinClaim::Elsewhere]);
}

pub async fn what_the_backup_holds_nobody_need_pin_and_is_owed_to_the_first<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.claim().await;
    scene.store().pinned(&[at_the_backup(&image())]).await.unwrap();
    assert_eq!(scene.claim().await, [PinClaim::Pinned, PinClaim::Elsewhere]);
    assert_eq!(scene.owed().await, [], "who pins it may still be at it");
    scene.pass(21).await;
    assert_eq!(scene.owed().await, [image()]);
    assert_eq!(scene.owed().await, [], "somebody has it in hand");
    scene.pass(61).await;
    assert_eq!(scene.owed().await, [image()], "or had");
    scene.pass(61).await;
    scene.pin(&[image()]).await;
    assert_eq!(scene.owed().await, [], "it is at home");
    assert_eq!(scene.world.contents_held().await, 2, "the backup keeps it");
}

pub async fn what_is_owed_longest_comes_first<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.store().claim(&[pin(&metadata())]).await.unwrap();
    scene.pass(5).await;
    scene.store().claim(&[pin(&image())]).await.unwrap();
    scene.store().pinned(&[at_the_backup(&image()), at_the_backup(&metadata())]).await.unwrap();
    scene.pass(21).await;
    assert_eq!(scene.store().owed("pinata", 1).await, Ok(vec![metadata()]));
    assert_eq!(scene.store().owed("elsewhere", 1).await, Ok(vec![]));
    assert_eq!(scene.store().owed("pinata", 1).await, Ok(vec![image()]));
}

pub async fn what_nobody_holds_any_more_is_pinned_like_new<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.claim().await;
    scene.store().pinned(&[at_the_backup(&image())]).await.unwrap();
    scene.pass(21).await;
    scene.world.type_pin(&image(), "kubo", PinState::Unpinned).await;
    assert_eq!(scene.owed().await, []);
    assert_eq!(scene.claim().await, [PinClaim::Yours, PinClaim::Yours]);
}
