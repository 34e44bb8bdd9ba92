//! Reading: point reads on the caller's thread, scans on threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use muster_broker::store::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::counted;
use super::rows::Done;
use super::writer::WriterConnection;

/// Scans that wait; more callers wait before they queue.
const SCANS_MAX: usize = 64;

/// Connections for reads of a few rows.
pub(super) struct Points {
    /// Used when it is free: it reads with less work than the others.
    writer: Arc<WriterConnection>,
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Points {
    pub(super) fn new(writer: Arc<WriterConnection>, connections: Vec<Connection>) -> Self {
        Self { writer, connections: connections.into_iter().map(Mutex::new).collect(), next: AtomicUsize::new(0) }
    }

    /// Reads on this thread, all of it from one state of the database.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Done<T>) -> Result<T, StoreError> {
        counted::read();
        let connection = match self.writer.take_if_free() {
            Some(connection) => connection,
            None => self.free()?,
        };
        snapshot(&connection, work).map_err(StoreError::from)
    }

    fn free(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for offset in 0..self.connections.len() {
            let place = first.wrapping_add(offset) % self.connections.len();
            match self.connections.get(place).map(Mutex::try_lock) {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(TryLockError::Poisoned(poison))) => return Ok(poison.into_inner()),
                Some(Err(TryLockError::WouldBlock)) | None => {}
            }
        }
        // All busy, for microseconds: wait for one.
        let connection = self.connections.get(first % self.connections.len().max(1));
        connection
            .map(|connection| connection.lock().unwrap_or_else(PoisonError::into_inner))
            .ok_or_else(|| StoreError::Broken { reason: "no connection to read with".into() })
    }
}

/// Runs `work` in a read transaction: one state of the database for all its statements, and one lock instead of many.
fn snapshot<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Done<T>) -> Done<T> {
    struct End<'c>(&'c Connection);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            if let Ok(mut statement) = self.0.prepare_cached("ROLLBACK") {
                let _ = statement.execute([]);
            }
        }
    }
    connection.prepare_cached("BEGIN")?.execute([])?;
    let _end = End(connection);
    work(connection)
}

type Scan = Box<dyn FnOnce(&Connection) + Send>;

/// Threads for reads of many rows.
pub(super) struct Scans {
    queue: mpsc::Sender<Scan>,
}

impl Scans {
    /// Starts a thread for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> std::io::Result<(Self, Vec<std::thread::JoinHandle<()>>)> {
        let (queue, scans) = mpsc::channel::<Scan>(SCANS_MAX);
        let scans = Arc::new(Mutex::new(scans));
        let threads = connections.into_iter().map(|connection| {
            let scans = Arc::clone(&scans);
            std::thread::Builder::new().name("store-scan".into()).spawn(move || {
                loop {
                    let scan = scans.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                    let Some(scan) = scan else { return };
                    // The caller learns of a panic by the loss of its reply channel; others are not concerned.
                    let _ = catch_unwind(AssertUnwindSafe(|| scan(&connection)));
                }
            })
        });
        Ok((Self { queue }, threads.collect::<Result<_, _>>()?))
    }

    /// Reads on one of the threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        counted::list();
        let (reply, outcome) = oneshot::channel();
        let scan: Scan = Box::new(move |connection| {
            if !reply.is_closed() {
                let _ = reply.send(snapshot(connection, work).map_err(StoreError::from));
            }
        });
        let ended = || StoreError::Broken { reason: "a reading thread has ended or panicked".into() };
        self.queue.send(scan).await.map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }
}
