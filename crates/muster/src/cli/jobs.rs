use std::process::ExitCode;

use clap::Subcommand;
use muster_broker::job::JobStatus;
use muster_broker::task::TaskStatus;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{Extent, names, number, print, print_more, print_one, since, text};
use crate::show::short;
use crate::soap_client::{CallError, SoapClient};

/// Looks at jobs and leads them: an operation on many devices is one job.
///
/// The user needs the right job.read, and job.pause, job.restart, job.update (to let a wave begin) or job.cancel for
/// these.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…
  muster jobs                                    the newest, and how far each is
  muster jobs list --status RUNNING --status PAUSED
  muster jobs list --filter 'name startsWith \"spring\"' --limit 200
  muster jobs show j-0192f0c3…                   all about one
  muster jobs pause j-0192f0c3… --reason \"too many failures\"
  muster jobs restart j-0192f0c3… --retry-failed
  muster jobs release j-0192f0c3… --reason \"the canary looks well\"
  muster jobs cancel j-0192f0c3…
  muster tasks --job j-0192f0c3… --status FAILED";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists jobs, newest first.
    List {
        /// Only in this state; may be given several times.
        #[arg(long, value_name = "STATE", value_parser = names(JobStatus::NAMES))]
        status: Vec<String>,
        /// Only of this user or External System.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        #[command(flatten)]
        extent: Extent,
    },
    /// Prints everything about a job.
    Show {
        /// Its identifier.
        job: String,
    },
    /// Lets no new task of a job start.
    Pause(Change),
    /// Lets a paused job go on.
    Restart {
        #[command(flatten)]
        change: Change,
        /// Tries tasks that failed again, also of a job that has finished.
        #[arg(long)]
        retry_failed: bool,
    },
    /// Lets the next wave of a job begin, which waits for a person.
    Release(Change),
    /// Cancels a job, and every task of it that has not ended.
    Cancel(Change),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Its identifier.
    job: String,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Change {
    fn parameters(&self) -> Value {
        json!({"jobId": self.job, "reason": self.reason})
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        let changed = match &args.command {
            None => return all(args, &client, json!({}), &Extent::default()).await,
            Some(Command::List { status, owner, extent }) => {
                return all(args, &client, json!({"status": status, "owner": owner}), extent).await;
            }
            Some(Command::Show { job }) => client.call("getJobById", json!({"jobId": job})).await,
            Some(Command::Pause(change)) => client.call("pauseJob", change.parameters()).await,
            Some(Command::Restart { change, retry_failed }) => {
                let mut wanted = change.parameters();
                if let Some(wanted) = wanted.as_object_mut() {
                    wanted.insert("retryFailed".to_owned(), json!(retry_failed));
                }
                client.call("restartJob", wanted).await
            }
            Some(Command::Release(change)) => client.call("releaseWave", change.parameters()).await,
            Some(Command::Cancel(change)) => client.call("cancelJob", change.parameters()).await,
        };
        print_one(args.json, &changed.map_err(CallError::told)?);
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn all(args: &Args, client: &SoapClient, wanted: Value, extent: &Extent) -> anyhow::Result<()> {
    let now = jiff::Timestamp::now();
    let (jobs, more) = extent.first(client, "getJobs", wanted, "job").await?;
    let row = |job: &Value| {
        let counts = job.get("taskCount").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        [
            text(job, "jobId"),
            text(job, "status"),
            progress(counts),
            text(job, "operation"),
            text(job, "owner"),
            format!("{} ago", since(&text(job, "createdAt"), now)),
            short(&text(job, "name"), 40),
        ]
    };
    print(args.json, jobs, &["job", "status", "tasks", "operation", "owner", "made", "name"], row, "no such job");
    print_more(args.json, more);
    Ok(())
}

/// `7 of 10 ended, 2 without success`.
fn progress(counts: &[Value]) -> String {
    let (mut all, mut ended, mut well) = (0, 0, 0);
    for count in counts {
        let (status, many) = (TaskStatus::parse(&text(count, "status")), number(count, "count"));
        all += many;
        ended += if status.is_some_and(TaskStatus::is_final) { many } else { 0 };
        well += if status == Some(TaskStatus::Succeeded) { many } else { 0 };
    }
    let otherwise = ended - well;
    let failed = if otherwise > 0 { format!(", {otherwise} without success") } else { String::new() };
    format!("{ended} of {all} ended{failed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_one_line() {
        let counts = [
            json!({"status": "SUCCEEDED", "count": 5}),
            json!({"status": "FAILED", "count": 2}),
            json!({"status": "RETRY_WAIT", "count": 3}),
        ];
        assert_eq!(progress(&counts), "7 of 10 ended, 2 without success");
        assert_eq!(progress(&[]), "0 of 0 ended");
    }
}
