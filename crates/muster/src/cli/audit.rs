use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use muster_broker::ledger::chain::{Anchor, Broken, Verifier};
use muster_broker::store::Due;
use muster_broker::time::Timestamp;
use muster_store::Archive;
use serde_json::{Value, json};

use super::connection::Connection;
use crate::records;
use crate::soap_client::{CallError, SoapClient};

/// Entries read at once.
const PAGE: u32 = 5_000;
/// Exit code where the log is not as it was written.
const BROKEN: u8 = 2;

/// Looks through the audit log, or writes it out.
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
    /// Looks through the hash chain. Exit code 2, and the number of the first wrong entry, if one is.
    ///
    /// It prints the head of the log: the number and hash of its last entry. Keep it elsewhere and give it as --anchor
    /// the next time: that entries were cut off the end shows in no other way.
    Verify {
        /// Head of an earlier verification: its entry must still be there.
        #[arg(long, value_name = "NUMBER:HASH")]
        anchor: Option<String>,
        /// Head of an earlier verification: only what follows it is looked through.
        #[arg(long, value_name = "NUMBER:HASH")]
        after: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes entries to standard output, oldest first, a line each.
    Export {
        /// Only entries made at this time or later, for example 2026-11-28T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<Timestamp>,
        /// Only entries made before this time.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Timestamp>,
        /// Form of a line.
        #[arg(long, value_enum, default_value = "ndjson")]
        format: Form,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    /// A JSON object.
    Ndjson,
}

const EXAMPLES: &str = "\
Examples:
  muster audit --data ./muster-data verify                      a folder, running or not
  muster audit --data ./muster-data verify --anchor 17:5e8f…    and that nothing was cut off since
  muster audit export --since 2026-11-28T00:00:00Z > audit.ndjson
                                                                from the server, as MUSTER_USER may see it";

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Verify { anchor, after, json } => {
            let found = match &args.data {
                Some(folder) => local(&Archive::open(folder)?, anchor.as_deref(), after.as_deref())?,
                None => {
                    super::runtime()?.block_on(remote(&args.connection.client()?, anchor.as_ref(), after.clone()))?
                }
            };
            Ok(found.tell(*json))
        }
        Action::Export { since, until, format: Form::Ndjson } => {
            match &args.data {
                Some(folder) => export(&Archive::open(folder)?, *since, *until)?,
                None => super::runtime()?.block_on(fetch(&args.connection.client()?, *since, *until))?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What a verification found.
struct Found {
    head: String,
    erased: u64,
    broken: Option<(i64, String)>,
}

impl Found {
    fn tell(&self, json: bool) -> ExitCode {
        let Self { head, erased, broken } = self;
        if json {
            let (number, reason) = broken.clone().unzip();
            let told = json!({"valid": broken.is_none(), "head": head, "erasedCount": erased, "brokenNumber": number, "reason": reason});
            println!("{told}");
        } else if let Some((number, reason)) = broken {
            println!("WRONG from entry {number} on: {reason}");
            println!("last right entry  {head}");
        } else {
            println!("right to its end");
            println!("head    {head}");
            println!("erased  {erased} entries have lost their personal data");
        }
        if broken.is_some() { ExitCode::from(BROKEN) } else { ExitCode::SUCCESS }
    }
}

fn anchor_of(text: Option<&str>) -> anyhow::Result<Option<Anchor>> {
    text.map(Anchor::parse).transpose().context("--anchor and --after take what verify prints as head")
}

fn local(archive: &Archive, anchor: Option<&str>, after: Option<&str>) -> anyhow::Result<Found> {
    let mut verifier = Verifier::after(anchor_of(after)?.unwrap_or(Anchor::EMPTY), anchor_of(anchor)?);
    let broken: Option<Broken> = loop {
        let (next, outcome) = archive.verify(verifier, PAGE)?;
        verifier = next;
        match outcome {
            Ok(Due::More) => {}
            Ok(Due::Nothing) => break verifier.end().err(),
            Err(broken) => break Some(broken),
        }
    };
    Ok(Found {
        head: verifier.head().to_string(),
        erased: verifier.erased(),
        broken: broken.map(|broken| (broken.number(), broken.to_string())),
    })
}

async fn remote(client: &SoapClient, anchor: Option<&String>, mut after: Option<String>) -> anyhow::Result<Found> {
    let mut erased = 0;
    loop {
        let mut arguments = serde_json::Map::new();
        arguments.extend(anchor.map(|anchor| ("anchor".to_owned(), json!(anchor))));
        arguments.extend(after.as_ref().map(|after| ("after".to_owned(), json!(after))));
        let answer = client.call("verifyAuditLog", Value::Object(arguments)).await.map_err(CallError::told)?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (number, head) = (answer.get("brokenNumber").and_then(Value::as_i64), text("head"));
        erased += answer.get("erasedCount").and_then(Value::as_u64).unwrap_or_default();
        if number.is_some() || answer.get("complete") == Some(&Value::Bool(true)) {
            return Ok(Found { head, erased, broken: number.map(|number| (number, text("reason"))) });
        }
        after = Some(head);
    }
}

fn export(archive: &Archive, since: Option<Timestamp>, until: Option<Timestamp>) -> anyhow::Result<()> {
    let mut after = since.map(|since| archive.number_at(since)).transpose()?.unwrap_or(1) - 1;
    let mut out = std::io::stdout().lock();
    loop {
        let entries = archive.entries(after, PAGE)?;
        let Some(last) = entries.last() else { return Ok(()) };
        after = last.number;
        for recorded in entries {
            let at = recorded.entry.at;
            // Of entries made at once, the later number may have the earlier time.
            if since.is_some_and(|since| at < since) || until.is_some_and(|until| until <= at) {
                continue;
            }
            write(&mut out, &records::audit_line(&recorded))?;
        }
    }
}

async fn fetch(client: &SoapClient, since: Option<Timestamp>, until: Option<Timestamp>) -> anyhow::Result<()> {
    let mut arguments = json!({"page": {"pageSize": 1000}});
    for (name, time) in [("since", since), ("until", until)] {
        if let Some(time) = time {
            arguments[name] = json!(time.to_string());
        }
    }
    loop {
        let answer = client.call("getAuditEntries", arguments.clone()).await.map_err(CallError::told)?;
        {
            let mut out = std::io::stdout().lock();
            for entry in answer.get("auditEntry").and_then(Value::as_array).into_iter().flatten() {
                write(&mut out, &records::line(entry))?;
            }
        }
        match answer.get("nextPageToken").and_then(Value::as_str) {
            Some(token) => arguments["page"]["pageToken"] = json!(token),
            None => return Ok(()),
        }
    }
}

/// Writes a line.
pub(super) fn write(out: &mut impl std::io::Write, line: &str) -> anyhow::Result<()> {
    out.write_all(line.as_bytes()).context("cannot write to standard output")
}
