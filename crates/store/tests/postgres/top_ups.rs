//! Transfers from the treasury, and pauses, whoever writes at the same time.

use domain::{Attempt, MintAddress, Shortage, Signature, TopUp, Verdict, WalletAddress};
use store::LandedTopUp;
use store::TopUpRecorded::{DayLimitReached, OneIsOpen, Overtaken, Recorded};

use crate::support::{Fixture, attempt, later};

const SOL: u64 = 1_000_000_000;
const PAYER: WalletAddress = WalletAddress::from_bytes([2; 32]);

fn signature(number: u8) -> Signature {
    Signature::from_bytes([number; 64])
}

fn top_up(number: u8, lamports: u64) -> TopUp {
    let treasury = WalletAddress::from_bytes([1; 32]);
    TopUp {
        treasury,
        payer: PAYER,
        lamports,
        marker: marker(number),
        attempt: Attempt {
            signature: signature(number),
            payer: Some(treasury),
            compute_unit_price: 0,
            cost: None,
            ..attempt(1, number)
        },
    }
}

fn marker(number: u8) -> MintAddress {
    MintAddress::from_bytes([number; 32])
}

async fn landed(fixture: &Fixture, number: u8, lamports: u64) {
    assert_eq!(fixture.store.record_top_up(&top_up(number, lamports), None, u64::MAX).await, Ok(Recorded));
    assert_eq!(
        fixture.store.decide_top_up(&signature(number), Verdict::Finalized, Some(number.into())).await,
        Ok(true)
    );
}

#[tokio::test]
async fn what_is_on_record_is_what_was_signed_until_it_is_decided() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.treasury_book().await.unwrap(), store::TreasuryBook::default());
    let signed = top_up(1, SOL);
    let treasury = signed.treasury;
    assert_eq!(fixture.store.record_top_up(&signed, None, SOL).await, Ok(Recorded));
    let book = fixture.store.treasury_book().await.unwrap();
    assert_eq!((book.open.map(|(open, _)| open), book.last, book.given), (Some(signed), None, 0));
    assert_eq!(fixture.store.decide_top_up(&signature(1), Verdict::Finalized, Some(7)).await, Ok(true));
    assert_eq!(
        fixture.store.decide_top_up(&signature(1), Verdict::Expired, None).await,
        Ok(false),
        "decided is decided"
    );
    let book = fixture.store.treasury_book().await.unwrap();
    assert_eq!(
        (book.open, book.last, book.given),
        (None, Some(LandedTopUp { treasury, marker: marker(1), slot: 7 }), SOL)
    );
    let report = &fixture.store.top_ups(chrono::DateTime::UNIX_EPOCH).await.unwrap()[0];
    assert_eq!((report.lamports, report.verdict), (SOL, Some(Verdict::Finalized)));
    assert!(fixture.store.top_ups(later()).await.unwrap().is_empty());
}

/// So that what fails again and again is told.
#[tokio::test]
async fn an_open_one_is_as_old_as_the_first_of_those_that_did_not_land() {
    let fixture = Fixture::new().await;
    landed(&fixture, 1, SOL).await;
    for (number, minutes) in [(2, 11), (3, 0), (4, 0)] {
        fixture.store.record_top_up(&top_up(number, SOL), Some(&marker(1)), u64::MAX).await.unwrap();
        fixture.store.decide_top_up(&signature(number), Verdict::Expired, None).await.unwrap();
        fixture.must_execute("ALTER TABLE top_ups DISABLE TRIGGER frozen").await;
        let aged = format!("UPDATE top_ups SET signed_at = signed_at - interval '{minutes} minutes'");
        fixture.must_execute(&aged).await;
    }
    fixture.store.record_top_up(&top_up(5, SOL), Some(&marker(1)), u64::MAX).await.unwrap();
    let (open, since) = fixture.store.treasury_book().await.unwrap().open.unwrap();
    let signed = fixture.store.top_ups(chrono::DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(
        (open.attempt.signature, since),
        (signature(5), signed[2].signed_at),
        "that of eleven minutes ago is forgotten"
    );
    assert_eq!(signed[2].signature, signature(3));
    fixture.store.decide_top_up(&signature(5), Verdict::Finalized, Some(9)).await.unwrap();
    fixture.store.record_top_up(&top_up(6, SOL), Some(&marker(5)), u64::MAX).await.unwrap();
    let (_, since) = fixture.store.treasury_book().await.unwrap().open.unwrap();
    let signed = fixture.store.top_ups(chrono::DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(since, signed[5].signed_at, "one has landed since");
}

#[tokio::test]
async fn of_many_who_top_up_at_once_one_does() {
    let fixture = Fixture::new().await;
    let others = [fixture.another_store().await, fixture.another_store().await];
    for round in 0..20 {
        let signed = [0, 1, 2].map(|who| top_up(round * 3 + who, 1));
        let [mine, theirs @ ..] = &signed;
        let (one, two, three) = tokio::join!(
            fixture.store.record_top_up(mine, None, SOL),
            others[0].record_top_up(&theirs[0], None, SOL),
            others[1].record_top_up(&theirs[1], None, SOL),
        );
        let answers = [one.unwrap(), two.unwrap(), three.unwrap()];
        let winners = answers.iter().filter(|answer| **answer == Recorded).count();
        assert_eq!((winners, answers.contains(&DayLimitReached)), (1, false), "{answers:?}");
        let (open, _) = fixture.store.treasury_book().await.unwrap().open.unwrap();
        let winner = answers.iter().position(|answer| *answer == Recorded).unwrap();
        assert_eq!(open, signed[winner], "what is on record is what may be sent");
        fixture.store.decide_top_up(&open.attempt.signature, Verdict::Expired, None).await.unwrap();
    }
}

/// Each of the three would fit by itself, and each comes as soon as the one before is decided.
#[tokio::test]
async fn the_day_s_limit_holds_whoever_hurries() {
    let fixture = Fixture::new().await;
    let others = [fixture.another_store().await, fixture.another_store().await];
    let give = async |store: &store::Store, number: u8| {
        loop {
            let last = store.treasury_book().await.unwrap().last.map(|last| last.marker);
            match store.record_top_up(&top_up(number, 4 * SOL), last.as_ref(), 10 * SOL).await.unwrap() {
                OneIsOpen | Overtaken => tokio::task::yield_now().await,
                Recorded => {
                    store.decide_top_up(&signature(number), Verdict::Finalized, Some(1)).await.unwrap();
                    return true;
                }
                DayLimitReached => return false,
            }
        }
    };
    let given = tokio::join!(give(fixture.store.as_ref(), 1), give(&others[0], 2), give(&others[1], 3));
    assert_eq!([given.0, given.1, given.2].iter().filter(|given| **given).count(), 2);
    assert_eq!(fixture.store.treasury_book().await.unwrap().given, 8 * SOL);
}

#[tokio::test]
async fn only_what_landed_within_the_day_counts_against_its_limit() {
    let fixture = Fixture::new().await;
    landed(&fixture, 1, 6 * SOL).await;
    for (number, verdict, slot) in [(2, Verdict::Expired, None), (3, Verdict::FailedOnChain, Some(3))] {
        assert_eq!(
            fixture.store.record_top_up(&top_up(number, 4 * SOL), Some(&marker(1)), 10 * SOL).await,
            Ok(Recorded)
        );
        fixture.store.decide_top_up(&signature(number), verdict, slot).await.unwrap();
    }
    let last = marker(1);
    assert_eq!(fixture.store.record_top_up(&top_up(4, 5 * SOL), Some(&last), 10 * SOL).await, Ok(DayLimitReached));
    fixture.must_execute("ALTER TABLE top_ups DISABLE TRIGGER frozen").await;
    fixture.must_execute("UPDATE top_ups SET signed_at = signed_at - interval '25 hours'").await;
    assert_eq!(fixture.store.record_top_up(&top_up(4, 5 * SOL), Some(&last), 10 * SOL).await, Ok(Recorded));
}

/// It read what the payer held, slept, and another process brought money meanwhile.
#[tokio::test]
async fn who_slept_while_another_one_landed_tops_nobody_up() {
    let fixture = Fixture::new().await;
    landed(&fixture, 1, SOL).await;
    let record = async |last: Option<&MintAddress>| fixture.store.record_top_up(&top_up(2, SOL), last, u64::MAX).await;
    assert_eq!(record(None).await, Ok(Overtaken));
    assert_eq!(record(Some(&marker(3))).await, Ok(Overtaken));
    assert_eq!(record(Some(&marker(1))).await, Ok(Recorded));
}

#[tokio::test]
async fn nobody_rewrites_a_top_up() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.store.record_top_up(&top_up(1, SOL), None, SOL).await, Ok(Recorded));
    let append_only = "top_ups is append-only";
    for change in ["lamports = 2", "payer = 'x'", "wire = '\\x01'", "marker = 'x'"] {
        let refused = fixture.execute(format!("UPDATE top_ups SET {change}")).await.unwrap_err();
        assert!(refused.contains(append_only), "{change}: {refused}");
    }
    fixture.store.decide_top_up(&signature(1), Verdict::Expired, None).await.unwrap();
    for change in ["UPDATE top_ups SET verdict = NULL, decided_at = NULL", "DELETE FROM top_ups"] {
        assert!(fixture.execute(change).await.unwrap_err().contains(append_only), "{change}");
    }
}

#[tokio::test]
async fn of_all_who_find_a_payer_empty_one_tells() {
    let fixture = Fixture::new().await;
    let other = fixture.another_store().await;
    for _ in 0..10 {
        let (ours, theirs) = tokio::join!(
            fixture.store.payer_pauses(&PAYER, Shortage::TreasuryEmpty, 7),
            other.payer_pauses(&PAYER, Shortage::DayLimitReached, 8),
        );
        assert!(ours.unwrap() ^ theirs.unwrap());
        let (ours, theirs) = tokio::join!(fixture.store.payer_resumes(&PAYER), other.payer_resumes(&PAYER));
        assert!(ours.unwrap() ^ theirs.unwrap());
    }
    assert_eq!(fixture.store.payer_pauses(&PAYER, Shortage::NoTreasury, 9).await, Ok(true));
    let pauses = fixture.store.pauses(later()).await.unwrap();
    assert_eq!(pauses.len(), 1, "those that ended before are not asked for");
    assert_eq!((pauses[0].reason, pauses[0].lamports, pauses[0].ended_at), (Shortage::NoTreasury, 9, None));
    assert_eq!(fixture.store.pauses(chrono::DateTime::UNIX_EPOCH).await.unwrap().len(), 11);
}
