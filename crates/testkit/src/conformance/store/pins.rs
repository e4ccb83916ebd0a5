//! One upload per distinct content.

use chrono::DateTime;
use domain::Cid;
use engine::{PinClaim, PinLedger, Pinned};

use super::scene::Scene;
use super::world::StoreWorld;
use crate::memory_store::PinState;
use crate::transitions::{at_the_backup, image, metadata, pin, taken};

/// A claim of the caller's, whenever it was.
pub const YOURS: PinClaim = PinClaim::Yours { since: DateTime::UNIX_EPOCH };

impl<W: StoreWorld> Scene<W> {
    /// Claims contents for the first provider; what is ours is [`YOURS`].
    ///
    /// # Panics
    /// Where the store answers with an error.
    pub async fn claim_pins(&self, cids: &[Cid]) -> Vec<PinClaim> {
        let claims = self.store().claim(&cids.iter().map(pin).collect::<Vec<_>>()).await.unwrap();
        let whenever = |claim| if matches!(claim, PinClaim::Yours { .. }) { YOURS } else { claim };
        claims.into_iter().map(whenever).collect()
    }

    async fn claim(&self) -> Vec<PinClaim> {
        self.claim_pins(&[image(), metadata()]).await
    }

    async fn owed(&self, provider: &str, most: u16) -> Vec<Cid> {
        self.store().owed(provider, most).await.unwrap().into_iter().map(|owed| owed.cid).collect()
    }
}

pub async fn the_first_pins_and_the_others_wait_until_it_is_pinned<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    assert_eq!(scene.claim().await, [YOURS, YOURS]);
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
    assert_eq!(scene.claim().await, [YOURS, YOURS]);
    assert_eq!(scene.claim().await, [PinClaim::Elsewhere, PinClaim::Elsewhere]);
}

pub async fn what_was_unpinned_is_pinned_again_and_what_is_being_unpinned_waits<W: StoreWorld>() {
    let scene = Scene::<W>::with_contents().await;
    scene.world.type_pin(&image(), "pinata", PinState::Unpinned).await;
    scene.world.type_pin(&metadata(), "pinata", PinState::Unpinning).await;
    assert_eq!(scene.claim().await, [YOURS, PinClaim::Elsewhere]);
    scene.pin(&[image(), metadata()]).await;
    assert_eq!(scene.claim().await, [PinClaim::Pinned, PinClaim::Elsewhere]);
}

/// It may have arrived before the unpin, which took it away.
pub async fn what_was_unpinned_while_it_was_uploaded_is_not_pinned<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    let [PinClaim::Yours { since }] = scene.store().claim(&[pin(&image())]).await.unwrap()[..] else { panic!("taken") };
    scene.pass(21).await;
    // Another process pinned it meanwhile, and another one took it away at the first provider.
    scene.pin(&[image()]).await;
    for state in [PinState::Unpinning, PinState::Unpinned] {
        scene.world.type_pin(&image(), "pinata", state).await;
        let ours = [pin(&image()), at_the_backup(&image())].map(|pin| Pinned { pin, since });
        scene.store().pinned(&ours).await.unwrap();
        assert_eq!(scene.world.contents_held().await, 0, "{state:?}");
    }
    scene.pass(1).await;
    let [PinClaim::Yours { since }] = scene.store().claim(&[pin(&image())]).await.unwrap()[..] else { panic!("taken") };
    scene.store().pinned(&[Pinned { pin: pin(&image()), since }]).await.unwrap();
    assert_eq!(scene.world.contents_held().await, 1);
}

pub async fn what_the_backup_holds_nobody_need_pin_and_is_owed_to_the_first<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.claim().await;
    scene.store().pinned(&[taken(at_the_backup(&image()))]).await.unwrap();
    assert_eq!(scene.claim().await, [PinClaim::Pinned, PinClaim::Elsewhere]);
    assert_eq!(scene.owed("pinata", 10).await, [], "who pins it may still be at it");
    scene.pass(21).await;
    assert_eq!(scene.owed("pinata", 10).await, [image()]);
    assert_eq!(scene.owed("pinata", 10).await, [], "somebody has it in hand");
    scene.pass(61).await;
    assert_eq!(scene.owed("pinata", 10).await, [image()], "or had");
    scene.pass(61).await;
    scene.pin(&[image()]).await;
    assert_eq!(scene.owed("pinata", 10).await, [], "it is at home");
    assert_eq!(scene.world.contents_held().await, 2, "the backup keeps it");
}

pub async fn what_is_owed_longest_comes_first<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.store().claim(&[pin(&metadata())]).await.unwrap();
    scene.pass(5).await;
    scene.store().claim(&[pin(&image())]).await.unwrap();
    scene.store().pinned(&[image(), metadata()].map(|cid| taken(at_the_backup(&cid)))).await.unwrap();
    scene.pass(21).await;
    assert_eq!(scene.owed("pinata", 1).await, [metadata()]);
    assert_eq!(scene.owed("elsewhere", 1).await, []);
    assert_eq!(scene.owed("pinata", 1).await, [image()]);
}

pub async fn what_nobody_holds_any_more_is_pinned_like_new<W: StoreWorld>() {
    let scene = Scene::<W>::new().await;
    scene.claim().await;
    scene.store().pinned(&[taken(at_the_backup(&image()))]).await.unwrap();
    scene.pass(21).await;
    scene.world.type_pin(&image(), "kubo", PinState::Unpinned).await;
    assert_eq!(scene.owed("pinata", 10).await, []);
    assert_eq!(scene.claim().await, [YOURS, YOURS]);
}
