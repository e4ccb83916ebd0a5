//! What the store counts.

use metrics::{counter, describe_counter};

/// SQL statements sent, each one round trip, by `statement`.
pub const STATEMENTS: &str = "mintfleet_sql_statements_total";

/// Says what each metric means; once per process.
pub fn describe() {
    describe_counter!(STATEMENTS, "SQL statements sent, each one round trip, by statement");
}

pub(crate) fn sent(statement: &'static str) {
    counter!(STATEMENTS, "statement" => statement).increment(1);
}
