//! Files of records of chargeable events, for systems that take files.
//!
//! A file is complete when it has its name; while it is being written it ends with `.part`. Files are rotated by size
//! and time, and each event stands in exactly one complete file of each form, however the server ended: what is complete
//! is written down in the file `position` before the files get their names, and a server that starts finishes the
//! renaming, throws unfinished files away and goes on after the last complete one.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use muster_broker::ledger::{ChargeableEvent, EventId};
use muster_broker::ports::Environment;
use muster_broker::services::{Broker, Flush};
use muster_broker::store::Store;
use muster_broker::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config;
use crate::records::{Format, charge_line, charges_head};

/// Events read at once.
const PAGE: u32 = 500;
/// How often it is looked for new events and for files that are old enough.
const TICK: Duration = Duration::from_secs(1);
/// Name of the file that says how far the complete files go.
const POSITION: &str = "position";
/// What the name of an unfinished file ends with.
const PART: &str = "part";

/// The running work.
pub(super) struct Charging {
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

impl Charging {
    /// Ends it; counted refusals are kept before.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.handle.await;
    }
}

/// Starts the writing of files, where a folder is set, and the keeping of counted refusals.
///
/// # Errors
/// Where the folder cannot be made or used.
pub(super) fn start(broker: Broker, settings: &config::Charging) -> anyhow::Result<Charging> {
    let mut files = settings.folder.as_ref().map(|folder| Files::open(folder, settings)).transpose()?;
    let (stop, mut stopped) = watch::channel(false);
    let handle = tokio::spawn(async move {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_end = tokio::select! {
                _ = tick.tick() => false,
                _ = stopped.changed() => true,
            };
            if let Err(fault) = broker.flush_refusals(if is_end { Flush::All } else { Flush::Due }).await {
                tracing::warn!(%fault, "counted refusals could not be kept");
            }
            if is_end {
                return;
            }
            if let Some(open) = &mut files
                && let Err(error) = open.round(broker.store(), broker.environment()).await
            {
                tracing::warn!(reason = %error, "files of chargeable events will be tried again");
                // What is on the disk counts, not what this process believes of it.
                if let Ok(anew) = Files::open(&open.folder, &open.settings) {
                    *open = anew;
                }
            }
        }
    });
    Ok(Charging { stop, handle })
}

/// How far complete files go, and which are about to get their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// The last event in a complete file; empty at the beginning.
    last_event_id: String,
    /// Names without `.part` of the files that end with it.
    files: Vec<String>,
}

/// The folder with its unfinished files, if there are any.
struct Files {
    folder: PathBuf,
    settings: config::Charging,
    /// The last event that was written, complete or not.
    after: EventId,
    open: Option<Open>,
}

/// Unfinished files, one of each form, with the same events.
struct Open {
    first: EventId,
    began_at: Timestamp,
    bytes: u64,
    parts: Vec<(Format, File)>,
}

impl Files {
    fn open(folder: &Path, settings: &config::Charging) -> anyhow::Result<Self> {
        let failed = || format!("the folder of chargeable events {} cannot be used", folder.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(failed)?;
        let position = read_position(folder).with_context(failed)?;
        for name in &position.files {
            name_it(folder, name).with_context(failed)?;
        }
        for entry in std::fs::read_dir(folder).with_context(failed)? {
            let path = entry.with_context(failed)?.path();
            if path.extension().is_some_and(|extension| extension == PART) {
                std::fs::remove_file(&path).with_context(failed)?;
            }
        }
        sync_folder(folder).with_context(failed)?;
        let after = match position.last_event_id.as_str() {
            "" => EventId(0),
            text => EventId::parse(text).with_context(failed)?,
        };
        Ok(Self { folder: folder.to_owned(), settings: settings.clone(), after, open: None })
    }

    /// Writes what is new and completes files that are large or old enough.
    async fn round(&mut self, store: &Arc<dyn Store>, environment: &Arc<dyn Environment>) -> anyhow::Result<()> {
        loop {
            let feed = store.charge_feed(None, self.after, PAGE).await?;
            for event in &feed.events {
                self.write(event, environment.now())?;
            }
            if !feed.has_more {
                break;
            }
        }
        self.complete_if_old(environment.now())
    }

    fn write(&mut self, event: &ChargeableEvent, now: Timestamp) -> anyhow::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open::begin(&self.folder, &self.settings.formats, event.id, now)?),
        };
        for (format, file) in &mut open.parts {
            let line = charge_line(event, *format);
            file.write_all(line.as_bytes()).context("a file of chargeable events cannot be written")?;
            open.bytes = open.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        self.after = event.id;
        let is_full = open.bytes >= self.settings.file_bytes;
        if is_full { self.complete() } else { Ok(()) }
    }

    fn complete_if_old(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let seconds = i64::try_from(self.settings.file_seconds).unwrap_or(i64::MAX);
        let is_old = self.open.as_ref().is_some_and(|open| open.began_at.plus_s(seconds) <= now || now < open.began_at);
        if is_old { self.complete() } else { Ok(()) }
    }

    /// Gives the unfinished files their names.
    fn complete(&mut self) -> anyhow::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let mut names = Vec::new();
        for (format, file) in &open.parts {
            file.sync_all().context("a file of chargeable events cannot be made durable")?;
            let name = format!("charges-{}-{}.{}", open.first, self.after, format.extension());
            let part = part_of(&self.folder, open.first, *format);
            let renamed = self.folder.join(format!("{name}.{PART}"));
            std::fs::rename(part, renamed).context("a file of chargeable events cannot be renamed")?;
            names.push(name);
        }
        sync_folder(&self.folder)?;
        let position = Position { last_event_id: self.after.to_string(), files: names };
        write_position(&self.folder, &position)?;
        for name in &position.files {
            name_it(&self.folder, name)?;
        }
        sync_folder(&self.folder)?;
        Ok(())
    }
}

impl Open {
    fn begin(folder: &Path, formats: &[Format], first: EventId, now: Timestamp) -> anyhow::Result<Self> {
        let mut parts = Vec::new();
        let mut bytes = 0_u64;
        for format in formats {
            let path = part_of(folder, first, *format);
            let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
            let mut file = made.with_context(|| format!("cannot make {}", path.display()))?;
            let head = charges_head(*format);
            file.write_all(head.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            bytes = bytes.saturating_add(u64::try_from(head.len()).unwrap_or(u64::MAX));
            parts.push((*format, file));
        }
        Ok(Self { first, began_at: now, bytes, parts })
    }
}

fn part_of(folder: &Path, first: EventId, format: Format) -> PathBuf {
    folder.join(format!("charges-{first}.{}.{PART}", format.extension()))
}

/// Gives a file its name, unless it has it: then it was given before the server ended.
fn name_it(folder: &Path, name: &str) -> std::io::Result<()> {
    match std::fs::rename(folder.join(format!("{name}.{PART}")), folder.join(name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn read_position(folder: &Path) -> anyhow::Result<Position> {
    match std::fs::read_to_string(folder.join(POSITION)) {
        Ok(text) => serde_json::from_str(&text).context("its file position is not understood"),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Position::default()),
        Err(error) => Err(error).context("its file position cannot be read"),
    }
}

/// Whole or not at all: written beside the old one, and then named.
fn write_position(folder: &Path, position: &Position) -> anyhow::Result<()> {
    let draft = folder.join(format!("{POSITION}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(serde_json::to_string(position)?.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, folder.join(POSITION))?;
    sync_folder(folder).map_err(Into::into)
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use std::collections::BTreeMap;

    use muster_broker::ledger::ChargeKind;

    use super::*;

    fn settings(file_bytes: u64) -> config::Charging {
        config::Charging { folder: None, formats: vec![Format::Ndjson, Format::Csv], file_bytes, file_seconds: 60 }
    }

    fn event(number: i64) -> ChargeableEvent {
        let made = ChargeableEvent::new(ChargeKind::Job, "alpha", "shop", "createDeployments", Timestamp(number));
        ChargeableEvent { id: EventId(number), ..made }
    }

    /// Identifiers of events in complete files, by form.
    fn complete(folder: &Path) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let form = path.extension().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            if form == "ndjson" || form == "csv" {
                let text = std::fs::read_to_string(&path).unwrap();
                let ids = text.match_indices("e-").map(|(at, _)| text[at..at + 18].to_owned());
                all.entry(form).or_default().extend(ids);
            }
        }
        all.values_mut().for_each(|ids| ids.sort_unstable());
        all
    }

    fn ids(numbers: std::ops::RangeInclusive<i64>) -> Vec<String> {
        numbers.map(|number| EventId(number).to_string()).collect()
    }

    #[test]
    fn files_are_complete_when_they_are_large_or_old_enough() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::open(folder.path(), &settings(400)).unwrap();
        for number in 1..=5 {
            files.write(&event(number), Timestamp(0)).unwrap();
        }
        let by_size = complete(folder.path());
        assert!(!by_size["csv"].is_empty() && by_size["csv"] == by_size["ndjson"]);
        assert!(by_size["csv"].len() < 5 || files.open.is_none());
        files.complete_if_old(Timestamp(59_999)).unwrap();
        assert_eq!(complete(folder.path()), by_size);
        files.complete_if_old(Timestamp(60_000)).unwrap();
        assert_eq!(complete(folder.path())["csv"], ids(1..=5));
    }

    #[test]
    fn an_event_stands_in_one_complete_file_wherever_the_server_was_killed() {
        // Each step of completing, and a kill after it.
        for step in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path();
            let mut files = Files::open(path, &settings(u64::MAX)).unwrap();
            (1..=3).for_each(|number| files.write(&event(number), Timestamp(0)).unwrap());
            let open = files.open.as_ref().unwrap();
            let names: Vec<String> = open
                .parts
                .iter()
                .map(|(format, _)| format!("charges-{}-{}.{}", open.first, files.after, format.extension()))
                .collect();
            if step >= 1 {
                for ((format, _), name) in open.parts.iter().zip(&names) {
                    let renamed = path.join(format!("{name}.{PART}"));
                    std::fs::rename(part_of(path, open.first, *format), renamed).unwrap();
                }
            }
            if step >= 2 {
                let position = Position { last_event_id: files.after.to_string(), files: names.clone() };
                write_position(path, &position).unwrap();
            }
            for name in names.iter().take(step.max(2) - 2) {
                name_it(path, name).unwrap();
            }
            drop(files);

            // The next start reads the feed from its position on.
            let mut files = Files::open(path, &settings(u64::MAX)).unwrap();
            for number in files.after.0 + 1..=4 {
                files.write(&event(number), Timestamp(0)).unwrap();
            }
            files.complete().unwrap();
            let all = complete(path);
            assert_eq!((&all["csv"], &all["ndjson"]), (&ids(1..=4), &ids(1..=4)), "killed after step {step}");
        }
    }

    #[test]
    fn a_position_that_is_not_understood_is_an_error_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(POSITION), "{").unwrap();
        assert!(Files::open(folder.path(), &settings(1)).is_err());
    }
}
