//! The port on SQLite.

mod access;
mod adoption;
mod approvals;
mod archive;
mod audit;
mod background;
mod backup;
mod bulk;
mod cache;
mod callbacks;
mod capabilities;
mod certificates;
mod charges;
mod checkpoint;
mod classes;
mod contacts;
mod counted;
mod counts;
mod device_write;
mod devices;
mod erasure;
mod expansion;
mod guard;
mod history;
mod imports;
mod jobs;
mod keys;
mod ledger;
mod lists;
mod lists_fill;
mod membership;
mod policies;
mod power;
mod principals;
mod providers;
mod query;
mod quotas;
mod reader;
mod requests;
mod rows;
mod schema;
mod subscribers;
mod tasks;
mod traces;
mod uses;
mod waves;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

pub use archive::Archive;
pub use backup::{Copied, LookedThrough, Progress, copy_database, digest_of, look_through, put_in_place};
use muster_broker::device::Sealed;
use muster_broker::ports::Vault as _;
use muster_broker::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use counted::{Counted, counted};

use crate::open::{OpenError, Options, claim, touch};
use crate::vault::FileVault;
use cache::ContactCache;
use checkpoint::Checkpointer;
use reader::{Points, Scans};
use rows::Done;
use writer::{Concerns, Guard, Queue, Transaction, WriterConnection};

/// How long a statement waits for a lock: only the emptying of the log takes one, for milliseconds.
const BUSY: Duration = Duration::from_secs(10);
/// Prepared statements kept by each connection: all of them.
const STATEMENTS_MAX: usize = 256;
/// What a key is checked against; the text does not matter.
const PROBE: &[u8] = b"muster key probe";

/// Everything that is kept, in one data folder. Dropping it ends its threads and lets go of the folder.
pub struct SqliteStore {
    queue: Option<Queue>,
    points: Points,
    cache: Arc<ContactCache>,
    scans: Option<Scans>,
    vault: Arc<FileVault>,
    checkpointer: Checkpointer,
    threads: Vec<JoinHandle<()>>,
    checkpoint_thread: Option<JoinHandle<()>>,
    /// The round of background work on jobs that is under way.
    round: std::sync::Mutex<background::Round>,
    /// Held for the lock on it; closed last.
    _lock: File,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a data folder; makes it with a new database and a new key if there is none.
    ///
    /// # Errors
    /// [`OpenError`] names the file and what to do about it.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let lock = claim(&options.folder)?;
        let database = options.database_path();
        touch(&database)?;
        let broken = |reason: String| OpenError::Database { database: database.clone(), reason };
        let sqlite = |failure: rows::Failure| broken(StoreError::from(failure).to_string());

        let mut writer = connect(&database, Mode::Write, options.writer_cache_kib).map_err(sqlite)?;
        schema::migrate(&mut writer).map_err(sqlite)?.map_err(|newer| OpenError::NewerSchema {
            database: database.clone(),
            found: newer.found,
            known: schema::VERSION,
        })?;
        // Once the schema stands, for which SQLite may sort much: what a savepoint keeps of pages is bounded by a
        // transaction, and need not go into a file.
        writer.pragma_update(None, "temp_store", "MEMORY").map_err(|error| sqlite(error.into()))?;
        let vault = Arc::new(vault(&writer, options)?);
        callbacks::release_all(&writer).map_err(sqlite)?;

        let read = |count: usize| -> Result<Vec<Connection>, OpenError> {
            (0..count.max(1))
                .map(|_| connect(&database, Mode::Read, options.reader_cache_kib).map_err(sqlite))
                .collect()
        };
        let threads_failed = |error: std::io::Error| broken(format!("no thread: {error}"));
        let writer = Arc::new(WriterConnection::new(writer));
        let points = Points::new(Arc::clone(&writer), read(options.point_readers)?);
        let (scans, mut threads) = Scans::start(read(options.scan_readers)?).map_err(threads_failed)?;
        let side = connect(&database, Mode::Write, options.reader_cache_kib).map_err(sqlite)?;
        let (checkpointer, checkpoint_thread) = checkpoint::start(side).map_err(threads_failed)?;
        let wal = options.folder.join("muster.db-wal");
        let cache = Arc::new(ContactCache::default());
        let (queue, writer_thread) =
            writer::start(writer, wal, checkpointer.clone(), Arc::clone(&cache), Arc::new(OnceLock::new()))
                .map_err(threads_failed)?;
        threads.push(writer_thread);
        Ok(Self {
            queue: Some(queue),
            points,
            cache,
            scans: Some(scans),
            vault,
            checkpointer,
            threads,
            checkpoint_thread: Some(checkpoint_thread),
            round: std::sync::Mutex::default(),
            _lock: lock,
        })
    }

    /// The vault of the key that this database was made with.
    #[must_use]
    pub fn vault(&self) -> Arc<FileVault> {
        Arc::clone(&self.vault)
    }

    /// Lets the database file grow to `pages` pages of 4096 octets and no further, as a full disk would.
    ///
    /// # Errors
    /// As any write.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.write(Guard::Savepoint, 0, move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok(())
        })
        .await
    }

    async fn write<T: Send + 'static>(
        &self,
        guard: Guard,
        bytes: usize,
        work: impl FnOnce(&Transaction<'_>) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(guard, bytes, Concerns::Anything, work).await
    }

    /// Writes what a message of one device changes.
    async fn write_step<T: Send + 'static>(
        &self,
        guard: Guard,
        bytes: usize,
        work: impl FnOnce(&Transaction<'_>) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(guard, bytes, Concerns::OneDevice, work).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        guard: Guard,
        bytes: usize,
        concerns: Concerns,
        work: impl FnOnce(&Transaction<'_>) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.queue {
            Some(queue) => queue.execute(guard, bytes, concerns, work).await,
            None => Err(StoreError::Broken { reason: "the store is being closed".into() }),
        }
    }

    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.scans {
            Some(scans) => scans.read(work).await,
            None => Err(StoreError::Broken { reason: "the store is being closed".into() }),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.queue = None;
        self.scans = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.checkpointer.end();
        if let Some(thread) = self.checkpoint_thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Read,
}

fn connect(path: &Path, mode: Mode, cache_kib: u32) -> Done<Connection> {
    let access = match mode {
        Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan depends on the statement alone; else SQLite parses some statements anew for each set of values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if mode == Mode::Write {
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        // FULL: a commit returns when the log is on the disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    }
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    })?;
    Ok(connection)
}

/// Reads the key and checks it against the probe that was sealed when the database was made.
fn vault(writer: &Connection, options: &Options) -> Result<FileVault, OpenError> {
    let (database, key_file) = (options.database_path(), options.key_path());
    let failed = |failure: rows::Failure| OpenError::Database {
        database: options.database_path(),
        reason: StoreError::from(failure).to_string(),
    };
    let exists = key_file.try_exists().map_err(|source| OpenError::Io { path: key_file.clone(), source })?;
    match schema::meta_get(writer, "key_probe").map_err(failed)? {
        Some(_) if !exists => Err(OpenError::KeyMissing { database, key_file }),
        Some(probe) => {
            let vault = FileVault::read(&key_file)?;
            match vault.open(&Sealed(probe)) {
                Ok(opened) if opened == PROBE => Ok(vault),
                _ => Err(OpenError::WrongKey { database, key_file }),
            }
        }
        None => {
            let vault = if exists { FileVault::read(&key_file)? } else { FileVault::create(&key_file)? };
            schema::meta_put(writer, "key_probe", &vault.seal(PROBE).0).map_err(failed)?;
            Ok(vault)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use muster_broker::store::{BackgroundStore as _, PrincipalStore as _};

    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_write_is_told_to_every_later_writer_and_reading_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path())).unwrap();
        let panicked: Result<(), _> = store
            .write(Guard::Savepoint, 0, |connection| {
                query::run(connection, "DELETE FROM meta", [])?;
                panic!("a mistake in the code")
            })
            .await;
        for outcome in [panicked, store.ping().await] {
            let Err(StoreError::Broken { reason }) = outcome else { panic!("{outcome:?}") };
            assert!(reason.contains("a mistake in the code"), "{reason}");
        }
        assert_eq!(store.principal_get("one").await.unwrap(), None);
        drop(store);
        SqliteStore::open(&Options::new(folder.path())).unwrap().ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_job_that_fails_halfway_is_undone_and_its_neighbours_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path())).unwrap();
        let put = |name: &'static str| {
            move |transaction: &Transaction<'_>| -> Done<()> { schema::meta_put(transaction, name, b"x") }
        };
        let failing = store.write(Guard::Savepoint, 0, move |connection| {
            put("half")(connection)?;
            Err::<(), _>(rows::Failure::Broken("halfway".into()))
        });
        let (before, failed, after) = tokio::join!(
            store.write(Guard::Savepoint, 0, put("before")),
            failing,
            store.write(Guard::Savepoint, 0, put("after"))
        );
        assert!(before.is_ok() && after.is_ok());
        assert!(matches!(failed, Err(StoreError::Broken { .. })));
        let get = |name: &'static str| store.points.read(move |connection| schema::meta_get(connection, name)).unwrap();
        assert_eq!([get("before").is_some(), get("half").is_some(), get("after").is_some()], [true, false, true]);
    }

    #[tokio::test]
    async fn the_log_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&Options::new(folder.path())).unwrap();
        for round in 0..400_u32 {
            let value = vec![round.to_be_bytes()[3]; 1 << 20];
            store.write(Guard::Savepoint, 1 << 20, move |c| schema::meta_put(c, "big", &value)).await.unwrap();
        }
        let log = std::fs::metadata(folder.path().join("muster.db-wal")).unwrap().len();
        let most = checkpoint::WAL_HARD_BYTES + (64 << 20);
        assert!(log < most, "the log has {log} octets after 400 MiB of writes");
    }
}
