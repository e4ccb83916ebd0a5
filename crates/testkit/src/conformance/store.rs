//! The store's ports, on PostgreSQL and simulated.

mod attempts;
mod batches;
mod claims;
mod committing;
mod inserting;
mod pins;
mod put_offs;
mod racing;
mod scene;
mod sweeps;
mod world;

use futures::future::LocalBoxFuture;

pub use self::pins::YOURS;
pub use self::scene::{Scene, count_committed};
pub use self::world::{Bookkeeping, Happened, StoreWorld};

/// Makes a test of every case on a [`StoreWorld`]: `store_conformance!(World, tokio::test);`
#[macro_export]
macro_rules! store_conformance {
    ($world:ty, $test:meta) => {
        $crate::store_cases! { [$crate::store_tests] $world, $test }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! store_tests {
    ([$world:ty, $test:meta] $($module:ident::$case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::conformance::store::run::<$world>(stringify!($case)).await;
            }
        )+
    };
}

/// The one list of all cases: what is missing here is dead code, and the compiler says so.
#[doc(hidden)]
#[macro_export]
macro_rules! store_cases {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { [$($given)*]
            inserting::what_is_answered_is_what_is_there,
            inserting::a_duplicate_finds_the_row_as_it_stands_and_other_content_conflicts,
            inserting::one_id_several_times_in_a_batch_is_one_row,
            inserting::priority_and_trace_are_the_first_ones,
            inserting::text_of_every_kind_comes_back_as_it_went,
            inserting::a_nul_is_the_rows_fault,
            inserting::a_load_tells_the_databases_time_and_what_is_missing,
            committing::the_row_becomes_what_the_domain_says,
            committing::a_transition_that_the_domain_does_not_know_is_the_rows_fault,
            committing::a_stale_view_is_overtaken_and_leaves_nothing,
            committing::a_content_that_is_not_pinned_is_not_stored,
            committing::a_content_at_another_provider_will_do,
            committing::a_batch_may_mix_everything,
            committing::of_two_transitions_of_one_operation_in_a_batch_one_is_overtaken,
            committing::a_failure_with_a_nul_in_its_message_can_be_stored,
            committing::a_flag_keeps_its_first_reason_and_moves_nothing,
            committing::every_transition_is_one_line_of_history,
            committing::the_finished_record_is_business_data_once_it_is_verified,
            attempts::no_operation_fails_while_an_attempt_is_undecided,
            attempts::signing_again_replaces_the_attempt_or_nothing,
            attempts::who_slept_through_failed_signs_nothing,
            attempts::every_verdict_is_recorded_as_it_was_told,
            attempts::an_attempt_keeps_what_it_costs_whatever_becomes_of_it,
            attempts::the_attempt_of_another_operation_is_no_verdict_on_this_one,
            attempts::a_finalized_mint_closes_whichever_attempt_is_open,
            attempts::what_finality_dropped_keeps_its_attempt,
            attempts::a_mint_address_is_one_operations_own,
            attempts::a_mint_address_never_changes,
            attempts::nothing_is_signed_without_bytes,
            attempts::who_paid_is_on_record_where_it_was_told,
            racing::of_two_writers_exactly_one_wins,
            racing::two_signers_leave_one_attempt,
            racing::of_signing_anew_and_failing_one_happens,
            racing::overlapping_batches_in_opposite_order_both_succeed,
            racing::twenty_processes_insert_the_same_rows_once,
            racing::of_two_processes_that_count_the_same_try_one_does,
            racing::two_processes_claim_each_due_row_once,
            racing::of_twenty_processes_one_pins,
            racing::what_is_owed_goes_to_one_process,
            batches::a_bad_insert_fails_alone,
            batches::a_bad_commit_fails_alone,
            batches::a_bad_put_off_fails_alone,
            batches::a_refused_batch_leaves_nothing_and_its_good_half_goes_through,
            batches::a_number_that_no_column_holds_is_the_rows_fault,
            put_offs::the_row_owns_the_next_try_and_keeps_its_version,
            put_offs::a_commit_that_comes_after_its_sender_gave_up_owes_the_status,
            put_offs::a_try_in_the_lane_counts_and_leaves_the_next_one_to_the_record,
            put_offs::a_stale_view_records_nothing,
            put_offs::a_batch_answers_in_order_and_takes_an_operation_once,
            put_offs::history_tells_what_is_new_and_not_that_it_lasts,
            claims::only_what_is_due_and_of_the_step_is_claimed,
            claims::who_dies_between_claim_and_publish_loses_nothing,
            claims::a_commit_that_comes_late_to_a_claimed_row_owes_the_status,
            claims::what_was_put_off_or_moved_meanwhile_is_not_settled,
            claims::once_a_dependency_is_back_what_waits_for_it_is_due_and_nothing_else,
            claims::a_status_that_is_owed_is_told_once_whatever_the_state,
            claims::each_priority_has_a_share_and_the_longest_due_come_first,
            sweeps::nothing_stands_still_before_every_partition_was_consumed_so_far,
            sweeps::a_wake_counts_once_settled_and_holds_off_the_next_until_it_was_consumed,
            sweeps::what_waits_in_its_row_does_not_stand_still,
            sweeps::an_older_owner_never_overwrites_a_newer_one,
            pins::the_first_pins_and_the_others_wait_until_it_is_pinned,
            pins::a_claim_that_ran_out_is_anybodys,
            pins::what_was_unpinned_is_pinned_again_and_what_is_being_unpinned_waits,
            pins::what_was_unpinned_while_it_was_uploaded_is_not_pinned,
            pins::what_the_backup_holds_nobody_need_pin_and_is_owed_to_the_first,
            pins::what_is_owed_longest_comes_first,
            pins::what_nobody_holds_any_more_is_pinned_like_new,
        }
    };
}

macro_rules! case_of_name {
    ([$world:ty, $name:expr] $($module:ident::$case:ident,)+) => {
        match $name {
            $(stringify!($case) => Box::pin($module::$case::<$world>()),)+
            other => panic!("there is no case {other:?}"),
        }
    };
}

/// Runs the case of that name on a world of its own.
///
/// # Panics
/// Where the case does not hold, which is what it is for.
#[must_use]
pub fn run<W: StoreWorld>(case: &'static str) -> LocalBoxFuture<'static, ()> {
    store_cases!([case_of_name] W, case)
}
