mod answer;
mod explain;

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use muster_broker::fault::FaultName;
use muster_northbound::contract::{self, Operation};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::connection::Connection;
use crate::soap_client::CallError;

/// Calls an operation of the WSI. Without an operation it lists them; with --explain it tells its parameters.
///
/// Parameters are given by name, `--set name=value` for simple ones, or as a JSON object with --args ('@file' reads a
/// file, '-' standard input). Each call shows who asks, by a password, an API key, a client certificate or a session, so
/// no login is needed; `login` itself takes --user and MUSTER_PASSWORD unless it is given a userName.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Operation, for example getTasks.
    #[arg(value_parser = OperationName, hide_possible_values = true)]
    operation: Option<String>,
    /// Tells the operation's parameters.
    #[arg(long)]
    explain: bool,
    /// Parameters as a JSON object, '@file', or '-'.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// One simple parameter; parts of structures are reached by dots (page.pageSize=10), and a name given again makes a
    /// list (--set status=RUNNING --set status=PAUSED). Counts before --args.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// Asks over REST instead of SOAP; answers and faults are the same.
    #[arg(long)]
    rest: bool,
    /// Prints the answer, or the fault, as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster call                                    every operation
  muster call doOperation --explain              what it takes, with an example
  export MUSTER_PASSWORD=…                       as `muster serve` printed it at its first start
  muster call getServiceInfo
  muster call getJobs --set status=RUNNING --set page.pageSize=10
  muster call importDeviceInstances --args @fleet.json
  muster call getTaskHistory --set taskId=… --json
  muster call getDeviceInstances --rest --set filter.model=M1
  muster call getTasks --key-file billing.key    with an API key, see `muster keys`
  muster call login --json > session.json        once, and then
  muster call getJobs --session-file session.json
  MUSTER_URL=https://dm.example.org/wsi muster call getOwnRights \\
          --client-certificate crm.crt --client-key crm.key";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(operation) = args.operation.as_deref() else {
        explain::list(args.json);
        return Ok(ExitCode::SUCCESS);
    };
    if args.explain {
        explain::explain(operation)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut parameters = parameters(args.args.as_deref(), &args.set)?;
    let operation = explain::operation_named(operation)?;
    if operation == Operation::Login {
        args.connection.fill_login(&mut parameters);
    }
    match super::runtime()?.block_on(call(args, operation, Value::Object(parameters))) {
        Ok(answer) => {
            let result = operation.descriptor().result.as_ref();
            if args.json {
                println!("{answer}");
            } else {
                answer::print(&answer, result.map(|it| it.kind));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(CallError::Fault { detail, .. }) if args.json => {
            println!("{}", serde_json::json!({ "fault": detail }));
            Ok(ExitCode::FAILURE)
        }
        Err(CallError::Fault { name, message_id, text, .. }) if is_about_parameters(&name) => {
            let name_of = operation.descriptor().name;
            anyhow::bail!("{message_id} {name}: {text}; `muster call {name_of} --explain` tells what it takes")
        }
        Err(error) => Err(error.into()),
    }
}

async fn call(args: &Args, operation: Operation, parameters: Value) -> Result<Value, CallError> {
    let connection = &args.connection;
    // Who logs in shows nothing yet.
    let is_login = operation == Operation::Login;
    if args.rest {
        let client = if is_login { connection.rest_stranger()? } else { connection.rest_client()? };
        return client.call(operation, &parameters).await;
    }
    let client = if is_login { connection.stranger()? } else { connection.client()? };
    client.call(operation.descriptor().name, parameters).await
}

/// Whether a fault is for who does not know the parameters.
fn is_about_parameters(name: &str) -> bool {
    [FaultName::InvalidArgument, FaultName::MissingArgument].iter().any(|it| it.as_str() == name)
}

/// Reads the name of an operation. Every text is taken, for what is wrong with it is told later and better; shells complete
/// the names that there are.
#[derive(Clone)]
struct OperationName;

impl TypedValueParser for OperationName {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(contract::operations().iter().map(|operation| PossibleValue::new(operation.name))))
    }
}

fn parameters(given: Option<&str>, set: &[String]) -> anyhow::Result<Map<String, Value>> {
    let text = match given {
        None => "{}".to_owned(),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read parameters from standard input")?;
            text
        }
        Some(given) => match given.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?,
            None => given.to_owned(),
        },
    };
    let mut parameters: Map<String, Value> = serde_json::from_str(&text).context("parameters are a JSON object")?;
    let mut simple = Map::new();
    for pair in set {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair}: write NAME=VALUE"))?;
        put(&mut simple, name, value)?;
    }
    lay_over(&mut parameters, simple);
    Ok(parameters)
}

/// What is set by name counts before what the JSON object has there.
fn lay_over(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (name, value) in above {
        match (below.get_mut(&name), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_over(below, above),
            (_, value) => drop(below.insert(name, value)),
        }
    }
}

/// Values are given as text; the contract's types read them. A name given again makes a list.
fn put(into: &mut Map<String, Value>, name: &str, value: &str) -> anyhow::Result<()> {
    match name.split_once('.') {
        None => {
            match into.entry(name) {
                Entry::Vacant(place) => drop(place.insert(Value::from(value))),
                Entry::Occupied(mut given) => match given.get_mut() {
                    Value::Array(values) => values.push(Value::from(value)),
                    first => *first = Value::from(vec![first.take(), Value::from(value)]),
                },
            }
            Ok(())
        }
        Some((outer, inner)) => {
            let nested = into.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            let nested = nested.as_object_mut().with_context(|| format!("{outer} is given twice, in two shapes"))?;
            put(nested, inner, value)
        }
    }
}
