//! Copies of the database: taken beside a server that may be running on it, looked through, and put in place.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context as Digest, SHA256};
use muster_broker::device::Sealed;
use muster_broker::ledger::chain::{Anchor, Verifier};
use muster_broker::ports::Vault as _;
use muster_broker::store::{Due, StoreError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension as _};

use super::ledger::Head;
use super::rows::Failure;
use super::{Mode, PROBE, audit, connect, schema};
use crate::open::{OpenError, Options, claim, touch};
use crate::vault::FileVault;

/// Page cache, in KiB: what is read is read once.
const CACHE_KIB: u32 = 16 << 10;
/// Pages that are copied between two reports of progress.
const PAGES: i32 = 2048;
/// How long to wait where another process has the log for a moment.
const PAUSE: Duration = Duration::from_millis(20);
/// Entries of the audit log that are looked at together.
const ENTRIES: u32 = 10_000;
/// Findings of one kind that are told.
const FINDINGS_MAX: u32 = 20;

/// How far something has come: octets done, and octets in all.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// A copy of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Schema of the database.
    pub schema: i64,
    /// Length of the file.
    pub octets: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Head of the audit log, as `muster audit verify` takes it.
    pub audit_head: String,
}

/// What was found in a copy of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedThrough {
    /// Schema of the database; the next start of a server brings an older one up to date.
    pub schema: i64,
    /// Head of the audit log.
    pub audit_head: String,
    /// Device records.
    pub devices: u64,
    /// Tasks.
    pub tasks: u64,
    /// Jobs.
    pub jobs: u64,
    /// What is not as it must be, in words; empty where all is.
    pub wrong: Vec<String>,
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

fn broken(database: &Path, failure: impl Into<Failure>) -> OpenError {
    OpenError::Database { database: database.to_owned(), reason: StoreError::from(failure.into()).to_string() }
}

/// Copies the database of a data folder as it is at this moment into a new file, which is one file without a log, is
/// on the disk when this returns, and can be read by its owner alone.
///
/// A server may go on writing meanwhile; its log grows until the copy is made.
///
/// # Errors
/// [`OpenError`] where there is no database, or the file cannot be made or written. What was written of it is left.
pub fn copy_database(folder: &Path, to: &Path, told: Progress<'_>) -> Result<Copied, OpenError> {
    let from = Options::new(folder).database_path();
    if !from.exists() {
        let reason = "there is none; name the data folder of a server".to_owned();
        return Err(OpenError::Database { database: from, reason });
    }
    let source = connect(&from, Mode::Read, CACHE_KIB).map_err(|failure| broken(&from, failure))?;
    let schema = snapshot(&source).map_err(|failure| broken(&from, failure))?;
    touch(to)?;
    copy_pages(&source, to, told).map_err(|failure| broken(to, failure))?;
    let head = Head::read(&source).map_err(|failure| broken(&from, failure))?;
    let audit_head = Anchor { number: head.number, hash: head.hash }.to_string();
    let (octets, sha256) = digest_of(to, &mut |_, _| {})?;
    Ok(Copied { schema, octets, sha256, audit_head })
}

/// Begins to read, so that all pages are those of one moment however long the copy takes. Gives the schema.
fn snapshot(source: &Connection) -> Result<i64, Failure> {
    source.execute_batch("BEGIN")?;
    schema::found(source)
}

fn copy_pages(source: &Connection, to: &Path, told: Progress<'_>) -> Result<(), Failure> {
    let mut copy = Connection::open(to)?;
    // A copy that was not finished is none, so nothing is written twice for its sake.
    copy.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    copy.pragma_update(None, "synchronous", "OFF")?;
    {
        let backup = Backup::new(source, &mut copy)?;
        loop {
            let step = backup.step(PAGES)?;
            let progress = backup.progress();
            let octets = |pages: i32| u64::try_from(pages).unwrap_or(0).saturating_mul(4096);
            told(octets(progress.pagecount - progress.remaining), octets(progress.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => std::thread::sleep(PAUSE),
                // And whatever a later version of SQLite may say beside.
                _ => {}
            }
        }
    }
    // The pages say that there is a log beside the file. There is none, and the file may lie where none can be made.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Length and SHA-256 of a file, which is put on the disk.
///
/// # Errors
/// [`OpenError::Io`].
pub fn digest_of(path: &Path, told: Progress<'_>) -> Result<(u64, [u8; 32]), OpenError> {
    let mut file = File::open(path).map_err(io(path))?;
    file.sync_all().map_err(io(path))?;
    let all = file.metadata().map_err(io(path))?.len();
    let (mut digest, mut octets) = (Digest::new(&SHA256), 0_u64);
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).map_err(io(path))?;
        if read == 0 {
            break;
        }
        digest.update(&piece[..read]);
        octets = octets.saturating_add(read as u64);
        told(octets, all);
    }
    Ok((octets, digest.finish().as_ref().try_into().unwrap_or([0; 32])))
}

/// Looks through a copy of a database: its pages and indexes, the chain of its audit log, its counters, and, with a key
/// file, whether the key is the one that its secrets were sealed with. Nothing is changed.
///
/// # Errors
/// [`OpenError`] where it cannot be read at all. What is wrong within is told in [`LookedThrough::wrong`].
pub fn look_through(database: &Path, key_file: Option<&Path>) -> Result<LookedThrough, OpenError> {
    if !database.exists() {
        let reason = "there is no such file".to_owned();
        return Err(OpenError::Database { database: database.to_owned(), reason });
    }
    let vault = key_file.map(FileVault::read).transpose()?;
    let connection = connect(database, Mode::Read, CACHE_KIB).map_err(|failure| broken(database, failure))?;
    let found = schema::found(&connection).map_err(|failure| broken(database, failure))?;
    if found > schema::VERSION {
        return Err(OpenError::NewerSchema { database: database.to_owned(), found, known: schema::VERSION });
    }
    look(&connection, found, vault.as_ref()).map_err(|failure| broken(database, failure))
}

fn look(connection: &Connection, schema: i64, vault: Option<&FileVault>) -> Result<LookedThrough, Failure> {
    let mut looked = LookedThrough { schema, ..LookedThrough::default() };
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    let told: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    looked.wrong.extend(told.into_iter().filter(|line| line != "ok").map(|line| format!("pages: {line}")));
    if !looked.wrong.is_empty() {
        // What is read of broken pages says nothing.
        return Ok(looked);
    }
    if let Some(vault) = vault {
        let probe = schema::meta_get(connection, "key_probe")?;
        let is_right = probe.and_then(|probe| vault.open(&Sealed(probe)).ok()).is_some_and(|text| text == PROBE);
        if !is_right {
            looked.wrong.push("key: the key file is not the one that this database was made with".into());
        }
    }
    let count = |table: &str| -> Result<u64, Failure> {
        let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(u64::try_from(rows).unwrap_or(0))
    };
    (looked.devices, looked.tasks, looked.jobs) = (count("device")?, count("task")?, count("job")?);
    for (what, sql) in COUNTERS {
        let wrong: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        looked.wrong.extend(wrong.map(|which| format!("counters: {what} {which}")));
    }
    if schema == schema::VERSION {
        let (head, wrong) = chain(connection)?;
        looked.audit_head = head;
        looked.wrong.extend(wrong);
    }
    Ok(looked)
}

/// Counters that must equal what they count; each gives one for which it is not so.
const COUNTERS: [(&str, &str); 2] = [
    (
        "that of its tasks is wrong for job",
        "SELECT lower(hex(coalesce(c.job, t.job))) FROM \
         (SELECT job, status, sum(count) AS n FROM job_count GROUP BY job, status HAVING n <> 0) c FULL JOIN \
         (SELECT job, status, count(*) AS n FROM task WHERE job IS NOT NULL GROUP BY job, status) t \
         ON c.job = t.job AND c.status = t.status WHERE c.n IS NOT t.n LIMIT 1",
    ),
    (
        "that of device records is wrong for tenant",
        "SELECT coalesce(c.tenant, d.tenant) FROM \
         (SELECT tenant, sum(count) AS n FROM device_count GROUP BY tenant HAVING n <> 0) c FULL JOIN \
         (SELECT tenant, count(*) AS n FROM device GROUP BY tenant) d ON c.tenant = d.tenant \
         WHERE c.n IS NOT d.n LIMIT 1",
    ),
];

/// The head of the audit log, and what is wrong with its chain.
fn chain(connection: &Connection) -> Result<(String, Option<String>), Failure> {
    let mut verifier = Verifier::after(Anchor::EMPTY, None);
    loop {
        let (next, outcome) = audit::verify(connection, verifier, ENTRIES)?;
        verifier = next;
        let wrong = match outcome {
            Ok(Due::More) => continue,
            Ok(Due::Nothing) => verifier.end().err(),
            Err(wrong) => Some(wrong),
        };
        let wrong = wrong.map(|wrong| format!("audit log: {wrong}, from entry {} on", wrong.number()));
        return Ok((verifier.head().to_string(), wrong));
    }
}

/// Puts a copy of a database and its key file into a data folder that has none of both.
///
/// # Errors
/// [`OpenError`] where a server is running on the folder, there is a database or a key in it, or a file cannot be
/// read or written. The folder has no database then.
pub fn put_in_place(database: &Path, key_file: &Path, folder: &Path, told: Progress<'_>) -> Result<(), OpenError> {
    FileVault::read(key_file)?;
    let _lock = claim(folder)?;
    let options = Options::new(folder);
    for path in [options.database_path(), options.key_path()] {
        if path.try_exists().map_err(io(&path))? {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(OpenError::Io { path, source });
        }
    }
    // The database comes last: as long as there is none, the folder is that of no server.
    copy_file(key_file, &options.key_path(), &mut |_, _| {})?;
    copy_file(database, &options.database_path(), told)?;
    File::open(folder).and_then(|it| it.sync_all()).map_err(io(folder))
}

/// Copies a file under another name, which it gets when all of it is on the disk.
fn copy_file(from: &Path, to: &Path, told: Progress<'_>) -> Result<(), OpenError> {
    let part: PathBuf = to.with_extension("part");
    let mut source = File::open(from).map_err(io(from))?;
    let all = source.metadata().map_err(io(from))?.len();
    let mut copy =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(io(&part))?;
    let (mut piece, mut octets) = (vec![0; 1 << 20], 0_u64);
    loop {
        let read = source.read(&mut piece).map_err(io(from))?;
        if read == 0 {
            break;
        }
        copy.write_all(&piece[..read]).map_err(io(&part))?;
        octets = octets.saturating_add(read as u64);
        told(octets, all);
    }
    copy.sync_all().map_err(io(&part))?;
    std::fs::rename(&part, to).map_err(io(to))
}
