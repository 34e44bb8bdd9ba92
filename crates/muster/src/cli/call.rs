use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use muster_northbound::contract::{self, Cardinality, FieldDescriptor, Kind};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::show::{Table, short};
use crate::soap_client::{CallError, SoapClient};

/// Calls an operation of the WSI. Without an operation it lists them; with --explain it tells its parameters.
///
/// Parameters are given by name, `--set name=value` for simple ones, or as a JSON object with --args ('@file' reads a
/// file, '-' standard input). The user is authenticated by HTTP Basic, so no login is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Operation, for example getTasks.
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
    /// Address of the WSI.
    #[arg(long, env = "MUSTER_URL", value_name = "URL", default_value = "http://127.0.0.1:8080/wsi")]
    url: String,
    /// User or External System.
    #[arg(long, env = "MUSTER_USER", default_value = "admin")]
    user: String,
    /// Password; better given by the environment, where other users of this machine do not see it.
    #[arg(long, env = "MUSTER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Certificate to trust besides those of the system (PEM), for example self-signed.crt of the data folder.
    #[arg(long, env = "MUSTER_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
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
  muster call getTaskHistory --set taskId=… --json";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(operation) = args.operation.as_deref() else {
        list(args.json);
        return Ok(ExitCode::SUCCESS);
    };
    if args.explain {
        explain(operation)?;
        return Ok(ExitCode::SUCCESS);
    }
    let arguments = arguments(args.args.as_deref(), &args.set)?;
    let password = args.password.clone().context("give the password by MUSTER_PASSWORD or --password")?;
    let client = SoapClient::new(&args.url, args.trust.as_deref())?.with_basic(&args.user, &password);
    match super::runtime()?.block_on(client.call(operation, arguments)) {
        Ok(answer) => {
            print(&answer, args.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(CallError::Fault { detail, .. }) if args.json => {
            println!("{}", serde_json::json!({ "fault": detail }));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn list(json: bool) {
    if json {
        let names: Vec<_> = contract::operations()
            .iter()
            .map(|it| serde_json::json!({"operation": it.name, "portType": it.port_type}))
            .collect();
        println!("{}", Value::from(names));
        return;
    }
    let mut table = Table::new(&["operation", "port type", "parameters"]);
    for it in contract::operations() {
        let fields: Vec<&str> = it.fields.iter().map(|field| field.name).filter(|it| *it != "userSession").collect();
        table.row([it.name.to_owned(), it.port_type.to_owned(), short(&fields.join(", "), 70)]);
    }
    print!("{table}");
}

fn explain(operation: &str) -> anyhow::Result<()> {
    let operation = operation_named(operation)?;
    println!("{}  {}", operation.name, operation.about);
    println!();
    let mut table = Table::new(&["parameter", "type", "occurs", "meaning"]);
    describe(&mut table, operation.fields, 0);
    print!("{table}");
    if let Some(result) = &operation.result {
        println!();
        println!("Answer: {} ({})", result.name, result.kind.name());
    }
    println!();
    println!("Example: muster call {}{}", operation.name, example(operation.fields, ""));
    Ok(())
}

/// Whatever must be given, as `--set` takes it.
fn example(fields: &[FieldDescriptor], within: &str) -> String {
    let must = |field: &&FieldDescriptor| matches!(field.cardinality, Cardinality::One | Cardinality::Some);
    let mut text = String::new();
    for field in fields.iter().filter(|field| field.name != "userSession").filter(must) {
        let name = format!("{within}{}", field.name);
        match field.kind {
            Kind::Record(record) => text.push_str(&example(record.fields, &format!("{name}."))),
            Kind::Named(named) if !named.values.is_empty() => {
                let value = named.values.first().copied().unwrap_or_default();
                text.push_str(&format!(" --set {name}={value}"));
            }
            kind if kind.name() == "xs:boolean" => text.push_str(&format!(" --set {name}=false")),
            _ => text.push_str(&format!(" --set {name}=…")),
        }
    }
    text
}

fn operation_named(name: &str) -> anyhow::Result<&'static contract::OperationDescriptor> {
    let found = contract::Operation::parse(name).map(contract::Operation::descriptor);
    found.with_context(|| format!("there is no operation {name}; `muster call` alone lists them"))
}

/// A row for each field, those of records below theirs.
fn describe(table: &mut Table, fields: &[FieldDescriptor], level: usize) {
    const LEVELS_MAX: usize = 4;
    for field in fields.iter().filter(|field| field.name != "userSession") {
        let occurs = match field.cardinality {
            Cardinality::One => "1",
            Cardinality::Optional => "0..1",
            Cardinality::Many => "0..n",
            Cardinality::Some => "1..n",
        };
        let values = match field.kind {
            Kind::Named(named) if !named.values.is_empty() => format!(" ({})", named.values.join(", ")),
            _ => String::new(),
        };
        let name = format!("{}{}", "  ".repeat(level), field.name);
        table.row([name, field.kind.name().to_owned(), occurs.to_owned(), format!("{}{values}", field.about)]);
        if let Kind::Record(record) = field.kind
            && level < LEVELS_MAX
        {
            describe(table, record.fields, level + 1);
        }
    }
}

fn arguments(given: Option<&str>, set: &[String]) -> anyhow::Result<Value> {
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
    let mut arguments: Map<String, Value> = serde_json::from_str(&text).context("parameters are a JSON object")?;
    let mut simple = Map::new();
    for pair in set {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair}: write NAME=VALUE"))?;
        put(&mut simple, name, value)?;
    }
    lay_over(&mut arguments, simple);
    Ok(Value::Object(arguments))
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

/// Lists as tables, records as lines of name and value.
fn print(answer: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{answer}");
        return Ok(());
    }
    match answer {
        Value::Null => println!("done"),
        Value::Object(fields) => print_record(fields),
        Value::String(text) => println!("{text}"),
        other => println!("{other}"),
    }
    Ok(())
}

fn print_record(fields: &Map<String, Value>) {
    let mut simple = Table::new(&["field", "value"]);
    let mut lists = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => lists.push((name, items)),
            other => simple.row([name.clone(), plain(other)]),
        }
    }
    for (name, items) in &lists {
        println!("{name}");
        print!("{}", rows(items));
        println!();
    }
    print!("{simple}");
}

/// Columns that no row has a value in are left out.
fn rows(items: &[Value]) -> Table {
    let mut columns: Vec<&str> = Vec::new();
    for (field, value) in items.iter().filter_map(Value::as_object).flatten() {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty && !columns.contains(&field.as_str()) {
            columns.push(field);
        }
    }
    let width = if std::io::stdout().is_terminal() { 40 } else { 80 };
    let mut table = Table::new(&columns);
    for item in items {
        table.row(columns.iter().map(|column| item.get(*column).map_or(String::new(), |it| short(&plain(it), width))));
    }
    table
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let parts = fields.iter().filter(|(_, value)| !value.is_null());
            parts.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
