use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{list, pages, print, print_done, print_one, text};
use crate::soap_client::{CallError, SoapClient};

/// Looks after management domains, which share nothing with each other.
///
/// Who has rights in one domain sees that one; making, changing and deleting takes rights in every domain.
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
  muster tenants                                 every domain that you may see
  muster tenants create acme --display-name \"Acme plc\"
  muster tenants suspend acme                    lets none of its principals in; devices go on
  muster tenants resume acme
  muster tenants delete acme                     one that has nothing in it any more";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists domains.
    List,
    /// Prints everything about a domain.
    Show {
        /// Domain.
        name: String,
    },
    /// Makes a domain.
    Create {
        /// Name, which never changes: 1 to 64 letters, digits and -_.
        name: String,
        /// Longer name for people.
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// Demands the consent of the subscriber for management in the background.
        #[arg(long)]
        demand_consent: bool,
        /// Private network that callbacks may go to, for example 10.1.0.0/16; may be given several times.
        #[arg(long = "callback-network", value_name = "NETWORK")]
        callback_networks: Vec<String>,
    },
    /// Keeps the principals of a domain out. Its devices and jobs go on.
    Suspend {
        /// Domain.
        name: String,
    },
    /// Lets the principals of a domain in again.
    Resume {
        /// Domain.
        name: String,
    },
    /// Deletes a domain without principals, devices, capability records, jobs and tasks.
    Delete {
        /// Domain.
        name: String,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        let made = match &args.command {
            None | Some(Command::List) => return all(args, &client).await,
            Some(Command::Show { name }) => client.call("getTenantByName", json!({"name": name})).await,
            Some(Command::Create { name, display_name, demand_consent, callback_networks }) => {
                let tenant = json!({
                    "name": name, "displayName": display_name, "consentDemanded": demand_consent,
                    "callbackNetwork": callback_networks,
                });
                client.call("createTenant", json!({"tenant": tenant})).await
            }
            Some(Command::Suspend { name }) => set_status(&client, name, "SUSPENDED").await,
            Some(Command::Resume { name }) => set_status(&client, name, "ACTIVE").await,
            Some(Command::Delete { name }) => {
                client.call("deleteTenant", json!({"name": name})).await.map_err(CallError::told)?;
                print_done(args.json, &format!("{name} is deleted"));
                return Ok(());
            }
        };
        print_one(args.json, &made.map_err(CallError::told)?);
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn all(args: &Args, client: &SoapClient) -> anyhow::Result<()> {
    let tenants = pages(client, "getTenants", json!({}), "tenant").await?;
    let row = |tenant: &Value| {
        let demands = tenant.get("consentDemanded").and_then(Value::as_bool).unwrap_or_default();
        [
            text(tenant, "name"),
            text(tenant, "status"),
            if demands { "demanded" } else { "not demanded" }.to_owned(),
            list(tenant, "callbackNetwork"),
            text(tenant, "displayName"),
        ]
    };
    print(args.json, tenants, &["tenant", "status", "consent", "callback networks", "name"], row, "no tenant");
    Ok(())
}

/// Changes one field of the record as it is, and nothing that somebody else changes meanwhile.
async fn set_status(client: &SoapClient, name: &str, status: &str) -> Result<Value, CallError> {
    let mut tenant = client.call("getTenantByName", json!({"name": name})).await?;
    if let Some(tenant) = tenant.as_object_mut() {
        tenant.insert("status".to_owned(), json!(status));
    }
    client.call("updateTenant", json!({"tenant": tenant})).await
}
