use std::process::ExitCode;

use clap::Subcommand;
use muster_broker::task::TaskStatus;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{Extent, names, number, pages, print, print_more, print_one, since, text};
use crate::show::{Table, short};
use crate::soap_client::{CallError, SoapClient};

/// What counts as lately, where nothing is said about which tasks are wanted.
const LATELY_S: i64 = 24 * 3600;

/// Looks at tasks, each an operation on one device, and cancels them. Lists begin with the oldest.
///
/// The user needs the right task.read, and to cancel task.cancel.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…
  muster tasks                                   those of the last day
  muster tasks --device IMEI:490154203237518
  muster tasks --job j-0192f0c3… --status FAILED --status EXPIRED
  muster tasks --filter 'operation = \"WIPE\" and createdAt > 2026-11-01T00:00:00Z'
  muster tasks show t0a1-0192f0c3…               all about one, step by step
  muster tasks cancel t0a1-0192f0c3… --reason \"not now\"";

/// Which tasks; those of the last day, where nothing is said.
#[derive(Debug, clap::Args)]
struct Wanted {
    /// Only of this job.
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Only of this device.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Only addressed to this phone number.
    #[arg(long, value_name = "NUMBER")]
    phone_number: Option<String>,
    /// Only in this state; may be given several times.
    #[arg(long, value_name = "STATE", value_parser = names(TaskStatus::NAMES))]
    status: Vec<String>,
    #[command(flatten)]
    extent: Extent,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints everything about a task, and what happened to it.
    Show {
        /// Its identifier.
        task: String,
    },
    /// Cancels a task.
    Cancel {
        /// Its identifier.
        task: String,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        match &args.command {
            None => all(args, &client).await,
            Some(Command::Show { task }) => show(args, &client, task).await,
            Some(Command::Cancel { task, reason }) => {
                let wanted = json!({"taskId": task, "reason": reason});
                print_one(args.json, &client.call("cancelTask", wanted).await.map_err(CallError::told)?);
                Ok(())
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn all(args: &Args, client: &SoapClient) -> anyhow::Result<()> {
    let now = jiff::Timestamp::now();
    let Wanted { job, device, phone_number, status, extent } = &args.wanted;
    let mut wanted = json!({"jobId": job, "deviceID": device, "phoneNumber": phone_number, "status": status});
    let is_any = job.is_none() && device.is_none() && phone_number.is_none() && !extent.is_filtered();
    let lately = jiff::Timestamp::from_second(now.as_second().saturating_sub(LATELY_S))?;
    if let (true, Some(wanted)) = (is_any, wanted.as_object_mut()) {
        wanted.insert("createdSince".to_owned(), json!(lately.to_string()));
    }
    let (tasks, more) = extent.first(client, "getTasks", wanted, "task").await?;
    let row = |task: &Value| {
        let device = [text(task, "deviceID"), text(task, "phoneNumber")].into_iter().find(|it| !it.is_empty());
        [
            text(task, "taskId"),
            text(task, "status"),
            text(task, "operation"),
            device.unwrap_or_default(),
            number(task, "attempts").to_string(),
            format!("{} ago", since(&text(task, "updatedAt"), now)),
            short(&text(task, "statusDetail"), 60),
        ]
    };
    print(
        args.json,
        tasks,
        &["task", "status", "operation", "device", "tries", "changed", "detail"],
        row,
        "no such task",
    );
    print_more(args.json, more);
    Ok(())
}

async fn show(args: &Args, client: &SoapClient, task: &str) -> anyhow::Result<()> {
    let record = client.call("getTaskById", json!({"taskId": task})).await.map_err(CallError::told)?;
    let steps = pages(client, "getTaskHistory", json!({"taskId": task}), "entry").await?;
    if args.json {
        println!("{}", json!({"task": record, "history": steps}));
        return Ok(());
    }
    print_one(false, &record);
    let mut table = Table::new(&["at", "status", "event", "by", "detail"]);
    for step in &steps {
        table.row(["at", "status", "event", "actor", "detail"].map(|name| text(step, name)));
    }
    println!();
    print!("{table}");
    Ok(())
}
