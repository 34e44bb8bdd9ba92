//! The log: one line for each event, whatever callers and devices put into what it tells.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::show::is_obeyed;

/// Starts it. Logs go to standard error, so that standard output stays for answers.
///
/// # Errors
/// A filter that cannot be read.
pub(super) fn start(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("log filter {filter}: write a level, or levels by module: info,muster_store=debug"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second start in one process (the demo's server) keeps the first log.
    let _ = if json { log.json().try_init() } else { log.fmt_fields(debug_fn(field).delimited(" ")).try_init() };
    Ok(())
}

/// Writes one field of an event. Text of a fault may quote what a caller sent, so nothing in it may end the line or
/// command the terminal.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(OneLine(writer), "{value:?}")
}

/// Escapes what would not stay within its line.
struct OneLine<W>(W);

impl<W: fmt::Write> fmt::Write for OneLine<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if is_obeyed(character) {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_its_fields() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .with_target(false)
            .fmt_fields(debug_fn(field).delimited(" "))
            .finish();
        let evil = "x\n2026-11-21T06:06:00Z  INFO forged\r\u{1b}[2K\u{9b}1m\u{85}\u{2028}\u{202e}y";
        tracing::subscriber::with_default(log, || {
            tracing::warn!(cause = %evil, name = evil, shown = ?evil, "refused {evil}");
            tracing::info!("next");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[1].ends_with(" INFO next\n"), "{text}");
        let first = lines[0].trim_end_matches('\n');
        assert!(!first.chars().any(is_obeyed), "{first:?}");
        let told =
            "refused x\\n2026-11-21T06:06:00Z  INFO forged\\r\\u{1b}[2K\\u{9b}1m\\u{85}\\u{2028}\\u{202e}y cause=x\\n";
        assert!(first.contains(told) && first.contains(" name=\"x\\n") && first.contains(" shown=\"x\\n"), "{first}");
    }
}
