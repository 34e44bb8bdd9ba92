use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{number, pages, text};
use crate::show::Table;
use crate::soap_client::CallError;

/// Shows and sets how much a domain and its callers may use.
///
/// The user needs the right quota.read, and to set something quota.update.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    connection: Connection,
    /// Caller; * for what holds for each one without a limit of its own; the domain as a whole when left out.
    #[arg(long, value_name = "NAME", global = true)]
    principal: Option<String>,
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
  muster quotas                                  of the domain, with what is used
  muster quotas --principal crm                  of one caller
  muster quotas set TASKS_PER_DAY 50000 --principal crm
  muster quotas set REQUESTS_PER_SECOND 20 --principal '*'
                                                 of each caller without a limit of its own
  muster quotas reset TASKS_PER_DAY --principal crm
                                                 the default counts again";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists quotas with what is used of them.
    List,
    /// Sets a quota.
    Set {
        /// What is bounded, for example TASKS_PER_DAY.
        kind: String,
        /// How much.
        limit: u64,
    },
    /// Lets the default of a quota count again.
    Reset {
        /// What is bounded.
        kind: String,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        let quotas = match &args.command {
            None | Some(Command::List) => pages(&client, "getQuotas", arguments(args, json!({})), "quota").await?,
            Some(Command::Set { kind, limit }) => {
                let wanted = arguments(args, json!({"kind": kind, "limit": limit}));
                vec![client.call("setQuota", wanted).await.map_err(CallError::told)?]
            }
            Some(Command::Reset { kind }) => {
                let wanted = arguments(args, json!({"kind": kind}));
                vec![client.call("setQuota", wanted).await.map_err(CallError::told)?]
            }
        };
        if args.json {
            println!("{}", Value::from(quotas));
        } else {
            print!("{}", table(&quotas));
        }
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn arguments(args: &Args, mut wanted: Value) -> Value {
    for (name, value) in [("principal", &args.principal), ("tenant", &args.tenant)] {
        if let (Some(wanted), Some(value)) = (wanted.as_object_mut(), value) {
            wanted.insert(name.to_owned(), json!(value));
        }
    }
    wanted
}

fn table(quotas: &[Value]) -> Table {
    let mut table = Table::new(&["quota", "used", "limit", "set", "begins anew"]);
    for quota in quotas {
        let used = if quota.get("used").is_some() { number(quota, "used").to_string() } else { "-".to_owned() };
        let is_default = quota.get("isDefault").and_then(Value::as_bool).unwrap_or(true);
        table.row([
            text(quota, "kind"),
            used,
            number(quota, "limit").to_string(),
            if is_default { "default" } else { "yes" }.to_owned(),
            text(quota, "windowEndsAt"),
        ]);
    }
    table
}
