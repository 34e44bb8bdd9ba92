//! Answers for people: lists as tables, records as lines of name and value, both in the order of the contract.

use std::io::IsTerminal as _;

use muster_northbound::contract::{FieldDescriptor, Kind};
use serde_json::{Map, Value};

use crate::show::{Table, short};

/// Widest cell on a terminal, and elsewhere.
const CELL: (usize, usize) = (40, 80);

/// Prints an answer of a given type.
pub(super) fn print(answer: &Value, kind: Option<Kind>) {
    match answer {
        Value::Null => println!("done"),
        Value::Object(record) => print_record(record, fields(kind)),
        other => println!("{}", plain(other)),
    }
}

fn fields(kind: Option<Kind>) -> &'static [FieldDescriptor] {
    match kind {
        Some(Kind::Record(record)) => record.fields,
        _ => &[],
    }
}

fn print_record(record: &Map<String, Value>, fields: &'static [FieldDescriptor]) {
    let mut simple = Table::new(&["field", "value"]);
    for field in fields {
        match record.get(field.name) {
            Some(Value::Array(items)) if items.iter().any(Value::is_object) => {
                println!("{}", field.name);
                println!("{}", rows(items, self::fields(Some(field.kind))));
            }
            Some(value) => simple.row([field.name.to_owned(), plain(value)]),
            None => {}
        }
    }
    print!("{simple}");
}

/// Columns that no row has a value in are left out.
fn rows(items: &[Value], fields: &[FieldDescriptor]) -> Table {
    let has_value = |name: &&str| items.iter().any(|item| item.get(name).is_some_and(|it| !is_empty(it)));
    let columns: Vec<&str> = fields.iter().map(|field| field.name).filter(has_value).collect();
    let width = if std::io::stdout().is_terminal() { CELL.0 } else { CELL.1 };
    let mut table = Table::new(&columns);
    for item in items {
        table.row(columns.iter().map(|column| item.get(column).map_or(String::new(), |it| cell(it, width))));
    }
    table
}

/// A list of records that is too long for a cell is told by its length; the whole is in the answer about one thing.
fn cell(value: &Value, width: usize) -> String {
    let text = plain(value);
    match value {
        _ if is_empty(value) => String::new(),
        Value::Array(items) if text.chars().count() > width && items.iter().any(Value::is_object) => {
            format!("{} entries", items.len())
        }
        _ => short(&text, width),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        empty if is_empty(empty) => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let parts = fields.iter().filter(|(_, value)| !is_empty(value));
            parts.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
