//! How the payers are kept in funds, in every turn that it can take.

mod support;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{MintAddress, Shortage, Signature, TopUp, Transition, Verdict, WalletAddress};
use engine::{StepHandler, StoreError};
use mint_submitter::{FundingKeeper, FundingLedger, PayerFunds, Standing};
use solana::{FundingPolicy, Landing, MintState, OnChainErrorKind, Opinions, Pubkey, Treasury};
use solana_sdk::signature::Keypair;
use store::{LandedTopUp, TopUpRecorded, TreasuryBook};
use support::{FakeChain, FixedClock, Script, authority, minter, on_chain, operation};

const SOL: u64 = 1_000_000_000;
const POLICY: FundingPolicy =
    FundingPolicy { pause_below: SOL / 10, top_up_below: SOL, top_up: 5 * SOL, per_day: 10 * SOL };
const UNKNOWN: Landing = Landing::Unknown { tip: Some(1_001) };
/// Not seen, long after it could land.
const LATE: Landing = Landing::Unknown { tip: Some(1_300) };
const PAYER: Pubkey = Pubkey::new_from_array([9; 32]);

/// How a top-up ended, and where it landed.
type Decided = Option<(Verdict, Option<u64>)>;

/// The ledger as PostgreSQL keeps it: one undecided top-up at a time, and one pause of a payer.
#[derive(Debug, Default)]
struct Ledger {
    top_ups: Mutex<Vec<(TopUp, Decided)>>,
    pausing: Mutex<Vec<WalletAddress>>,
    pauses: Mutex<Vec<Shortage>>,
}

impl Ledger {
    fn signatures(&self) -> Vec<Signature> {
        self.top_ups.lock().unwrap().iter().map(|(top_up, _)| top_up.attempt.signature).collect()
    }

    fn verdicts(&self) -> Vec<Option<Verdict>> {
        self.top_ups.lock().unwrap().iter().map(|(_, decided)| decided.map(|(verdict, _)| verdict)).collect()
    }

    fn pauses(&self) -> Vec<Shortage> {
        self.pauses.lock().unwrap().clone()
    }

    fn pausing(&self) -> usize {
        self.pausing.lock().unwrap().len()
    }
}

impl FundingLedger for Ledger {
    async fn book(&self) -> Result<TreasuryBook, StoreError> {
        let top_ups = self.top_ups.lock().unwrap();
        let mut book = TreasuryBook::default();
        for (top_up, decided) in top_ups.iter() {
            match decided {
                None => book.open = Some((top_up.clone(), DateTime::UNIX_EPOCH)),
                Some((Verdict::Finalized, slot)) => {
                    book.given += top_up.lamports;
                    let TopUp { treasury, marker, .. } = *top_up;
                    book.last = Some(LandedTopUp { treasury, marker, slot: slot.unwrap() });
                }
                Some((Verdict::Expired | Verdict::FailedOnChain, _)) => {}
            }
        }
        Ok(book)
    }

    async fn record(
        &self,
        top_up: &TopUp,
        last: Option<&MintAddress>,
        per_day: u64,
    ) -> Result<TopUpRecorded, StoreError> {
        let book = self.book().await?;
        if book.open.is_some() {
            return Ok(TopUpRecorded::OneIsOpen);
        }
        if book.last.map(|last| last.marker) != last.copied() {
            return Ok(TopUpRecorded::Overtaken);
        }
        if book.given + top_up.lamports > per_day {
            return Ok(TopUpRecorded::DayLimitReached);
        }
        self.top_ups.lock().unwrap().push((top_up.clone(), None));
        Ok(TopUpRecorded::Recorded)
    }

    async fn decide(&self, signature: &Signature, verdict: Verdict, slot: Option<u64>) -> Result<bool, StoreError> {
        let mut top_ups = self.top_ups.lock().unwrap();
        let open =
            |(top_up, decided): &&mut (TopUp, Decided)| top_up.attempt.signature == *signature && decided.is_none();
        let Some((_, decided)) = top_ups.iter_mut().find(open) else { return Ok(false) };
        *decided = Some((verdict, slot));
        Ok(true)
    }

    async fn pause(&self, payer: &WalletAddress, reason: Shortage, _: u64) -> Result<bool, StoreError> {
        let mut pausing = self.pausing.lock().unwrap();
        let new = !pausing.contains(payer);
        if new {
            pausing.push(*payer);
            self.pauses.lock().unwrap().push(reason);
        }
        Ok(new)
    }

    async fn resume(&self, payer: &WalletAddress) -> Result<bool, StoreError> {
        let mut pausing = self.pausing.lock().unwrap();
        let paused = pausing.len();
        pausing.retain(|pausing| pausing != payer);
        Ok(pausing.len() < paused)
    }
}

type Keeper = FundingKeeper<FakeChain, Ledger, FixedClock>;

/// A process that looks after one payer, and what it knows of it.
struct Process {
    keeper: Keeper,
    funds: Arc<PayerFunds>,
}

struct World {
    chain: FakeChain,
    ledger: Arc<Ledger>,
}

fn treasury() -> Treasury {
    Treasury::new(Keypair::new_from_array([3; 32]))
}

impl World {
    /// A payer with so much, and a treasury with so much.
    fn new(payer: u64, treasury_holds: u64, script: Script) -> Self {
        let world = Self { chain: FakeChain::default(), ledger: Arc::default() };
        *world.chain.script.lock().unwrap() = script;
        world.chain.hold(PAYER, payer);
        world.chain.hold(treasury().address(), treasury_holds);
        world
    }

    fn process_at(&self, treasury: Option<Treasury>, after: TimeDelta) -> Process {
        let funds = Arc::new(PayerFunds::default());
        let clock = FixedClock(DateTime::<Utc>::UNIX_EPOCH + after);
        let (chain, ledger) = (self.chain.clone(), Arc::clone(&self.ledger));
        let keeper = FundingKeeper::new(chain, ledger, clock, POLICY, treasury, vec![PAYER], Arc::clone(&funds));
        Process { keeper, funds }
    }

    fn process(&self) -> Process {
        self.process_at(Some(treasury()), TimeDelta::zero())
    }

    fn sent(&self) -> Vec<Signature> {
        self.chain.sent().into_iter().map(|(signature, _)| signature).collect()
    }
}

impl Process {
    async fn round(&self) -> Standing {
        self.keeper.round().await.unwrap();
        self.funds.of(&PAYER).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_payer_with_funds_is_left_alone() {
    let world = World::new(SOL, 100 * SOL, Script::default());
    let process = world.process();
    assert!(!process.keeper.round().await.unwrap());
    assert_eq!(process.funds.of(&PAYER), Some(Standing::Enough));
    assert!(world.ledger.signatures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_low_payer_is_topped_up_once_and_nothing_is_sent_before_it_is_on_record() {
    let world = World::new(
        SOL - 1,
        100 * SOL,
        Script { finalized: [UNKNOWN, Landing::Landed { slot: 7 }].into(), ..Script::default() },
    );
    let process = world.process();
    assert!(process.keeper.round().await.unwrap(), "the next round is due");
    let signed = world.ledger.signatures();
    assert_eq!((signed.len(), world.sent().len()), (1, 0));
    assert_eq!(process.round().await, Standing::Enough, "it still has funds meanwhile");
    assert_eq!((world.ledger.verdicts(), world.sent()), (vec![None], signed.clone()));
    world.chain.hold(PAYER, 6 * SOL - 1);
    assert_eq!(process.round().await, Standing::Enough);
    assert_eq!(world.ledger.verdicts(), [Some(Verdict::Finalized)]);
    assert_eq!(world.sent(), [signed[0], signed[0]], "the same bytes");
    process.round().await;
    assert_eq!(world.ledger.signatures().len(), 1);
    assert_eq!(world.chain.not_before(), 7, "what was read before it landed would bring another one");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_record_and_send_loses_and_doubles_nothing() {
    let world = World::new(0, 100 * SOL, Script { finalized: [UNKNOWN].into(), ..Script::default() });
    world.process().round().await;
    let signed = world.ledger.signatures();
    assert!(world.sent().is_empty(), "the process dies here");
    let next = world.process();
    assert_eq!(next.round().await, Standing::Waiting);
    assert_eq!((world.sent(), world.ledger.signatures()), (signed.clone(), signed));
}

#[tokio::test(start_paused = true)]
async fn several_processes_bring_money_once() {
    let world = World::new(0, 100 * SOL, Script { finalized: [UNKNOWN].into(), ..Script::default() });
    let processes = [world.process(), world.process(), world.process()];
    for _ in 0..3 {
        let standings = futures::future::join_all(processes.iter().map(Process::round)).await;
        assert_eq!(standings, [Standing::Waiting; 3]);
    }
    assert_eq!(world.ledger.signatures().len(), 1);
    assert!(world.sent().iter().all(|sent| world.ledger.signatures().contains(sent)));
    assert!(world.ledger.pauses().is_empty(), "it is under way: nobody has to do anything");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_anew_while_one_is_undecided() {
    let script = Script { finalized: [LATE].into(), expired: [false, false, true, false].into(), ..Script::default() };
    let world = World::new(0, 100 * SOL, script);
    let process = world.process();
    for _ in 0..3 {
        process.round().await;
        assert_eq!((world.ledger.verdicts(), world.ledger.signatures().len()), (vec![None], 1));
    }
    process.round().await;
    assert_eq!(world.ledger.verdicts(), [Some(Verdict::Expired), None], "now it is, and the payer is still low");
    let [first, second] = world.ledger.signatures()[..] else { panic!("two") };
    assert_ne!(first, second);
}

#[tokio::test(start_paused = true)]
async fn one_endpoint_s_word_is_never_enough_and_a_person_is_told() {
    let script = Script { finalized: [LATE].into(), expired: [false].into(), ..Script::default() };
    let world = World::new(0, 100 * SOL, script);
    assert_eq!(world.process().round().await, Standing::Waiting);
    assert_eq!(world.process_at(Some(treasury()), TimeDelta::minutes(4)).round().await, Standing::Waiting);
    let late = world.process_at(Some(treasury()), TimeDelta::minutes(6));
    for _ in 0..2 {
        assert_eq!(late.round().await, Standing::Short(Shortage::Undecided));
    }
    assert_eq!((world.ledger.pauses(), world.ledger.signatures().len()), (vec![Shortage::Undecided], 1));
    assert!(world.chain.opinions.lock().unwrap().iter().all(|opinions| *opinions == Opinions::Two));
    world.chain.hold(PAYER, SOL);
    assert_eq!(late.round().await, Standing::Enough, "somebody sent it money");
    assert_eq!(world.ledger.pausing(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_marker_tells_of_the_top_up_whose_status_is_lost() {
    let script = Script {
        finalized: [LATE].into(),
        expired: [false].into(),
        states: [MintState::Foreign].into(),
        ..Script::default()
    };
    let world = World::new(SOL - 1, 100 * SOL, script);
    let process = world.process();
    process.round().await;
    world.chain.hold(PAYER, 6 * SOL - 1);
    process.round().await;
    assert_eq!(world.ledger.verdicts(), [Some(Verdict::Finalized)]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_on_chain_makes_room_for_another() {
    let failed = Landing::Failed { slot: 5, error: on_chain(OnChainErrorKind::NoFunds) };
    let world = World::new(0, 100 * SOL, Script { finalized: [failed, UNKNOWN].into(), ..Script::default() });
    let process = world.process();
    process.round().await;
    process.round().await;
    assert_eq!(world.ledger.verdicts(), [Some(Verdict::FailedOnChain), None]);
}

#[tokio::test(start_paused = true)]
async fn each_shortage_pauses_once_and_funds_resume_it() {
    let cases = [
        (World::new(0, 5 * SOL, Script::default()), Some(treasury()), Shortage::TreasuryEmpty),
        (World::new(0, 100 * SOL, Script::default()), None, Shortage::NoTreasury),
    ];
    for (world, treasury, shortage) in cases {
        let processes = [0, 1].map(|_| world.process_at(treasury.clone(), TimeDelta::zero()));
        for _ in 0..3 {
            for process in &processes {
                assert_eq!(process.round().await, Standing::Short(shortage));
                assert!(!*process.funds.open().borrow());
            }
        }
        assert_eq!(world.ledger.pauses(), [shortage], "one event, whoever finds out, however often");
        assert!(world.ledger.signatures().is_empty());
        world.chain.hold(PAYER, 2 * SOL);
        for process in &processes {
            assert_eq!(process.round().await, Standing::Enough);
            assert!(*process.funds.open().borrow());
        }
        assert_eq!(world.ledger.pausing(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_day_s_limit_pauses_until_there_are_funds() {
    let world =
        World::new(0, 100 * SOL, Script { finalized: [Landing::Landed { slot: 7 }].into(), ..Script::default() });
    let process = world.process();
    // Two of five make ten; the payer spends both.
    for _ in 0..3 {
        process.round().await;
    }
    assert_eq!(process.round().await, Standing::Short(Shortage::DayLimitReached));
    assert_eq!(world.ledger.verdicts(), [Some(Verdict::Finalized); 2]);
    assert_eq!(world.ledger.pauses(), [Shortage::DayLimitReached]);
    world.chain.hold(PAYER, SOL / 2);
    assert_eq!(process.round().await, Standing::Low(Shortage::DayLimitReached), "it has enough to go on with");
    assert_eq!(world.ledger.pausing(), 0);
}

fn names(top_up: &TopUp, marker: &MintAddress) -> bool {
    top_up.attempt.wire.windows(32).any(|bytes| bytes == marker.as_bytes())
}

#[tokio::test(start_paused = true)]
async fn the_last_marker_is_closed_where_it_is_still_there() {
    for (state, there) in [(MintState::Foreign, true), (MintState::Absent { lamports: 0 }, false)] {
        let script =
            Script { finalized: [Landing::Landed { slot: 7 }].into(), states: [state].into(), ..Script::default() };
        let world = World::new(0, 100 * SOL, script);
        let process = world.process();
        process.round().await;
        process.round().await;
        let top_ups = world.ledger.top_ups.lock().unwrap();
        let [(first, _), (second, _)] = &top_ups[..] else { panic!("two") };
        assert!(names(first, &first.marker) && names(second, &second.marker));
        assert_eq!(names(second, &first.marker), there);
    }
}

#[tokio::test(start_paused = true)]
async fn another_treasury_leaves_the_marker_of_the_one_before_alone() {
    let script = Script {
        finalized: [Landing::Landed { slot: 7 }].into(),
        states: [MintState::Foreign].into(),
        ..Script::default()
    };
    let world = World::new(0, 100 * SOL, script);
    world.process().round().await;
    let other = Treasury::new(Keypair::new_from_array([4; 32]));
    world.chain.hold(other.address(), 100 * SOL);
    world.process_at(Some(other), TimeDelta::zero()).round().await;
    let top_ups = world.ledger.top_ups.lock().unwrap();
    let [(first, _), (second, _)] = &top_ups[..] else { panic!("two") };
    assert!(first.treasury != second.treasury && !names(second, &first.marker));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_for_a_payer_that_pauses() {
    let world = World::new(0, 0, Script::default());
    let minter = minter(&world.chain);
    let payer = authority();
    world.chain.hold(payer, 0);
    let funds = Arc::new(PayerFunds::default());
    let clock = FixedClock(DateTime::UNIX_EPOCH);
    let keeper = FundingKeeper::new(
        world.chain.clone(),
        Arc::clone(&world.ledger),
        clock,
        POLICY,
        None,
        vec![payer],
        Arc::clone(&funds),
    );
    let minter = minter.funded_by(funds);
    keeper.round().await.unwrap();
    let error = minter.run(&operation()).await.unwrap_err();
    assert_eq!(error.failure().code, "payer-out-of-funds");
    world.chain.hold(payer, SOL);
    keeper.round().await.unwrap();
    assert!(matches!(minter.run(&operation()).await.unwrap(), Transition::Submitted { .. }));
}
