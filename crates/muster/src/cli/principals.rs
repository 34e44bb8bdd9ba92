use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{pages, parameters, print, print_done, print_one, text};
use super::principal::password;
use crate::show::short;
use crate::soap_client::{CallError, SoapClient};

/// Looks after External Systems and people who may call a server, over the network.
///
/// The user needs the rights principal.read, principal.create, principal.update and principal.delete, and gives no right
/// that it has not itself.
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
  muster principals                              who may call, and what each may do
  muster principals create crm --role care       prints a password once
  printf %s \"$SECRET\" | muster principals create shop --role campaign --group kiosks
                                                 takes the one given; devices of one group alone
  muster principals create billing --right charge.read --no-password
                                                 for an API key, see `muster keys`
  muster principals password crm                 a new one; its sessions end
  muster principals disable crm                  lets it in no more, until `enable`
  muster principals delete crm";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists principals.
    List,
    /// Prints everything about a principal.
    Show {
        /// Principal.
        name: String,
    },
    /// Makes a principal.
    ///
    /// The password is a line of standard input; where that is a terminal or empty, one is made up and printed.
    Create(Create),
    /// Gives a principal a new password, which is a line of standard input or else made up and printed.
    Password {
        /// Principal.
        name: String,
        /// Takes WS-Security PasswordDigest too; the password is then kept, sealed, not only its hash.
        #[arg(long)]
        digest: bool,
    },
    /// Lets a principal in again.
    Enable {
        /// Principal.
        name: String,
    },
    /// Lets a principal in no more, whatever it shows.
    Disable {
        /// Principal.
        name: String,
    },
    /// Deletes a principal; its sessions end.
    Delete {
        /// Principal.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Name it authenticates with, which never changes.
    name: String,
    /// Role that it is given; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Right that it is given, for example device.read; may be given several times.
    #[arg(long = "right", value_name = "RIGHT")]
    rights: Vec<String>,
    /// Device group that all this is narrowed to; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Gives all this in every domain, not only its own.
    #[arg(long)]
    everywhere: bool,
    /// What it is.
    #[arg(long, value_enum, default_value = "system")]
    kind: Kind,
    /// Longer name for people.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Gives it no password: it is let in by a key, a certificate or an identity provider.
    #[arg(long)]
    no_password: bool,
    /// Takes WS-Security PasswordDigest too; the password is then kept, sealed, not only its hash.
    #[arg(long, conflicts_with = "no_password")]
    digest: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// An External System.
    System,
    /// A person.
    Person,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        let named = |name: &str| parameters([("name", Some(name)), ("tenant", args.tenant.as_deref())]);
        match &args.command {
            None | Some(Command::List) => all(args, &client).await?,
            Some(Command::Show { name }) => {
                print_one(args.json, &client.call("getPrincipalByName", named(name)).await.map_err(CallError::told)?);
            }
            Some(Command::Create(wanted)) => create(args, &client, wanted).await?,
            Some(Command::Password { name, digest }) => {
                let (password, is_made_up) = password()?;
                let mut wanted = named(name);
                if let Some(wanted) = wanted.as_object_mut() {
                    wanted.insert("password".to_owned(), json!(password));
                    wanted.insert("digest".to_owned(), json!(digest));
                }
                client.call("setPassword", wanted).await.map_err(CallError::told)?;
                told(args, &json!({"name": name}), is_made_up.then_some(password.as_str()));
            }
            Some(Command::Enable { name }) => set_enabled(args, &client, named(name), true).await?,
            Some(Command::Disable { name }) => set_enabled(args, &client, named(name), false).await?,
            Some(Command::Delete { name }) => {
                client.call("deletePrincipal", named(name)).await.map_err(CallError::told)?;
                print_done(args.json, &format!("{name} is deleted"));
            }
        }
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn create(args: &Args, client: &SoapClient, wanted: &Create) -> anyhow::Result<()> {
    let grant = |kind: &str, name: &String| {
        let tenant = wanted.everywhere.then_some("*");
        json!({kind: name, "tenant": tenant, "group": wanted.groups})
    };
    let roles = wanted.roles.iter().map(|role| grant("role", role));
    let grants: Vec<Value> = roles.chain(wanted.rights.iter().map(|right| grant("right", right))).collect();
    let kind = match wanted.kind {
        Kind::System => "SYSTEM",
        Kind::Person => "PERSON",
    };
    let principal = json!({
        "name": wanted.name, "tenant": args.tenant, "kind": kind, "displayName": wanted.display_name, "grant": grants,
    });
    let mut arguments = json!({"principal": principal, "digest": wanted.digest});
    let mut made_up = None;
    if let (false, Some(arguments)) = (wanted.no_password, arguments.as_object_mut()) {
        let (password, is_made_up) = password()?;
        arguments.insert("password".to_owned(), json!(password));
        made_up = is_made_up.then_some(password);
    }
    let made = client.call("createPrincipal", arguments).await.map_err(CallError::told)?;
    told(args, &made, made_up.as_deref());
    Ok(())
}

/// Tells what was made, and the password where nobody else knows it.
fn told(args: &Args, record: &Value, password: Option<&str>) {
    let mut record = record.clone();
    if let (true, Some(password), Some(record)) = (args.json, password, record.as_object_mut()) {
        record.insert("password".to_owned(), json!(password));
    }
    print_one(args.json, &record);
    if let (false, Some(password)) = (args.json, password) {
        println!("password  {password}   (printed once)");
    }
}

/// Changes one field of the record as it is, and nothing that somebody else changes meanwhile.
async fn set_enabled(args: &Args, client: &SoapClient, named: Value, is_enabled: bool) -> anyhow::Result<()> {
    let mut principal = client.call("getPrincipalByName", named).await.map_err(CallError::told)?;
    if let Some(principal) = principal.as_object_mut() {
        principal.insert("enabled".to_owned(), json!(is_enabled));
    }
    let changed = client.call("updatePrincipal", json!({"principal": principal})).await.map_err(CallError::told)?;
    print_one(args.json, &changed);
    Ok(())
}

async fn all(args: &Args, client: &SoapClient) -> anyhow::Result<()> {
    let wanted = parameters([("tenant", args.tenant.as_deref())]);
    let principals = pages(client, "getPrincipals", wanted, "principal").await?;
    let row = |principal: &Value| {
        let is_so = |name: &str| principal.get(name).and_then(Value::as_bool).unwrap_or_default();
        let grants = principal.get("grant").and_then(Value::as_array).into_iter().flatten();
        let grants: Vec<String> = grants.map(grant).collect();
        [
            text(principal, "name"),
            text(principal, "tenant"),
            text(principal, "kind").to_lowercase(),
            if is_so("enabled") { "yes" } else { "no" }.to_owned(),
            if is_so("hasPassword") { "yes" } else { "no" }.to_owned(),
            short(&grants.join("; "), 80),
        ]
    };
    let headings = ["principal", "tenant", "kind", "let in", "password", "may"];
    print(args.json, principals, &headings, row, "no principal");
    Ok(())
}

/// A grant as `care in g, h`.
fn grant(grant: &Value) -> String {
    let role = text(grant, "role");
    let mut told = if role.is_empty() { text(grant, "right") } else { role };
    for (word, narrowed) in [
        (" in group ", super::listing::list(grant, "group")),
        (" below ", super::listing::list(grant, "path")),
        (" of tenant ", text(grant, "tenant")),
    ] {
        if !narrowed.is_empty() {
            told.push_str(word);
            told.push_str(&narrowed);
        }
    }
    told
}
