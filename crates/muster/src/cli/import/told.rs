//! What an import tells people: a bar while it goes on, a table of rows that were not taken, and the sum.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::import_client::{Rejected, Stopped, Summary};
use crate::show::{Table, short};

/// Rows in the table at most; all of them are in the report.
const ROWS_MAX: usize = 20;

pub(super) struct Told {
    is_json: bool,
    bar: ProgressBar,
    rejected: Vec<Rejected>,
    /// Rows that were durable before, and when the others began.
    before: u64,
    began: Instant,
}

impl Told {
    /// Begins to tell of a file of so many octets; 0 where that is not known.
    pub(super) fn begin(is_json: bool, octets: u64, before: u64) -> Self {
        let bar = if is_json || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else if octets == 0 {
            let style = ProgressStyle::with_template("{spinner} {bytes}  {msg}  {elapsed}");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        } else {
            let style =
                ProgressStyle::with_template("{bar:40} {percent}%  {bytes} of {total_bytes}  {msg}  {eta} left");
            ProgressBar::new(octets).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        };
        if !is_json && before > 0 {
            eprintln!("{before} rows are durable; the import goes on behind them");
        }
        Self { is_json, bar, rejected: Vec::new(), before, began: Instant::now() }
    }

    /// Takes note of octets that have gone out.
    pub(super) fn sent(&self) -> impl Fn(u64) + Send + 'static {
        let bar = self.bar.clone();
        move |octets| bar.inc(octets)
    }

    pub(super) fn progress(&mut self, rows: u64) {
        let rate = rate(rows.saturating_sub(self.before), self.began.elapsed());
        self.bar.set_message(format!("{rows} rows, {rate:.0}/s"));
    }

    pub(super) fn rejected(&mut self, row: Rejected) {
        if self.rejected.len() < ROWS_MAX {
            self.rejected.push(row);
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn print(&self, summary: &Summary, stopped: Option<&Stopped>, took: Duration) {
        let rate = rate(summary.rows.saturating_sub(self.before), took);
        if self.is_json {
            println!(
                "{}",
                json!({
                    "summary": summary, "stopped": stopped, "rejected": self.rejected,
                    "seconds": took.as_secs_f64(), "rowsPerSecond": rate,
                })
            );
            return;
        }
        if !self.rejected.is_empty() {
            let mut table = Table::new(&["line", "row", "fault", "why"]);
            for row in &self.rejected {
                table.row([
                    row.line.to_string(),
                    row.index.to_string(),
                    plain(&row.name),
                    short(&plain(&row.text), 100),
                ]);
            }
            print!("{table}");
            let more = summary.rejected.saturating_sub(u64::try_from(self.rejected.len()).unwrap_or(u64::MAX));
            if more > 0 {
                println!("and {more} more; --report FILE has the rows of this run");
            }
            println!();
        }
        let would = if summary.dry_run { " (dry run: nothing was kept)" } else { "" };
        println!("rows       {}{would}", summary.rows);
        println!("created    {}", summary.created);
        println!("updated    {}", summary.updated);
        println!("unchanged  {}", summary.unchanged);
        println!("refused    {}", summary.rejected);
        println!("time       {:.1} s, {rate:.0} rows/s", took.as_secs_f64());
        if let Some(stopped) = stopped {
            eprintln!("stopped: {} {}: {}", stopped.message_id, stopped.name, stopped.text);
        }
    }
}

/// Text from outside without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn rate(rows: u64, took: Duration) -> f64 {
    rows as f64 / took.as_secs_f64().max(1e-3)
}
