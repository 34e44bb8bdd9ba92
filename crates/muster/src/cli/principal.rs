use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use muster_broker::access::{BUILT_IN, Grant, GrantTenant, Granted, Principal};
use muster_broker::ledger::Deed;
use muster_broker::ports::Environment as _;
use muster_northbound::identity::hash_password;

use crate::serve::{FIRST_TENANT, System, random_password};
use crate::show::Table;

/// Makes and lists External Systems and people on the machine of the server, which must not be running on the folder.
///
/// Of a server that runs, `muster principals` looks after them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folder of the database and the key file.
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR", default_value = "muster-data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a principal, or gives an existing one a new password, domain and roles.
    ///
    /// The password is a line of standard input; where that is a terminal or empty, one is made up and printed.
    Put {
        /// Name it authenticates with.
        name: String,
        /// Management domain; no principal sees records of another domain.
        #[arg(long, default_value = FIRST_TENANT)]
        tenant: String,
        /// What it may do.
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = roles())]
        roles: Vec<String>,
        /// Gives the roles in every domain, not only its own.
        #[arg(long)]
        everywhere: bool,
        /// Takes WS-Security PasswordDigest too; the password is then kept, sealed, not only its hash.
        #[arg(long)]
        digest: bool,
    },
    /// Lists principals.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

fn roles() -> Vec<&'static str> {
    BUILT_IN.iter().map(|role| role.name).collect()
}

const EXAMPLES: &str = "\
Examples:
  muster principal --data ./muster-data put crm --role care        prints a password
  printf %s \"$SECRET\" | muster principal put shop --role campaign  takes the one given
  muster principal --data ./muster-data list";

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if matches!(args.action, Action::List { .. }) && !args.data.join("muster.db").exists() {
        anyhow::bail!("there is no database in {}; --data names the folder of a server", args.data.display());
    }
    let (store, vault) = crate::serve::open(&args.data)?;
    super::runtime()?.block_on(async {
        match args.action {
            Action::Put { name, tenant, roles, everywhere, digest } => {
                let (password, made_up) = password()?;
                let reach = if everywhere { GrantTenant::Any } else { GrantTenant::Own };
                let principal = Principal {
                    grants: roles.into_iter().map(|role| Grant::whole(Granted::Role(role), reach.clone())).collect(),
                    digest_secret: digest.then(|| vault.seal(password.as_bytes()).0),
                    created_at: System.now(),
                    ..Principal::of_role(&name, &tenant, "", &hash_password(&password, &System)?)
                };
                let name = principal.name.clone();
                let deed = Deed::local(&principal.tenant, "principal", System.now());
                store.principal_put(principal, deed).await?;
                println!("{name} may call the server");
                if made_up {
                    println!("password  {password}   (printed once)");
                }
            }
            Action::List { json } => list(&store.principal_list().await?, json),
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The password from standard input where that is not a terminal, else a random one.
pub(super) fn password() -> anyhow::Result<(String, bool)> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        stdin.read_line(&mut line).context("cannot read the password from standard input")?;
        let given = line.trim_end_matches(['\r', '\n']);
        if !given.is_empty() {
            return Ok((given.to_owned(), false));
        }
    }
    Ok((random_password(&System), true))
}

fn list(principals: &[Principal], json: bool) {
    let names = |principal: &Principal| -> Vec<String> { principal.grants.iter().map(Grant::to_string).collect() };
    if json {
        let rows: Vec<_> = principals
            .iter()
            .map(|it| serde_json::json!({"name": it.name, "tenant": it.tenant, "grants": names(it)}))
            .collect();
        println!("{}", serde_json::Value::from(rows));
        return;
    }
    let mut table = Table::new(&["name", "tenant", "grants"]);
    for it in principals {
        table.row([it.name.clone(), it.tenant.clone(), names(it).join(", ")]);
    }
    print!("{table}");
}
