//! The one thread that writes: what is queued goes into one transaction, and nobody is answered before its commit.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use muster_broker::id::{DeviceOid, JobId};
use muster_broker::store::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::cache::ContactCache;
use super::checkpoint::Checkpointer;
use super::counted;
use super::counts::Counts;
use super::ledger::Head;
use super::quotas::Quotas;
use super::rows::{Done, Failure};

/// Most jobs in one transaction: bounds how long the first of them waits.
const BATCH_JOBS_MAX: usize = 512;
/// Most octets in one transaction, as jobs estimate them: bounds the memory of the transaction.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Most jobs that wait; more callers wait before they queue.
const QUEUE_MAX: usize = 4096;

/// Whether a job may fail after it has written something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// It may: it runs in a savepoint, and its failure leaves its neighbours alone.
    Savepoint,
    /// It checks before it writes, and spares the copies of pages that a savepoint takes: if a write fails nevertheless,
    /// the disk does, and the whole batch is undone.
    None,
}

/// What a job may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concerns {
    /// One device that spoke, whose contact the caller keeps up to date.
    OneDevice,
    /// What is open for this device: its contact does not count any more, and those of others do.
    TasksOf(DeviceOid),
    /// No device: what it writes is in no contact.
    NoDevice,
    /// Anything: if it changes something, no contact that was read before counts any more.
    Anything,
}

/// The writer's connection. SQLite forgets the pages that a connection has read once another one has written: of all
/// connections only this one keeps them, so reads of a few rows are made here while nothing is being written.
pub(super) struct WriterConnection {
    connection: Mutex<Connection>,
    /// The writer waits for it, and readers leave it alone.
    is_wanted: AtomicBool,
}

impl WriterConnection {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection), is_wanted: AtomicBool::new(false) }
    }

    /// For the writer: waits for a reader, if there is one.
    fn take(&self) -> MutexGuard<'_, Connection> {
        self.is_wanted.store(true, Ordering::Relaxed);
        // A reader that panicked has ended its transaction on the way.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_wanted.store(false, Ordering::Relaxed);
        connection
    }

    /// For readers: nothing if it is in use or about to be.
    pub(super) fn take_if_free(&self) -> Option<MutexGuard<'_, Connection>> {
        if self.is_wanted.load(Ordering::Relaxed) { None } else { self.connection.try_lock().ok() }
    }
}

/// The transaction of a batch.
pub(super) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    /// What steps have done to counters, which is written before anything else than a step is run.
    pub(super) counts: Counts,
    /// What is used of quotas, written before the commit.
    pub(super) quotas: Quotas,
    /// Whether the tasks of a job may run, as far as steps have asked; forgotten before anything else than a step is run.
    pub(super) jobs: RefCell<HashMap<JobId, bool>>,
    /// The end of the audit log, with what this transaction has added to it.
    pub(super) ledger: Cell<Head>,
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Why the writer takes no more work, once it does not.
pub(super) type Broken = Arc<OnceLock<String>>;

/// The way to the writing thread.
#[derive(Clone)]
pub(super) struct Queue {
    sender: mpsc::Sender<Box<dyn Work>>,
    broken: Broken,
}

/// A queue and the thread that serves it.
pub(super) fn start(
    connection: Arc<WriterConnection>,
    wal: PathBuf,
    checkpointer: Checkpointer,
    cache: Arc<ContactCache>,
    broken: Broken,
) -> std::io::Result<(Queue, std::thread::JoinHandle<()>)> {
    let (sender, queue) = mpsc::channel(QUEUE_MAX);
    let state = Arc::clone(&broken);
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || Writer { connection, queue, broken: state, wal, checkpointer, cache, head: None }.run())?;
    Ok((Queue { sender, broken }, thread))
}

impl Queue {
    /// Runs `work` in a transaction and returns its outcome once that is durable. `bytes` is about what it writes.
    pub(super) async fn execute<T: Send + 'static>(
        &self,
        guard: Guard,
        bytes: usize,
        concerns: Concerns,
        work: impl FnOnce(&Transaction<'_>) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let job = Typed { work: Some(work), outcome: None, reply, guard, bytes, concerns };
        self.sender.send(Box::new(job)).await.map_err(|_| self.ended())?;
        outcome.await.map_err(|_| self.ended())?
    }

    fn ended(&self) -> StoreError {
        let reason = self.broken.get().map_or("the writing thread has ended", String::as_str);
        StoreError::Broken { reason: reason.to_owned() }
    }
}

/// A queued job with its type forgotten.
trait Work: Send {
    /// Does it; false if something it wrote must be undone with the whole batch.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Answers the caller; `undone` says why nothing of the batch is stored, if so.
    fn answer(self: Box<Self>, undone: Option<&Undone>);
    fn bytes(&self) -> usize;
    fn concerns(&self) -> Concerns;
}

struct Typed<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    guard: Guard,
    bytes: usize,
    concerns: Concerns,
}

impl<T: Send, F: FnOnce(&Transaction<'_>) -> Done<T> + Send> Work for Typed<T, F> {
    fn run(&mut self, transaction: &Transaction<'_>) -> bool {
        let Some(work) = self.work.take() else { return true };
        let (outcome, is_sound) = match self.guard {
            Guard::None => {
                let before = transaction.connection.total_changes();
                let outcome = work(transaction);
                let is_sound = outcome.is_ok() || transaction.connection.total_changes() == before;
                (outcome, is_sound)
            }
            Guard::Savepoint => in_savepoint(transaction, work),
        };
        self.outcome = Some(outcome.map_err(StoreError::from));
        // SQLite ends the transaction by itself after some errors; then nothing of the batch is left to commit.
        is_sound && !transaction.connection.is_autocommit()
    }

    fn answer(self: Box<Self>, undone: Option<&Undone>) {
        let outcome = match (self.outcome, undone) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(undone)) => Err(undone.error()),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(StoreError::Broken { reason: "the job was not run".into() }),
        };
        // A caller that has gone away does not want to know.
        let _ = self.reply.send(outcome);
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn concerns(&self) -> Concerns {
        self.concerns
    }
}

fn in_savepoint<T>(transaction: &Transaction<'_>, work: impl FnOnce(&Transaction<'_>) -> Done<T>) -> (Done<T>, bool) {
    let connection = transaction.connection;
    if let Err(error) = connection.prepare_cached("SAVEPOINT job").and_then(|mut statement| statement.execute([])) {
        return (Err(error.into()), false);
    }
    let head = transaction.ledger.get();
    match work(transaction) {
        Ok(value) => match connection.prepare_cached("RELEASE job").and_then(|mut statement| statement.execute([])) {
            Ok(_) => (Ok(value), true),
            Err(error) => (Err(error.into()), false),
        },
        Err(failure) => {
            transaction.ledger.set(head);
            let is_undone = connection.execute_batch("ROLLBACK TO job; RELEASE job").is_ok();
            (Err(failure), is_undone)
        }
    }
}

/// Why nothing of a batch was stored.
enum Undone {
    Unavailable(String),
    Broken(String),
}

impl Undone {
    fn error(&self) -> StoreError {
        match self {
            Self::Unavailable(reason) => StoreError::Unavailable { reason: reason.clone() },
            Self::Broken(reason) => StoreError::Broken { reason: reason.clone() },
        }
    }
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        match StoreError::from(failure) {
            StoreError::Unavailable { reason } => Self::Unavailable(reason),
            StoreError::Broken { reason } => Self::Broken(reason),
            StoreError::Denied(fault) => Self::Broken(fault.to_string()),
        }
    }
}

struct Writer {
    connection: Arc<WriterConnection>,
    queue: mpsc::Receiver<Box<dyn Work>>,
    broken: Broken,
    wal: PathBuf,
    checkpointer: Checkpointer,
    cache: Arc<ContactCache>,
    /// The end of the audit log as it is stored; read anew after a batch was undone.
    head: Option<Head>,
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut bytes = first.bytes();
            let mut batch = vec![first];
            while batch.len() < BATCH_JOBS_MAX && bytes < BATCH_BYTES_MAX {
                let Ok(next) = self.queue.try_recv() else { break };
                bytes = bytes.saturating_add(next.bytes());
                batch.push(next);
            }
            let undone = self.transact(&mut batch).err();
            counted::commit(batch.len());
            if let Some(Undone::Unavailable(reason) | Undone::Broken(reason)) = &undone {
                tracing::error!(reason, jobs = batch.len(), "a batch of writes was undone");
            }
            for job in batch {
                job.answer(undone.as_ref());
            }
            self.after_commit();
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Undone> {
        if let Some(reason) = self.broken.get() {
            return Err(Undone::Broken(reason.clone()));
        }
        let connection = Arc::clone(&self.connection);
        let connection = &*connection.take();
        let head = self.head.take();
        match catch_unwind(AssertUnwindSafe(|| batch_in_transaction(connection, batch, head))) {
            Ok(Ok((changed, head))) => {
                self.head = Some(head);
                // Before anybody is told: who was told must not be shown what was before.
                match changed {
                    Changed::Devices(devices) => self.cache.changed(&devices),
                    Changed::Anything => self.cache.begin_epoch(),
                }
                Ok(())
            }
            Ok(Err(undone)) => {
                self.rollback(connection);
                Err(undone)
            }
            Err(panic) => {
                // What the job left behind in memory cannot be trusted any more; the database can, once rolled back.
                let reason = format!("a write panicked: {}; restart the server", panic_text(&*panic));
                let _ = self.broken.set(reason.clone());
                self.rollback(connection);
                Err(Undone::Broken(reason))
            }
        }
    }

    fn rollback(&self, connection: &Connection) {
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            let _ = self.broken.set(format!("a failed transaction cannot be undone: {error}; restart the server"));
        }
    }

    fn after_commit(&mut self) {
        let wal_bytes = std::fs::metadata(&self.wal).map_or(0, |metadata| metadata.len());
        self.checkpointer.committed(&self.connection.take(), wal_bytes);
    }
}

/// What a transaction has changed beside what devices said.
enum Changed {
    /// Something of each of these.
    Devices(Vec<DeviceOid>),
    Anything,
}

impl Changed {
    fn add(&mut self, concerns: Concerns) {
        match (self, concerns) {
            (Self::Devices(devices), Concerns::TasksOf(device)) => devices.push(device),
            (changed, Concerns::Anything) => *changed = Self::Anything,
            (_, Concerns::OneDevice | Concerns::NoDevice | Concerns::TasksOf(_)) => {}
        }
    }
}

fn batch_in_transaction(
    connection: &Connection,
    batch: &mut [Box<dyn Work>],
    head: Option<Head>,
) -> Result<(Changed, Head), Undone> {
    let run = |sql: &str| -> Done<()> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    run("BEGIN IMMEDIATE")?;
    let head = head.map_or_else(|| Head::read(connection), Ok)?;
    let transaction = Transaction {
        connection,
        counts: Counts::default(),
        quotas: Quotas::default(),
        jobs: RefCell::default(),
        ledger: Cell::new(head),
    };
    let mut changed = Changed::Devices(Vec::new());
    for job in batch {
        let concerns = job.concerns();
        if matches!(concerns, Concerns::Anything | Concerns::TasksOf(_)) {
            transaction.counts.flush(connection)?;
            transaction.jobs.borrow_mut().clear();
        }
        let before = connection.total_changes();
        if !job.run(&transaction) {
            return Err(Undone::Unavailable("a write of the same transaction failed".into()));
        }
        if connection.total_changes() != before {
            changed.add(concerns);
        }
    }
    transaction.counts.flush(connection)?;
    transaction.quotas.uses.flush(connection)?;
    run("COMMIT")?;
    Ok((changed, transaction.ledger.get()))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".into())
}
