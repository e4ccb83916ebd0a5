//! What was spent, by the attempts on record.

use domain::{DecidedAttempt, MintCost, State, Transition, Verdict};
use store::Spending;

use crate::support::{COST, Fixture, confirmed, database_updated, expired, failed, later, signature, submitted};

/// An operation whose first transaction expired, whose second failed on chain, and whose third minted.
async fn minted_at_the_third(fixture: &Fixture, number: u64) -> domain::OperationId {
    let operation = fixture.standing(number, State::IpfsUploaded).await;
    let failed = DecidedAttempt { signature: signature(number, 1), verdict: Verdict::FailedOnChain };
    let way = [
        submitted(number, 0, None),
        submitted(number, 1, Some(expired(number, 0))),
        submitted(number, 2, Some(failed)),
        confirmed(number, 2),
        database_updated(number, 2),
    ];
    let mut operation = operation;
    for transition in way {
        operation = fixture.advance(&operation, transition).await;
    }
    operation.id
}

#[tokio::test]
async fn an_attempt_costs_what_became_of_it() {
    let fixture = Fixture::with_contents().await;
    let id = minted_at_the_third(&fixture, 1).await;
    let report = fixture.store.operation(id).await.unwrap().unwrap();
    assert!(report.attempts.iter().all(|attempt| attempt.cost == Some(COST)));
    let fees = MintCost { rent: 0, protocol_fee: 0, ..COST };
    let expected =
        Spending { nfts: 1, failed: 1, expired: 1, spent: COST + fees, floor: COST.floor(), ..Spending::default() };
    assert_eq!(report.spending(), expected);

    let days = fixture.store.spending(report.milestones.initiated).await.unwrap();
    assert_eq!(days.iter().map(|day| day.spending).collect::<Vec<_>>(), [expected], "the sum says the same");
    assert_eq!(days[0].day, report.attempts[0].signed_at.date_naive());
    assert!(fixture.store.spending(later()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_open_is_not_spent_and_what_is_unknown_is_said() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    let Transition::Submitted { mint, key_id, attempt, decided } = submitted(1, 0, None) else { unreachable!() };
    let attempt = domain::Attempt { cost: None, ..attempt };
    let operation =
        fixture.advance(&operation, Transition::Submitted { mint, key_id, attempt: attempt.clone(), decided }).await;
    assert_eq!(fixture.load(operation.id).await.open_attempt, Some(attempt));
    let spending = async || {
        let report = fixture.store.operation(operation.id).await.unwrap().unwrap();
        let days = fixture.store.spending(report.milestones.initiated).await.unwrap();
        assert_eq!(days[0].spending, report.spending());
        report.spending()
    };
    assert_eq!(spending().await, Spending { open: 1, ..Spending::default() });
    let decided = DecidedAttempt { signature: signature(1, 0), verdict: Verdict::FailedOnChain };
    fixture.advance(&operation, failed(Some(decided))).await;
    assert_eq!(spending().await, Spending { failed: 1, unknown: 1, ..Spending::default() });
}

#[tokio::test]
async fn an_expired_attempt_that_minted_after_all_has_its_cost() {
    let fixture = Fixture::with_contents().await;
    let operation = fixture.standing(1, State::IpfsUploaded).await;
    let mut operation = operation;
    for transition in
        [submitted(1, 0, None), submitted(1, 1, Some(expired(1, 0))), confirmed(1, 0), database_updated(1, 0)]
    {
        operation = fixture.advance(&operation, transition).await;
    }
    let report = fixture.store.operation(operation.id).await.unwrap().unwrap();
    let expected = Spending { nfts: 1, expired: 1, spent: COST, floor: COST.floor(), ..Spending::default() };
    assert_eq!(report.spending(), expected);
    assert_eq!(fixture.store.spending(report.milestones.initiated).await.unwrap()[0].spending, expected);
}

#[tokio::test]
async fn a_cost_is_whole_or_absent() {
    let fixture = Fixture::with_contents().await;
    fixture.standing(1, State::BlockchainSubmitted).await;
    let refused = fixture.execute("UPDATE mint_attempts SET rent = NULL").await.unwrap_err();
    assert!(refused.contains("mint_attempts_cost_check"), "{refused}");
}
