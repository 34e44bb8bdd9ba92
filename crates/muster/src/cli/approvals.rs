use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{number, pages, print, print_one, text};
use crate::show::short;
use crate::soap_client::CallError;

/// Lists and decides what waits for a second person: wipes, locks, resets, and changes of many devices.
///
/// Who asked for something cannot approve it, whatever way they come. The user needs the right approval.read, to decide
/// approval.decide, and besides the right for what is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    connection: Connection,
    /// Management domain; the user's own when left out.
    #[arg(long, value_name = "NAME", global = true)]
    tenant: Option<String>,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…
  muster approvals                               what waits for a second person
  muster approvals list --status APPROVED --status REFUSED
  muster approvals show a-0192f0c3…              all about one
  muster approvals approve a-0192f0c3…           it goes on
  muster approvals refuse a-0192f0c3… --reason \"the wrong device\"
  muster approvals withdraw a-0192f0c3…          takes one's own request back";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists approvals, newest first: those that wait, unless a state is given.
    List {
        /// Only in this state; may be given several times.
        #[arg(long, value_name = "STATE", default_value = "PENDING")]
        status: Vec<String>,
        /// Only of this class: WIPE, FACTORY_RESET, LOCK, FIRMWARE or CHANGE.
        #[arg(long, value_name = "CLASS")]
        class: Option<String>,
        /// Only asked for by this principal.
        #[arg(long, value_name = "NAME")]
        requester: Option<String>,
    },
    /// Prints everything about an approval.
    Show {
        /// Its identifier.
        approval: String,
    },
    /// Agrees: the task or job goes on.
    Approve {
        /// Its identifier.
        approval: String,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Says no: the task or job ends.
    Refuse {
        /// Its identifier.
        approval: String,
        /// Why, for who asked.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Takes one's own request back: the task or job ends.
    Withdraw {
        /// Its identifier.
        approval: String,
        /// Why, for the history.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        match &args.command {
            None => list(args, json!({"status": ["PENDING"]})).await,
            Some(Command::List { status, class, requester }) => {
                let mut wanted = json!({"status": status});
                set(&mut wanted, "operationClass", class.as_deref());
                set(&mut wanted, "requester", requester.as_deref());
                list(args, wanted).await
            }
            Some(Command::Show { approval }) => one(args, "getApprovalById", approval, None).await,
            Some(Command::Approve { approval, reason }) => one(args, "approve", approval, reason.as_deref()).await,
            Some(Command::Refuse { approval, reason }) => one(args, "refuse", approval, Some(reason)).await,
            Some(Command::Withdraw { approval, reason }) => one(args, "withdraw", approval, reason.as_deref()).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn set(arguments: &mut Value, name: &str, value: Option<&str>) {
    if let (Some(arguments), Some(value)) = (arguments.as_object_mut(), value) {
        arguments.insert(name.to_owned(), json!(value));
    }
}

async fn list(args: &Args, mut wanted: Value) -> anyhow::Result<()> {
    set(&mut wanted, "tenant", args.tenant.as_deref());
    let client = args.connection.client()?;
    let approvals = pages(&client, "getApprovals", wanted, "approval").await?;
    let row = |approval: &Value| {
        let what = match text(approval, "jobName").as_str() {
            "" => text(approval, "description"),
            name => format!("{name}: {}", text(approval, "description")),
        };
        [
            text(approval, "approvalId"),
            text(approval, "status"),
            text(approval, "operationClass"),
            number(approval, "deviceCount").to_string(),
            text(approval, "requester"),
            text(approval, "expiresAt"),
            short(&what, 60),
        ]
    };
    let headings = ["approval", "status", "class", "devices", "requester", "expires", "what"];
    print(args.json, approvals, &headings, row, "no such approval");
    Ok(())
}

async fn one(args: &Args, operation: &str, approval: &str, reason: Option<&str>) -> anyhow::Result<()> {
    let mut arguments = json!({"approvalId": approval});
    set(&mut arguments, "reason", reason);
    set(&mut arguments, "tenant", args.tenant.as_deref());
    let told = args.connection.client()?.call(operation, arguments).await.map_err(CallError::told)?;
    print_one(args.json, &told);
    Ok(())
}
