//! Lists narrowed by expressions, at a million records: the first page and the exact length without a look at all.
//!
//! The length comes from counters where an expression asks only for what a class of records is made of
//! ([`super::classes`]), from the shorter side of an index where it asks for a range of one field, else from the
//! records. For the page, an expression gives *keys*: what an index finds, at least everything that matches. If they
//! are few, they are sorted and looked up; if they are many, records are looked at in the order of the list, since a
//! page is full soon.

mod condition;
mod device_condition;
mod device_count;
mod device_keys;
mod devices;
mod plain;
mod subscribers;
mod task_condition;
mod task_count;
mod task_keys;
mod tasks;

pub(super) use devices::{list as device_list, matching as device_matching};
pub(super) use plain::{capability_condition, job_condition};
pub(super) use subscribers::list as subscriber_list;
pub(super) use tasks::list as task_list;

use condition::Sql;
use rusqlite::{Connection, params_from_iter};

use super::rows::Done;

/// Keys that are sorted for a page, at the least; more are, where a list is so long that looking at its records in
/// order takes longer.
const FEW_MIN: u64 = 1_000;
/// Entries that are looked at for a page in the worst place between few and many are about the square root of this
/// times the length of the list.
const FEW_FACTOR: u64 = 128;

/// Up to how many keys are few in a list of this length.
fn few(total: u64) -> u64 {
    #[cfg(test)]
    if let Some(few) = tests::FEW.get() {
        return few;
    }
    total.saturating_mul(FEW_FACTOR).isqrt().max(FEW_MIN)
}

/// A list of at most this length is counted as it comes, without a thought about which side of a range is shorter.
const SHORT: u64 = 50_000;

/// Whether it is worth while to think about that.
fn is_long(length: u64) -> bool {
    #[cfg(test)]
    if tests::FEW.get() == Some(0) {
        return true;
    }
    length > SHORT
}

/// What an index finds: at least all that matches.
#[derive(Debug)]
struct Keys {
    /// A query for them, perhaps more than once each.
    sql: Sql,
    /// How many at most.
    count: u64,
    /// Whether it is all that matches, and nothing else.
    is_exact: bool,
}

impl Keys {
    /// The keys of every part together.
    fn united(parts: Vec<Self>) -> Self {
        let count = parts.iter().map(|keys| keys.count).fold(0, u64::saturating_add);
        let is_exact = parts.iter().all(|keys| keys.is_exact);
        Self { sql: Sql::joined(parts.into_iter().map(|keys| keys.sql), " UNION ALL "), count, is_exact }
    }

    /// Those of the part that finds fewest.
    fn fewest(parts: Vec<Self>) -> Option<Self> {
        let fewest = parts.into_iter().min_by_key(|keys| keys.count)?;
        Some(Self { is_exact: false, ..fewest })
    }
}

/// The number in the only cell of the first row.
fn number(connection: &Connection, sql: &Sql) -> Done<u64> {
    let mut statement = connection.prepare_cached(&sql.text)?;
    let number: i64 = statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Rows of a query, counted up to one more than `most`.
fn at_most(connection: &Connection, rows: &Sql, most: u64) -> Done<u64> {
    number(
        connection,
        &rows.clone().within("SELECT count(*) FROM (SELECT 1 FROM (", &format!(") LIMIT {})", most.saturating_add(1))),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests;
