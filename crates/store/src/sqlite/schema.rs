//! Migrations: numbered, each in one transaction, the version in the table `meta`.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::lists_fill;
use super::rows::{Done, Failure};

/// Every migration in order. Those that were released are never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_initial.sql"),
    include_str!("../../migrations/sqlite/0002_traces.sql"),
    include_str!("../../migrations/sqlite/0003_signed_messages.sql"),
    include_str!("../../migrations/sqlite/0004_access.sql"),
    include_str!("../../migrations/sqlite/0005_ledger.sql"),
    include_str!("../../migrations/sqlite/0006_callbacks.sql"),
    include_str!("../../migrations/sqlite/0007_subscribers.sql"),
    include_str!("../../migrations/sqlite/0008_keys.sql"),
    include_str!("../../migrations/sqlite/0009_lists.sql"),
    include_str!("../../migrations/sqlite/0010_power.sql"),
    include_str!("../../migrations/sqlite/0011_imports.sql"),
    include_str!("../../migrations/sqlite/0012_fewer_pages.sql"),
    include_str!("../../migrations/sqlite/0013_ledgers.sql"),
    include_str!("../../migrations/sqlite/0014_rollout.sql"),
];

/// In `meta` once the tables of lists were filled from what was there before them.
const LISTS_FILLED: &str = "lists_filled";

/// The schema that this version writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// A database whose schema is newer than this version knows.
#[derive(Debug)]
pub(crate) struct Newer {
    pub(crate) found: i64,
}

/// Brings the schema up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection) -> Done<Result<(), Newer>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    )?;
    let found = found(connection)?;
    if found > VERSION {
        return Ok(Err(Newer { found }));
    }
    for (migration, version) in MIGRATIONS.iter().zip(1_i64..) {
        if version > found {
            let transaction = connection.transaction()?;
            transaction.execute_batch(migration)?;
            meta_put(&transaction, "schema", &version.to_be_bytes())?;
            transaction.commit()?;
        }
    }
    // Reads records as this version has them, so it comes when every table is as this version has it.
    if meta_get(connection, LISTS_FILLED)?.is_none() {
        let transaction = connection.transaction()?;
        lists_fill::fill(&transaction)?;
        meta_put(&transaction, LISTS_FILLED, &[1])?;
        transaction.commit()?;
    }
    Ok(Ok(()))
}

/// The schema that a database has.
pub(super) fn found(connection: &Connection) -> Done<i64> {
    match meta_get(connection, "schema")? {
        None => Ok(0),
        Some(octets) => <[u8; 8]>::try_from(octets)
            .map(i64::from_be_bytes)
            .map_err(|_| Failure::Broken("the schema version in the database cannot be read".into())),
    }
}

pub(super) fn meta_get(connection: &Connection, name: &str) -> Done<Option<Vec<u8>>> {
    Ok(connection.query_row("SELECT value FROM meta WHERE name = ?", [name], |row| row.get(0)).optional()?)
}

pub(super) fn meta_put(connection: &Connection, name: &str, value: &[u8]) -> Done<()> {
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}
