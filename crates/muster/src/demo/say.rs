//! What the demonstration shows. Nothing when it is asked for JSON.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::verdict::Row;
use crate::show::{Table, short};

/// Rows of the last table at most, besides the devices that misbehave.
const ROWS_MAX: usize = 60;

#[derive(Clone, Copy)]
pub(super) struct Say {
    silent: bool,
}

impl Say {
    pub(super) fn new(silent: bool) -> Self {
        Self { silent }
    }

    pub(super) fn step(self, name: &str, text: &str) {
        if !self.silent {
            println!("▸ {name:<24} {text}");
        }
    }

    pub(super) fn table(self, table: &Table) {
        if !self.silent {
            for line in table.to_string().lines() {
                println!("    {line}");
            }
            println!();
        }
    }

    /// A bar for tasks; where there is no terminal, nothing moves.
    pub(super) fn bar(self, total: u64) -> ProgressBar {
        if self.silent || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("    {bar:40} {pos}/{len} tasks final  {elapsed}  {msg}");
        ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    pub(super) fn kept(self, wsi: &str, devices: &str, user: &str, password: &str, folder: &Path) {
        if self.silent {
            eprintln!("External Systems {wsi} user {user} password {password}; devices {devices}; Ctrl-C ends");
            return;
        }
        println!("▸ kept running");
        println!("    External Systems  {wsi}   (WSDL: {wsi}?wsdl)");
        println!("    user, password    {user}  {password}");
        println!("    devices           {devices}");
        println!("    data              {}", folder.display());
        println!("    try               MUSTER_URL={wsi} MUSTER_PASSWORD={password} muster call getJobs");
        println!("    Ctrl-C ends it.");
        println!();
    }

    /// The last thing on screen.
    pub(super) fn end(self, rows: &[Row], findings: &[String], sessions: u64, elapsed: Duration) {
        println!();
        let mut table = Table::new(&["task", "device", "end state", "reason", "messages", "time"]);
        // So much that the table fits 120 columns; in a file nothing needs to be cut.
        let reason_max = if std::io::stdout().is_terminal() { 58 } else { 200 };
        let mut left_out = 0;
        for (at, row) in rows.iter().enumerate() {
            if at >= ROWS_MAX && row.is_ordinary {
                left_out += 1;
                continue;
            }
            // Why something failed is said by the device; the others are known for what they do.
            let tells_itself = row.is_ordinary || row.status == "FAILED";
            let reason = if tells_itself { row.detail.clone() } else { format!("{}: {}", row.part, row.detail) };
            table.row([
                short(&row.task, 10),
                row.device.clone(),
                row.status.clone(),
                short(&reason, reason_max),
                row.messages.to_string(),
                format!("{:.1} s", row.seconds),
            ]);
        }
        if left_out > 0 {
            println!("({left_out} more rows of devices that behave well and SUCCEEDED are left out)");
        }
        for finding in findings {
            println!("NOT AS IT SHOULD BE: {finding}");
        }
        let verdict = if findings.is_empty() { "every device ended as its behaviour demands" } else { "see above" };
        println!("{} tasks, {sessions} sessions, {:.1} s: {verdict}", rows.len(), elapsed.as_secs_f64());
        println!();
        print!("{table}");
    }
}
