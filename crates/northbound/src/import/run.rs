//! An import under way: octets are taken as they arrive, read on a thread of their own, and written in batches. Each stage
//! waits for the next one, so that no more than a few batches are in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use muster_broker::access::Caller;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::services::{
    BATCH_ROWS_MAX, Broker, DeviceFields, Import, ImportOptions, ImportPreparer, PreparedBatch,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::lines;
use super::reader::{Format, Next, Reader, Row};

/// Imports at once: each takes a thread and some MiB.
pub(crate) const IMPORTS_MAX: usize = 8;
/// Fewest rows of a batch, however long one takes to be written: on a busy machine small batches take even longer,
/// because each has pages of its own to write.
const BATCH_ROWS_MIN: usize = 1000;
/// Most octets of rows in a batch.
const BATCH_OCTETS_MAX: usize = 2 << 20;
/// A batch that takes longer to be written is followed by smaller ones, and a batch that takes less by larger ones: others
/// wait for the writer meanwhile.
const BATCH_TIME: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(40));
/// Rows that wait so long for others are written without them.
const ROWS_WAIT: Duration = Duration::from_millis(500);
/// Longest pause between octets.
const OCTETS_WAIT: Duration = Duration::from_secs(60);
/// Longest time that a caller may leave the answer unread while lines wait.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// Parts of the answer that wait for the caller, each at most the lines of a batch.
const ANSWER_PARTS_MAX: usize = 16;
/// Pieces of the body that wait to be read.
const PIECES_MAX: usize = 8;
/// Time between two lines that tell how far the import is.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What is asked for, besides the rows.
pub(crate) struct Asked {
    /// How rows are written.
    pub(crate) format: Format,
    /// As the broker takes them; the form is that of the rows.
    pub(crate) options: ImportOptions,
    /// Whether lines tell how far the import is.
    pub(crate) tells_progress: bool,
    /// Identifier of the request.
    pub(crate) correlation: String,
}

/// Begins an import; the body of the answer follows it to its end. `permit` is held until then.
///
/// # Errors
/// What is wrong before the first row: rights, the position, the header row; faults of the store.
pub(crate) async fn begin(
    broker: &Broker,
    caller: &Caller,
    asked: Asked,
    mut body: Body,
    permit: OwnedSemaphorePermit,
) -> Result<Body, Fault> {
    let Asked { format, mut options, tells_progress, correlation } = asked;
    let mut reader = Reader::new(format, options.offset);
    while !reader.begin()? {
        match piece(&mut body).await? {
            Some(octets) => reader.feed(&octets),
            None => reader.end(),
        }
    }
    options.form = reader.form().to_vec();
    let import = broker.import_begin(caller, options).await?;

    let (answer, channel) = Channel::new(ANSWER_PARTS_MAX);
    let (pieces, arrived) = mpsc::channel(PIECES_MAX);
    let (batches, prepared) = mpsc::channel(1);
    let rows = Arc::new(AtomicUsize::new(BATCH_ROWS_MAX));
    let stage = Stage {
        wanted: import.position(),
        preparer: import.preparer(),
        rows: Arc::clone(&rows),
        batches,
        lines: Vec::new(),
        waiting: Vec::new(),
        octets: 0,
    };
    let runtime = Handle::current();
    tokio::spawn(forward(body, pieces));
    tokio::task::spawn_blocking(move || stage.run(reader, arrived, &runtime));
    let writing = Writing { import, rows, answer, tells_progress, correlation, told_at: Instant::now() };
    tokio::spawn(async move {
        writing.run(prepared).await;
        drop(permit);
    });
    Ok(Body::new(channel))
}

/// The next octets of the body; nothing at its end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = tokio::time::timeout(OCTETS_WAIT, body.frame()).await;
        match frame {
            Err(_) => return Err(Fault::new(FaultName::MalformedMessage, "no more rows arrived for too long a time")),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => {
                return Err(Fault::new(FaultName::MalformedMessage, "the request ended before its end"));
            }
            Ok(Some(Ok(frame))) => {
                if let Ok(octets) = frame.into_data() {
                    return Ok(Some(octets));
                }
            }
        }
    }
}

/// Hands the body over until it ends, or nobody wants it any more.
async fn forward(mut body: Body, pieces: mpsc::Sender<Result<Bytes, Fault>>) {
    loop {
        let next = match piece(&mut body).await {
            Ok(Some(octets)) => Ok(octets),
            Ok(None) => return,
            Err(fault) => Err(fault),
        };
        let is_over = next.is_err();
        if pieces.send(next).await.is_err() || is_over {
            return;
        }
    }
}

/// What the reading thread hands on.
enum Prepared {
    /// A batch, and the line of each of its rows from the first one on.
    Batch { batch: PreparedBatch, first: u64, lines: Vec<u64> },
    /// The rest of the rows cannot be had.
    Stopped(Fault),
}

/// The thread that makes batches of octets.
struct Stage {
    /// Position of the first row that is wanted.
    wanted: u64,
    preparer: ImportPreparer,
    rows: Arc<AtomicUsize>,
    batches: mpsc::Sender<Prepared>,
    waiting: Vec<(u64, Result<DeviceFields, Fault>)>,
    /// Lines of the rows that wait.
    lines: Vec<u64>,
    /// Octets that arrived since the last batch.
    octets: usize,
}

/// Nobody takes batches any more.
struct Gone;

impl Stage {
    fn run(mut self, mut reader: Reader, mut arrived: mpsc::Receiver<Result<Bytes, Fault>>, runtime: &Handle) {
        let _ = self.steps(&mut reader, &mut arrived, runtime);
    }

    fn steps(
        &mut self,
        reader: &mut Reader,
        arrived: &mut mpsc::Receiver<Result<Bytes, Fault>>,
        runtime: &Handle,
    ) -> Result<(), Gone> {
        loop {
            while let next @ (Next::Row(_) | Next::Passed) = reader.next(self.wanted) {
                if let Next::Row(Row { index, line, fields }) = next {
                    self.waiting.push((index, fields));
                    self.lines.push(line);
                }
                if self.waiting.len() >= self.rows.load(Ordering::Relaxed) || self.octets >= BATCH_OCTETS_MAX {
                    self.hand_on(reader, runtime, false)?;
                }
            }
            if reader.is_whole() {
                if reader.index() < self.wanted {
                    let text = format!(
                        "the rows end before row {}, which the import has come to; is this the same file?",
                        self.wanted
                    );
                    let fault = Fault::new(FaultName::OffsetMismatch, text).with(self.wanted);
                    return self.send(Prepared::Stopped(fault));
                }
                return self.hand_on(reader, runtime, true);
            }
            let next = runtime.block_on(async { tokio::time::timeout(ROWS_WAIT, arrived.recv()).await });
            match next {
                Ok(Some(Ok(octets))) => {
                    self.octets += octets.len();
                    reader.feed(&octets);
                }
                Ok(Some(Err(fault))) => {
                    self.hand_on(reader, runtime, false)?;
                    return self.send(Prepared::Stopped(fault));
                }
                Ok(None) => reader.end(),
                Err(_) => self.hand_on(reader, runtime, false)?,
            }
        }
    }

    /// Prepares the rows that wait and hands them on.
    fn hand_on(&mut self, reader: &Reader, runtime: &Handle, is_last: bool) -> Result<(), Gone> {
        self.octets = 0;
        let rows = std::mem::take(&mut self.waiting);
        let lines = std::mem::take(&mut self.lines);
        let Some(first) = rows.first().map(|(index, _)| *index).or(is_last.then_some(0)) else { return Ok(()) };
        let to = reader.index().max(self.wanted);
        let prepared = match runtime.block_on(self.preparer.prepare(rows, to, is_last)) {
            Ok(batch) => Prepared::Batch { batch, first, lines },
            Err(fault) => Prepared::Stopped(fault),
        };
        self.send(prepared)
    }

    fn send(&self, prepared: Prepared) -> Result<(), Gone> {
        self.batches.blocking_send(prepared).map_err(|_| Gone)
    }
}

/// The task that writes batches and answers.
struct Writing {
    import: Import,
    rows: Arc<AtomicUsize>,
    answer: Sender<Bytes, std::convert::Infallible>,
    tells_progress: bool,
    correlation: String,
    told_at: Instant,
}

impl Writing {
    async fn run(mut self, mut prepared: mpsc::Receiver<Prepared>) {
        let mut out = Vec::new();
        let is_complete = match self.write_all(&mut prepared).await {
            Ok(is_complete) => {
                self.import.note_refused(None).await;
                is_complete
            }
            Err(fault) => {
                self.import.note_refused(Some(&fault)).await;
                if let Some(cause) = &fault.cause {
                    tracing::error!(correlation.id = self.correlation, cause, "an import was stopped");
                }
                lines::stopped(&mut out, &fault, &self.correlation);
                false
            }
        };
        // From here on nobody reads rows.
        drop(prepared);
        lines::summary(&mut out, &self.import, is_complete);
        let _ = self.tell(out).await;
    }

    /// Writes every batch; true if the last one was among them.
    async fn write_all(&mut self, prepared: &mut mpsc::Receiver<Prepared>) -> Result<bool, Fault> {
        // One that has ended before is read to its end, so that its caller gets to the answer.
        let has_ended = self.import.is_complete();
        while let Some(next) = prepared.recv().await {
            let (batch, first, lines) = match next {
                Prepared::Batch { batch, first, lines } => (batch, first, lines),
                Prepared::Stopped(fault) => return Err(fault),
            };
            let is_last = batch.is_last();
            if has_ended {
                if is_last {
                    return Ok(true);
                }
                continue;
            }
            let is_full = lines.len() >= self.rows.load(Ordering::Relaxed);
            let began = Instant::now();
            let refused = self.import.write(batch).await?;
            self.adapt(began.elapsed(), is_full);

            let mut out = Vec::new();
            for (index, fault) in refused {
                let place = usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX);
                lines::rejected(&mut out, index, lines.get(place).copied().unwrap_or(0), &fault);
            }
            if self.tells_progress && self.told_at.elapsed() >= PROGRESS_EVERY {
                lines::progress(&mut out, self.import.position());
                self.told_at = Instant::now();
            }
            self.tell(out).await?;
            if is_last {
                return Ok(true);
            }
        }
        Err(Fault::new(FaultName::InternalError, "the server failed; resume the import").because("no last batch"))
    }

    /// The next batches are larger or smaller.
    fn adapt(&self, took: Duration, is_full: bool) {
        let rows = self.rows.load(Ordering::Relaxed);
        let (short, long) = BATCH_TIME;
        let next = if took > long {
            rows / 2
        } else if took < short && is_full {
            rows + rows / 4
        } else {
            rows
        };
        self.rows.store(next.clamp(BATCH_ROWS_MIN, BATCH_ROWS_MAX), Ordering::Relaxed);
    }

    /// Sends lines. A caller that has gone away is no reason to stop: what it sent is written.
    async fn tell(&mut self, out: Vec<u8>) -> Result<(), Fault> {
        if out.is_empty() {
            return Ok(());
        }
        match tokio::time::timeout(ANSWER_WAIT, self.answer.send_data(Bytes::from(out))).await {
            Ok(_) => Ok(()),
            Err(_) => {
                let text = "the answer was not read while the rows were sent; read it meanwhile, and resume the import";
                Err(Fault::new(FaultName::TooManyRequests, text))
            }
        }
    }
}
