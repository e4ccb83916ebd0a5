//! The chain's port, on the real programs and simulated: what the argument of docs/EXACTLY-ONCE.md takes a chain to do.

mod expiring;
mod gifts;
mod landing;
mod looking;
mod refusing;
mod scene;
mod trying_out;
mod world;

use futures::future::LocalBoxFuture;

pub use self::scene::order;
pub use self::world::ChainWorld;

/// Makes a test of every case on a [`ChainWorld`]: `chain_conformance!(World, tokio::test);`
#[macro_export]
macro_rules! chain_conformance {
    ($world:ty, $test:meta) => {
        $crate::chain_cases! { [$crate::chain_tests] $world, $test }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! chain_tests {
    ([$world:ty, $test:meta] $($module:ident::$case:ident,)+) => {
        $(
            #[$test]
            async fn $case() {
                $crate::conformance::chain::run::<$world>(stringify!($case)).await;
            }
        )+
    };
}

/// The one list of all cases: what is missing here is dead code, and the compiler says so.
#[doc(hidden)]
#[macro_export]
macro_rules! chain_cases {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { [$($given)*]
            landing::what_is_sent_is_confirmed_and_then_final,
            landing::what_was_signed_and_not_sent_is_unknown,
            landing::the_same_bytes_twice_are_one_nft,
            landing::what_landed_is_found_in_the_history,
            refusing::a_second_transaction_for_the_same_mint_fails_and_is_a_question_for_the_chain,
            refusing::of_two_transactions_at_once_one_mints,
            refusing::what_the_program_refuses_fails_and_mints_nothing,
            gifts::lamports_of_a_stranger_do_not_block_the_address,
            gifts::lamports_that_come_after_the_signature_are_a_question_for_the_chain,
            trying_out::a_simulation_measures_and_lands_nothing,
            trying_out::what_would_fail_is_no_measure,
            trying_out::the_toll_is_the_same_whatever_lies_at_the_address,
            looking::where_nothing_was_minted_there_is_nothing,
            looking::the_nft_is_what_was_ordered,
            looking::the_transaction_that_minted_is_found_and_bears_witness,
            looking::nobody_answers_for_a_slot_that_is_not_reached,
            expiring::what_is_not_sent_expires_once_its_height_is_past_and_lands_no_more,
            expiring::what_lands_late_in_its_life_never_expires,
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
pub fn run<W: ChainWorld>(case: &'static str) -> LocalBoxFuture<'static, ()> {
    chain_cases!([case_of_name] W, case)
}
