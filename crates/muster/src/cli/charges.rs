use std::path::PathBuf;
use std::process::ExitCode;

use muster_broker::ledger::EventId;
use muster_store::Archive;
use serde_json::{Value, json};

use super::audit::write;
use super::connection::Connection;
use crate::records::{self, Format};
use crate::soap_client::{CallError, SoapClient};

/// Events read at once.
const PAGE: u32 = 1_000;

/// Writes chargeable events out.
///
/// With --data the database of a folder is read, whether a server is running on it or not; else the server is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the database, which is read and not changed.
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Writes events to standard output in the order in which they were made.
    Export {
        /// Only events after this one: the last eventId of the export before.
        #[arg(long, value_name = "EVENT-ID")]
        after: Option<String>,
        /// Form of the lines. In CSV, cells that a spreadsheet would take for formulas get an apostrophe before them.
        #[arg(long, value_enum, default_value = "ndjson")]
        format: Format,
    },
}

const EXAMPLES: &str = "\
Examples:
  muster charges --data ./muster-data export --format csv > charges.csv
  muster charges export --after e-00000000000003e8               from the server, what came after";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Action::Export { after, format } = &args.action;
    match &args.data {
        Some(folder) => export(&Archive::open(folder)?, after.as_deref(), *format)?,
        None => super::runtime()?.block_on(fetch(&args.connection.client()?, after.clone(), *format))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn export(archive: &Archive, after: Option<&str>, format: Format) -> anyhow::Result<()> {
    let mut after = after.map(EventId::parse).transpose()?.unwrap_or(EventId(0));
    let mut out = std::io::stdout().lock();
    write(&mut out, &records::charges_head(format))?;
    loop {
        let feed = archive.charges(after, PAGE)?;
        for event in &feed.events {
            write(&mut out, &records::charge_line(event, format))?;
            after = event.id;
        }
        if !feed.has_more {
            return Ok(());
        }
    }
}

async fn fetch(client: &SoapClient, mut after: Option<String>, format: Format) -> anyhow::Result<()> {
    write(&mut std::io::stdout().lock(), &records::charges_head(format))?;
    loop {
        let mut arguments = json!({"limit": PAGE});
        if let Some(after) = &after {
            arguments["afterEventId"] = json!(after);
        }
        let answer = client.call("getChargeableEvents", arguments).await.map_err(CallError::told)?;
        {
            let mut out = std::io::stdout().lock();
            for event in answer.get("chargeableEvent").and_then(Value::as_array).into_iter().flatten() {
                write(&mut out, &records::charge_told(event, format))?;
            }
        }
        after = answer.get("lastEventId").and_then(Value::as_str).map(str::to_owned).or(after);
        if answer.get("hasMore") != Some(&Value::Bool(true)) {
            return Ok(());
        }
    }
}
