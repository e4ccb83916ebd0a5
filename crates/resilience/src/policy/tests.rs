use proptest::prelude::*;

use super::*;

fn schedule(name: PolicyName) -> Vec<u128> {
    Policies::default()[name].schedule().iter().map(Duration::as_millis).collect()
}

#[test]
fn the_table_has_a_line_for_every_name_and_makes_sense() {
    let policies = Policies::default();
    assert_eq!(policies.problems(), []);
    for (index, row) in policies.rows().iter().enumerate() {
        assert_eq!(row.name as usize, index, "{} stands in the wrong line", row.name);
        assert!(row.requirements.iter().all(|id| id.starts_with("R-")), "{row:?}");
    }
}

#[test]
fn the_sources_schedules() {
    assert_eq!(schedule(PolicyName::ImageUpload), [1_000, 2_000, 4_000, 4_000]);
    assert_eq!(schedule(PolicyName::TransactionSubmission), [2_000, 4_000]);
    assert_eq!(schedule(PolicyName::DatabaseConnection), [500, 1_000, 2_000]);
    assert_eq!(schedule(PolicyName::PermanentFailure), [] as [u128; 0]);
}

#[test]
fn a_conflict_is_tried_again_after_100_to_500_ms() {
    let (policy, jitter) = (Policies::default()[PolicyName::DatabaseConflict], Arc::new(Jitter::from_seed(3)));
    let pauses: Vec<_> = (0..1_000).map(|_| policy.pause_after(1, &jitter).unwrap().as_millis()).collect();
    assert!(pauses.iter().all(|pause| (100..=500).contains(pause)));
    assert!(pauses.iter().any(|pause| *pause < 120) && pauses.iter().any(|pause| *pause > 480), "no spread");
    assert_eq!(policy.pause_after(2, &jitter), None);
}

#[test]
fn the_environment_tunes_its_lines() {
    let mut policies = Policies::default();
    policies.set_solana_attempts(4);
    policies.set_solana_wait(Duration::from_secs(9));
    policies.set_ipfs_attempts(2);
    assert_eq!(policies[PolicyName::TransactionSubmission].attempts, 4);
    assert_eq!(policies[PolicyName::TransactionSubmission].wait, Duration::from_secs(9));
    assert_eq!(policies[PolicyName::ImageUpload].attempts, 2);
    assert_eq!(policies[PolicyName::MetadataUpload].attempts, 2);
    assert_eq!(policies[PolicyName::Confirmation], Policies::default()[PolicyName::Confirmation]);
}

#[test]
fn all_problems_come_at_once() {
    let mut policies = Policies::default();
    policies.set_solana_attempts(0);
    policies[PolicyName::ServiceOutage].attempts = 2;
    let upload = &mut policies[PolicyName::ImageUpload];
    upload.wait = Duration::ZERO;
    upload.pauses =
        BackoffPolicy { first: Duration::from_secs(9), factor: f64::NAN, cap: Duration::from_secs(1), jitter: 1.5 };
    let problems: Vec<_> = policies.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "service-outage: no pause before the second try",
            "image-upload: a try may take 0 s",
            "image-upload: the longest pause is shorter than the first",
            "image-upload: pauses have to grow by a factor of 1 or more",
            "image-upload: jitter is a share from 0 to 1",
            "transaction-submission: 0 attempts",
        ]
    );
}

proptest! {
    /// Whatever line: pauses end with its attempts and stay within their bounds, jitter included.
    #[test]
    fn pauses_stay_within_their_bounds(line in 0..table::ROWS.len(), failures in 1_u32..8, seed: u64) {
        let Policy { attempts, pauses, .. } = table::ROWS[line].policy;
        match table::ROWS[line].policy.pause_after(failures, &Arc::new(Jitter::from_seed(seed))) {
            None => prop_assert!(failures >= attempts),
            Some(pause) => {
                prop_assert!(failures < attempts);
                prop_assert!(pause >= pauses.first.mul_f64(1.0 - pauses.jitter - 1e-6));
                prop_assert!(pause <= pauses.cap.mul_f64(1.0 + pauses.jitter + 1e-6));
            }
        }
    }
}
