use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::listing::{print, since, until};
use crate::show::short;
use crate::soap_client::{CallError, SoapClient};

/// Looks after what External Systems are told: which addresses they may name, what waits, and what was given up.
///
/// Without a command it lists the receivers: what waits for each, since when, and why it was not taken.
///
/// The user needs rights of callback: callback.read to look, callback.create to allow an address, callback.replay to
/// deliver dead letters again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…                       as `muster serve` printed it at its first start
  muster callbacks                               every receiver: what waits, since when, and why
  muster callbacks allow https://crm.example/hooks --owner crm
                                                 crm may have anything below /hooks told, over SOAP
  muster callbacks allow https://crm.example/web --webhook
                                                 signed JSON; prints the secret once
  muster callbacks addresses                     the addresses that are allowed
  muster callbacks dead                          what was given up, and why
  muster callbacks replay --address a-…          delivers the dead letters of an address again
  muster callbacks replay e-… e-…                delivers these again";

/// How a list is printed, and where the server is.
#[derive(Debug, clap::Args)]
struct List {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the addresses that are allowed.
    Addresses(List),
    /// Allows an address, with everything below its path.
    Allow {
        /// Scheme, host, port and beginning of the path, for example `https://crm.example/hooks`.
        address: String,
        /// Signed JSON instead of SOAP.
        #[arg(long)]
        webhook: bool,
        /// Who may use it; every caller of the domain when left out.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// The address may lead into a private network.
        #[arg(long)]
        private: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Lists what was given up, newest first.
    Dead {
        /// Only of this callback address.
        #[arg(long, value_name = "ID")]
        address: Option<String>,
        #[command(flatten)]
        list: List,
    },
    /// Delivers dead letters again.
    Replay {
        /// Events, as `muster callbacks dead` lists them.
        #[arg(value_name = "EVENT", required_unless_present = "address")]
        events: Vec<String>,
        /// All of this callback address.
        #[arg(long, value_name = "ID", conflicts_with = "events")]
        address: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        match &args.command {
            None => receivers(&args.list).await,
            Some(Command::Addresses(list)) => addresses(list).await,
            Some(Command::Allow { address, webhook, owner, private, connection }) => {
                let kind = if *webhook { "WEBHOOK" } else { "SOAP" };
                let mut given = json!({"address": address, "kind": kind, "allowPrivate": private});
                if let (Some(owner), Some(given)) = (owner, given.as_object_mut()) {
                    given.insert("owner".to_owned(), json!(owner));
                }
                allow(&connection.client()?, given).await
            }
            Some(Command::Dead { address, list }) => dead(address.as_deref(), list).await,
            Some(Command::Replay { events, address, connection }) => {
                replay(&connection.client()?, events, address.as_deref()).await
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn receivers(list: &List) -> anyhow::Result<()> {
    let now = jiff::Timestamp::now();
    let rows = all(&list.connection.client()?, "getCallbackQueues", Map::new(), "callbackQueue").await?;
    let row = |queue: &Value| {
        let failed = queue.get("failedAttempts").and_then(Value::as_i64).unwrap_or_default();
        let waiting = queue.get("waiting").and_then(Value::as_i64).unwrap_or_default();
        let state = match (text(queue, "endedAt"), failed, waiting) {
            (ended, ..) if !ended.is_empty() => "gone".to_owned(),
            (_, 0, 0) => "idle".to_owned(),
            (_, 0, _) => "delivering".to_owned(),
            (_, failed, _) => format!("failed {failed}×"),
        };
        let next = text(queue, "nextAttemptAt");
        [
            text(queue, "address").to_owned(),
            state,
            waiting.to_string(),
            since(text(queue, "waitingSince"), now),
            if failed > 0 { until(next, now) } else { String::new() },
            queue.get("deliveredCount").and_then(Value::as_i64).unwrap_or_default().to_string(),
            short(text(queue, "lastError"), 60),
        ]
    };
    print(
        list.json,
        rows,
        &["receiver", "state", "waiting", "lag", "next", "delivered", "last error"],
        row,
        "no receiver",
    );
    Ok(())
}

async fn addresses(list: &List) -> anyhow::Result<()> {
    let rows = all(&list.connection.client()?, "getCallbackAddresses", Map::new(), "callbackAddress").await?;
    let is_so = |address: &Value, name: &str| address.get(name).and_then(Value::as_bool).unwrap_or_default();
    let row = |address: &Value| {
        let networks = if is_so(address, "allowPrivate") { "private too" } else { "public" };
        let owner = text(address, "owner");
        [
            text(address, "callbackAddressId").to_owned(),
            text(address, "kind").to_owned(),
            if owner.is_empty() { "everybody" } else { owner }.to_owned(),
            networks.to_owned(),
            if is_so(address, "enabled") { "yes" } else { "no" }.to_owned(),
            text(address, "address").to_owned(),
        ]
    };
    print(list.json, rows, &["id", "kind", "owner", "networks", "in use", "address"], row, "no address is allowed");
    Ok(())
}

async fn dead(address: Option<&str>, list: &List) -> anyhow::Result<()> {
    let mut arguments = Map::new();
    arguments.extend(address.map(|address| ("callbackAddressId".to_owned(), json!(address))));
    let rows = all(&list.connection.client()?, "getDeadLetters", arguments, "deadLetter").await?;
    let row = |letter: &Value| {
        let event = letter.get("event").cloned().unwrap_or_default();
        let about = [text(&event, "taskId"), text(&event, "jobId")].into_iter().find(|id| !id.is_empty());
        let what = about.map_or_else(|| "an answer".to_owned(), |id| format!("{id} {}", text(&event, "status")));
        [
            text(letter, "eventId").to_owned(),
            text(letter, "diedAt").to_owned(),
            text(letter, "address").to_owned(),
            what,
            short(text(letter, "reason"), 60),
        ]
    };
    print(list.json, rows, &["event", "given up", "receiver", "about", "why"], row, "nothing was given up");
    Ok(())
}

async fn allow(client: &SoapClient, given: Value) -> anyhow::Result<()> {
    let arguments = json!({"callbackAddress": given});
    let made = client.call("createCallbackAddress", arguments).await.map_err(CallError::told)?;
    println!("{} is allowed as {}", text(&made, "address"), text(&made, "callbackAddressId"));
    let secret = text(&made, "secret");
    if !secret.is_empty() {
        println!("secret  {secret}   (printed once)");
    }
    Ok(())
}

async fn replay(client: &SoapClient, events: &[String], address: Option<&str>) -> anyhow::Result<()> {
    let mut arguments = json!({"eventId": events});
    if let (Some(address), Some(arguments)) = (address, arguments.as_object_mut()) {
        arguments.insert("callbackAddressId".to_owned(), json!(address));
    }
    let mut replayed = 0;
    loop {
        let receipt = client.call("replayDeadLetters", arguments.clone()).await.map_err(CallError::told)?;
        let more = receipt.get("replayedCount").and_then(Value::as_i64).unwrap_or_default();
        replayed += more;
        // The server takes so many at once; those named are at most that many.
        if more < 1000 || address.is_none() {
            break;
        }
    }
    println!("{replayed} will be delivered again");
    Ok(())
}

/// Every entry of a list that comes in pages.
async fn all(
    client: &SoapClient,
    operation: &str,
    mut arguments: Map<String, Value>,
    entries: &str,
) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let answer = client.call(operation, Value::Object(arguments.clone())).await.map_err(CallError::told)?;
        all.extend(answer.get(entries).and_then(Value::as_array).context("the server sent no list")?.iter().cloned());
        match answer.get("nextPageToken").and_then(Value::as_str) {
            Some(token) => drop(arguments.insert("page".to_owned(), json!({"pageSize": 1000, "pageToken": token}))),
            None => return Ok(all),
        }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
