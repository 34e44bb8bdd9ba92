//! What operations there are, and what each takes.

use anyhow::Context as _;
use muster_northbound::contract::{self, Cardinality, FieldDescriptor, Kind};
use serde_json::Value;

use crate::show::{Table, short};

pub(super) fn list(json: bool) {
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

pub(super) fn explain(operation: &str) -> anyhow::Result<()> {
    let operation = operation_named(operation)?.descriptor();
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
    let mut text = String::new();
    for field in fields.iter().filter(|field| field.name != "userSession" && field.cardinality.is_required()) {
        let name = format!("{within}{}", field.name);
        let value = match field.kind {
            Kind::Record(record) => {
                text.push_str(&example_of(record.fields, &format!("{name}.")));
                continue;
            }
            Kind::Named(named) => named.values.first().copied().unwrap_or("…"),
            Kind::BuiltIn("xs:boolean") => "false",
            Kind::BuiltIn(_) => "…",
        };
        text.push_str(&format!(" --set {name}={value}"));
    }
    text
}

/// A record that must be given must have something in it, though no single field must.
fn example_of(fields: &[FieldDescriptor], within: &str) -> String {
    let text = example(fields, within);
    // The server makes the object identifier.
    let first = fields.iter().find(|field| field.name != "oid" && !matches!(field.kind, Kind::Record(_)));
    match first {
        Some(first) if text.is_empty() => format!(" --set {within}{}=…", first.name),
        _ => text,
    }
}

pub(super) fn operation_named(name: &str) -> anyhow::Result<contract::Operation> {
    contract::Operation::parse(name)
        .with_context(|| format!("there is no operation {name}; `muster call` alone lists them"))
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
