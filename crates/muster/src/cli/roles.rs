use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{list, pages, parameters, print, print_done, print_one, text};
use crate::show::short;
use crate::soap_client::{CallError, SoapClient};

/// Looks after roles: rights under one name, which are given to principals together.
///
/// The user needs the rights role.read, role.create and role.delete, and gives no right that it has not itself.
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
  muster roles                                   those built in, and those of the domain
  muster roles show care                         all its rights
  muster roles create night-desk --right task.read --right task.cancel --about \"At night.\"
  muster roles delete night-desk                 one that nobody was given";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists roles.
    List,
    /// Prints everything about a role.
    Show {
        /// Role.
        name: String,
    },
    /// Makes a role of the domain.
    Create {
        /// Name, which never changes: 1 to 64 letters, digits and -_.
        name: String,
        /// Right that it gives, for example device.read or task.*; may be given several times.
        #[arg(long = "right", value_name = "RIGHT", required = true)]
        rights: Vec<String>,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        about: Option<String>,
    },
    /// Deletes a role that nobody was given.
    Delete {
        /// Role.
        name: String,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        let named = |name: &str| parameters([("name", Some(name)), ("tenant", args.tenant.as_deref())]);
        match &args.command {
            None | Some(Command::List) => all(args, &client).await?,
            Some(Command::Show { name }) => {
                print_one(args.json, &client.call("getRoleByName", named(name)).await.map_err(CallError::told)?);
            }
            Some(Command::Create { name, rights, about }) => {
                let role = json!({"name": name, "right": rights, "about": about, "tenant": args.tenant});
                let made = client.call("createRole", json!({"role": role})).await.map_err(CallError::told)?;
                print_one(args.json, &made);
            }
            Some(Command::Delete { name }) => {
                client.call("deleteRole", named(name)).await.map_err(CallError::told)?;
                print_done(args.json, &format!("{name} is deleted"));
            }
        }
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn all(args: &Args, client: &SoapClient) -> anyhow::Result<()> {
    let roles = pages(client, "getRoles", parameters([("tenant", args.tenant.as_deref())]), "role").await?;
    let row = |role: &Value| {
        let is_built_in = role.get("builtIn").and_then(Value::as_bool).unwrap_or_default();
        [
            text(role, "name"),
            if is_built_in { "every tenant".to_owned() } else { text(role, "tenant") },
            short(&list(role, "right"), 60),
            short(&text(role, "about"), 60),
        ]
    };
    print(args.json, roles, &["role", "of", "rights", "about"], row, "no role");
    Ok(())
}
