//! The audit log and the chargeable events of a data folder, read beside a server that may be running on it.

use std::path::{Path, PathBuf};

use muster_broker::ledger::chain::{Broken, Verifier};
use muster_broker::ledger::{EventId, Feed, Recorded};
use muster_broker::store::{Due, StoreError};
use muster_broker::time::Timestamp;
use rusqlite::Connection;

use super::rows::Failure;
use super::{Mode, audit, charges, connect, schema};
use crate::open::{OpenError, Options};

/// Page cache, in KiB: what is read is read once.
const CACHE_KIB: u32 = 4096;

/// A data folder, to be read alone. It is neither locked nor brought up to date, and its key is not needed.
pub struct Archive {
    connection: Connection,
    database: PathBuf,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Archive {
    /// Opens the database of a data folder.
    ///
    /// # Errors
    /// [`OpenError`] where there is none, or its schema is another than the one of this version.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let database = Options::new(folder).database_path();
        let broken = |reason: String| OpenError::Database { database: database.clone(), reason };
        let sqlite = |failure: Failure| broken(StoreError::from(failure).to_string());
        if !database.exists() {
            return Err(broken("there is none; name the data folder of a server".into()));
        }
        let connection = connect(&database, Mode::Read, CACHE_KIB).map_err(sqlite)?;
        let found = schema::found(&connection).map_err(sqlite)?;
        match found.cmp(&schema::VERSION) {
            std::cmp::Ordering::Equal => Ok(Self { connection, database }),
            std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { database, found, known: schema::VERSION }),
            std::cmp::Ordering::Less => Err(broken("it is of an older version; start the server once on it".into())),
        }
    }

    /// Goes on with looking through the audit log, by at most `limit` entries.
    ///
    /// # Errors
    /// Where the database cannot be read. What is wrong with the log is told inside.
    pub fn verify(&self, verifier: Verifier, limit: u32) -> Result<(Verifier, Result<Due, Broken>), StoreError> {
        Ok(audit::verify(&self.connection, verifier, limit)?)
    }

    /// Number of the first entry that was made at `at` or later.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn number_at(&self, at: Timestamp) -> Result<i64, StoreError> {
        Ok(audit::number_at(&self.connection, at)?)
    }

    /// Entries of every domain after the number given, in order.
    ///
    /// # Errors
    /// Where the database or an entry cannot be read.
    pub fn entries(&self, after: i64, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        Ok(audit::after(&self.connection, after, limit)?)
    }

    /// Chargeable events of every domain after the one given, in order.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn charges(&self, after: EventId, limit: u32) -> Result<Feed, StoreError> {
        Ok(charges::feed(&self.connection, None, after, limit)?)
    }
}
