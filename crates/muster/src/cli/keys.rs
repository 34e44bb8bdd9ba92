use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{list, pages, parameters, print, print_one, since, text, until};
use crate::show::short;
use crate::soap_client::{CallError, SoapClient};

const DAY_S: i64 = 24 * 3600;

/// Looks after API keys, with which programs show who they are.
///
/// A key is told once, when it is made. The user needs the rights key.create, key.read and key.revoke, and makes no key
/// that may do more than itself.
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
  muster keys                                    every key, what it may do, its end and its last use
  muster keys create billing --right device.read --days 30
                                                 prints the key once
  muster keys create shop --principal shop --out shop.key
                                                 writes it to a file that only you may read
  muster call getTasks --key-file shop.key       as whoever has it
  muster keys revoke b2xk7m…                     from the next request on";

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists keys.
    List {
        /// Only of this principal.
        #[arg(long, value_name = "NAME")]
        principal: Option<String>,
    },
    /// Makes a key.
    Create {
        /// What people call it.
        name: String,
        /// Principal that it lets in; the user itself when left out.
        #[arg(long, value_name = "NAME")]
        principal: Option<String>,
        /// Right that it is narrowed to, for example device.read; may be given several times. Every right of the
        /// principal when left out.
        #[arg(long = "right", value_name = "RIGHT")]
        rights: Vec<String>,
        /// Device group that it is narrowed to; may be given several times.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Place in the management tree that it is narrowed to; may be given several times.
        #[arg(long = "path", value_name = "LOCURI")]
        paths: Vec<String>,
        /// Ends after so many days; the server has a default and a limit.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=36_500))]
        days: Option<i64>,
        /// Writes the key to a new file that only its owner may read, instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Lets a key let nobody in any more.
    Revoke {
        /// Key, as the list names it.
        key: String,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        match &args.command {
            None => all(args, &client, None).await?,
            Some(Command::List { principal }) => all(args, &client, principal.as_deref()).await?,
            Some(Command::Create { name, principal, rights, groups, paths, days, out }) => {
                let end = days.map(|days| end_after(days, jiff::Timestamp::now())).transpose()?;
                let wanted = json!({
                    "name": name, "principal": principal, "right": rights, "group": groups, "path": paths,
                    "expiresAt": end,
                });
                create(args, &client, wanted, out.as_deref()).await?;
            }
            Some(Command::Revoke { key }) => {
                let revoked = client.call("revokeApiKey", json!({"keyId": key})).await.map_err(CallError::told)?;
                if args.json {
                    println!("{revoked}");
                } else {
                    println!("{key} lets nobody in any more");
                }
            }
        }
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The whole second that comes so many days after `now`.
fn end_after(days: i64, now: jiff::Timestamp) -> anyhow::Result<String> {
    let end = now.as_second().saturating_add(days.saturating_mul(DAY_S));
    Ok(jiff::Timestamp::from_second(end).context("--days leads out of the calendar")?.to_string())
}

async fn create(args: &Args, client: &SoapClient, wanted: Value, out: Option<&Path>) -> anyhow::Result<()> {
    // Before the key is made: one that could not be written would be lost.
    let file = out.map(private).transpose()?;
    let made = client.call("createApiKey", wanted).await.map_err(CallError::told);
    let (mut made, key) = match made {
        Ok(made) => {
            let key = text(&made, "key");
            (made, key)
        }
        Err(error) => {
            if let Some(path) = out {
                // It is empty and ours.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
    };
    if let (Some(mut file), Some(path)) = (file, out) {
        writeln!(file, "{key}").with_context(|| format!("cannot write {}", path.display()))?;
        if let Some(made) = made.as_object_mut() {
            made.remove("key");
        }
    }
    if args.json {
        println!("{made}");
        return Ok(());
    }
    print_one(false, &made.get("apiKey").cloned().unwrap_or_default());
    match out {
        None => println!("key  {key}   (printed once)"),
        Some(path) => println!("key  in {}, and nowhere else", path.display()),
    }
    Ok(())
}

/// A new file that only its owner may read. What is there already is never overwritten: it may be the last copy of a key.
fn private(path: &Path) -> anyhow::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("cannot make {}", path.display()))
}

async fn all(args: &Args, client: &SoapClient, principal: Option<&str>) -> anyhow::Result<()> {
    let now = jiff::Timestamp::now();
    let keys = pages(client, "getApiKeys", parameters([("principal", principal)]), "apiKey").await?;
    let row = |key: &Value| {
        let is_active = key.get("active").and_then(Value::as_bool).unwrap_or_default();
        let state = match (is_active, text(key, "revokedAt").is_empty()) {
            (true, _) => format!("ends {}", until(&text(key, "expiresAt"), now)),
            (false, false) => format!("revoked by {}", text(key, "revokedBy")),
            (false, true) => "ended".to_owned(),
        };
        let used = match text(key, "lastUsedAt") {
            never if never.is_empty() => "never".to_owned(),
            at => format!("{} ago", since(&at, now)),
        };
        [text(key, "keyId"), text(key, "principal"), text(key, "name"), short(&scope(key), 60), state, used]
    };
    print(args.json, keys, &["key", "principal", "name", "may", "state", "last use"], row, "no key");
    Ok(())
}

/// What a key is narrowed to.
fn scope(key: &Value) -> String {
    let rights = list(key, "right");
    let mut scope = if rights.is_empty() { "all of its principal".to_owned() } else { rights };
    for (name, word) in [("group", " in "), ("path", " below ")] {
        let narrowed = list(key, name);
        if !narrowed.is_empty() {
            scope.push_str(word);
            scope.push_str(&narrowed);
        }
    }
    scope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_may_do_is_told_in_one_line() {
        for (key, told) in [
            (json!({"right": []}), "all of its principal"),
            (json!({"right": ["device.read", "task.*"], "group": ["g", "h"]}), "device.read, task.* in g, h"),
            (json!({"path": ["./Vendor"]}), "all of its principal below ./Vendor"),
        ] {
            assert_eq!(scope(&key), told);
        }
    }

    #[test]
    fn an_end_is_told_to_the_second() {
        let now = "2026-11-21T06:06:00.5Z".parse().expect("a time");
        assert_eq!(end_after(10, now).expect("a day of the calendar"), "2026-12-01T06:06:00Z");
        assert!(end_after(i64::MAX, now).is_err());
    }
}
