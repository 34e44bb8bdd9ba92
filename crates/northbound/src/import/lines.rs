//! What an import is answered with: one JSON object in each line, whose only member tells what the line is.

use muster_broker::fault::Fault;
use muster_broker::services::Import;
use muster_broker::store::{ImportState, ImportTotals};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Line<'l> {
    /// A row that was not taken.
    Rejected(Rejected<'l>),
    /// How far the import is.
    Progress(Progress),
    /// Why it goes no further.
    Stopped(Stopped<'l>),
    /// What became of it; the last line.
    Summary(Summary<'l>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rejected<'l> {
    index: u64,
    line: u64,
    message_id: &'static str,
    name: &'static str,
    text: &'l str,
    variables: &'l [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    rows: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped<'l> {
    message_id: &'static str,
    name: &'static str,
    text: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
    correlation_id: &'l str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    import_id: Option<&'l str>,
    rows: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    dry_run: bool,
    complete: bool,
}

/// A row that was not taken: its position from 0, and its line from 1.
pub(super) fn rejected(out: &mut Vec<u8>, index: u64, line: u64, fault: &Fault) {
    put(
        out,
        &Line::Rejected(Rejected {
            index,
            line,
            message_id: fault.name.message_id(),
            name: fault.name.as_str(),
            text: &fault.text,
            variables: &fault.variables,
        }),
    );
}

/// So many rows have been dealt with.
pub(super) fn progress(out: &mut Vec<u8>, rows: u64) {
    put(out, &Line::Progress(Progress { rows }));
}

/// The import goes no further; what was written stays.
pub(super) fn stopped(out: &mut Vec<u8>, fault: &Fault, correlation: &str) {
    put(
        out,
        &Line::Stopped(Stopped {
            message_id: fault.name.message_id(),
            name: fault.name.as_str(),
            text: &fault.text,
            retry_after_seconds: fault.retry_after_s,
            correlation_id: correlation,
        }),
    );
}

/// What became of the import. A dry run is complete when every row was looked at.
pub(super) fn summary(out: &mut Vec<u8>, import: &Import, is_complete: bool) {
    let (options, totals) = (import.options(), import.totals());
    let told = of(options.id.as_deref(), import.position(), totals, is_complete);
    put(out, &Line::Summary(Summary { dry_run: options.is_dry_run, ..told }));
}

/// How far an import has come, as a document.
pub(crate) fn state(id: &str, state: &ImportState) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, &of(Some(id), state.rows, state.totals, state.is_complete));
    out
}

fn of(id: Option<&str>, rows: u64, totals: ImportTotals, complete: bool) -> Summary<'_> {
    Summary {
        import_id: id,
        rows,
        created: totals.created,
        updated: totals.updated,
        unchanged: totals.unchanged,
        rejected: totals.refused,
        dry_run: false,
        complete,
    }
}

fn put(out: &mut Vec<u8>, line: &impl Serialize) {
    // Numbers and text can always be written.
    if serde_json::to_writer(&mut *out, line).is_ok() {
        out.push(b'\n');
    }
}
