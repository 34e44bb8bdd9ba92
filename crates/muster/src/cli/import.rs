mod told;

use std::fs::File;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{Context as Digest, SHA256};

use self::told::Told;
use super::connection::Connection;
use crate::import_client::{ImportClient, Line, RowFormat, Summary, Wanted};

/// Imports device records from a file of any length: CSV with a header row, or one JSON object in each line.
///
/// Columns and members are the fields of a device record, spelt as in the contract: deviceID, phoneNumber,
/// dmAccount.clientName, attribute.NAME and so on. Rows that cannot be taken are told at the end and do not stop the others.
/// An import that broke off goes on where it was with --resume. The exit code is 0 only if every row was taken.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// File of rows; '-' is standard input.
    file: PathBuf,
    /// How rows are written; by the end of the file's name unless given.
    #[arg(long, value_enum)]
    format: Option<RowFormat>,
    /// Looks at every row and keeps nothing.
    #[arg(long)]
    dry_run: bool,
    /// Updates records that exist, rather than refuse them.
    #[arg(long)]
    update: bool,
    /// Goes on with the import of this file that broke off.
    #[arg(long)]
    resume: bool,
    /// Name of the import; it follows from the contents of the file unless given.
    #[arg(long, value_name = "NAME")]
    import_id: Option<String>,
    /// Writes rows that were not taken to a file, one JSON object in each line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster import devices.csv --dry-run            would every row be taken?
  muster import devices.csv --report refused.ndjson
  muster import devices.csv --resume             after a break
  muster import devices.ndjson --update          records that exist are changed
  generate | muster import - --format csv";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let is_standard_input = args.file.as_os_str() == "-";
    let format = match args.format.or_else(|| format_of(&args.file)) {
        Some(format) => format,
        None => bail!("{}: say --format csv or --format ndjson", args.file.display()),
    };
    if args.resume && is_standard_input && args.import_id.is_none() {
        bail!("standard input can be resumed by --import-id alone");
    }
    let client = args.connection.import_client()?;
    let mut wanted = Wanted { id: args.import_id.clone(), update_existing: args.update, dry_run: args.dry_run };
    let (rows, octets): (Box<dyn Read + Send>, u64) = if is_standard_input {
        (Box::new(std::io::stdin()), 0)
    } else {
        let file = File::open(&args.file).with_context(|| format!("cannot open {}", args.file.display()))?;
        let octets = file.metadata()?.len();
        if wanted.id.is_none() && !args.dry_run {
            wanted.id = Some(name_of(&args.file, args.update)?);
        }
        (Box::new(file), octets)
    };
    super::runtime()?.block_on(import(args, &client, rows, octets, format, &wanted))
}

fn format_of(file: &Path) -> Option<RowFormat> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(RowFormat::Csv),
        "ndjson" | "jsonl" => Some(RowFormat::Ndjson),
        _ => None,
    }
}

/// The name of an import of this file: another one if anything in it changes, because then its rows are others.
fn name_of(file: &Path, update: bool) -> anyhow::Result<String> {
    let failed = || format!("cannot read {}", file.display());
    let mut rows = File::open(file).with_context(failed)?;
    let mut digest = Digest::new(&SHA256);
    digest.update(&[u8::from(update)]);
    let mut piece = vec![0; 1 << 20];
    loop {
        let length = rows.read(&mut piece).with_context(failed)?;
        if length == 0 {
            break;
        }
        digest.update(piece.get(..length).unwrap_or_default());
    }
    let name: String = digest.finish().as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    Ok(format!("file-{name}"))
}

async fn import(
    args: &Args,
    client: &ImportClient,
    rows: Box<dyn Read + Send>,
    octets: u64,
    format: RowFormat,
    wanted: &Wanted,
) -> anyhow::Result<ExitCode> {
    let mut before = 0;
    if let Some(id) = wanted.id.as_deref().filter(|_| !args.dry_run) {
        if args.resume {
            before = client.position(id).await?.rows;
        } else {
            client.forget(id).await?;
        }
    }
    let mut report = args.report.as_deref().map(|path| open(path, before > 0)).transpose()?;
    let mut told = Told::begin(args.json, octets, before);
    let sent = told.sent();
    let began = Instant::now();
    let mut summary: Option<Summary> = None;
    let mut stopped = None;
    let outcome = client
        .send(rows, format, wanted, sent, |line| {
            match line {
                Line::Rejected(row) => {
                    if let Some(report) = &mut report {
                        serde_json::to_writer(&mut *report, &row)?;
                        report.write_all(b"\n")?;
                    }
                    told.rejected(row);
                }
                Line::Progress(progress) => told.progress(progress.rows),
                Line::Stopped(reason) => stopped = Some(reason),
                Line::Summary(all) => summary = Some(all),
            }
            Ok(())
        })
        .await;
    told.end();
    if let Some(report) = &mut report {
        report.flush().context("cannot write the report")?;
    }
    let Some(summary) = summary else {
        let why = outcome.err().unwrap_or_else(|| anyhow::anyhow!("the answer broke off"));
        let hint = if wanted.id.is_some() && !args.dry_run {
            "the import broke off; what was taken is kept, and --resume goes on with it"
        } else {
            "the import broke off"
        };
        return Err(why.context(hint));
    };
    told.print(&summary, stopped.as_ref(), began.elapsed());
    let is_well = summary.complete && summary.rejected == 0;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The report; a resumed import goes on with that of before.
fn open(path: &Path, goes_on: bool) -> anyhow::Result<BufWriter<File>> {
    let mut options = File::options();
    options.create(true).write(true).append(goes_on).truncate(!goes_on);
    Ok(BufWriter::new(options.open(path).with_context(|| format!("cannot write {}", path.display()))?))
}
