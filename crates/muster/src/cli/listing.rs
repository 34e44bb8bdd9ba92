//! Lists that come in pages, and the fields of their records.

use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use crate::show::Table;
use crate::soap_client::{CallError, SoapClient};

/// Every entry of a list, page by page.
pub(super) async fn pages(
    client: &SoapClient,
    operation: &str,
    mut arguments: Value,
    entries: &str,
) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let answer = client.call(operation, arguments.clone()).await.map_err(CallError::told)?;
        all.extend(answer.get(entries).and_then(Value::as_array).cloned().unwrap_or_default());
        match (text(&answer, "nextPageToken"), arguments.as_object_mut()) {
            (token, Some(arguments)) if !token.is_empty() => {
                arguments.insert("page".to_owned(), json!({"pageToken": token}));
            }
            _ => return Ok(all),
        }
    }
}

/// Entries of a long list that are shown unless more are asked for: about a screen.
const SHOWN: u16 = 50;

/// How much of a list that may be very long is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Extent {
    /// Only what this expression of the filter language admits, for example 'status in (RUNNING, PAUSED)'.
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Shows at most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = SHOWN, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

impl Default for Extent {
    fn default() -> Self {
        Self { filter: None, limit: SHOWN }
    }
}

impl Extent {
    /// Whether an expression says what is wanted.
    pub(super) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// The first entries of a list, and how many more there are.
    pub(super) async fn first(
        &self,
        client: &SoapClient,
        operation: &str,
        mut arguments: Value,
        entries: &str,
    ) -> anyhow::Result<(Vec<Value>, i64)> {
        if let Some(arguments) = arguments.as_object_mut() {
            arguments.insert("page".to_owned(), json!({"pageSize": self.limit}));
            arguments.insert("filterExpression".to_owned(), json!(self.filter));
        }
        let answer = client.call(operation, arguments).await.map_err(CallError::told)?;
        let shown = answer.get(entries).and_then(Value::as_array).cloned().unwrap_or_default();
        let more = number(&answer, "totalCount").saturating_sub(i64::try_from(shown.len()).unwrap_or(i64::MAX));
        Ok((shown, more))
    }
}

/// Takes the names of the contract for the values of an enumeration, which shells complete.
pub(super) fn names<T>(names: &[(&'static str, T)]) -> PossibleValuesParser {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name))
}

/// Says below a table that the list goes on.
pub(super) fn print_more(json: bool, more: i64) {
    if !json && more > 0 {
        println!("… and {more} more; --limit and --filter say which");
    }
}

/// A field as text; nothing where it is left out.
pub(super) fn text(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field as a number; 0 where it is left out.
pub(super) fn number(record: &Value, name: &str) -> i64 {
    record.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Parameters by name, without those that are not given.
pub(super) fn parameters<const N: usize>(given: [(&str, Option<&str>); N]) -> Value {
    let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    Value::Object(given.collect())
}

/// Prints records, as JSON or as a table with a row for each.
pub(super) fn print<const N: usize>(
    json: bool,
    records: Vec<Value>,
    headings: &[&str; N],
    row: impl Fn(&Value) -> [String; N],
    nothing: &str,
) {
    if json {
        println!("{}", Value::from(records));
    } else if records.is_empty() {
        println!("{nothing}");
    } else {
        let mut table = Table::new(headings);
        records.iter().for_each(|record| table.row(row(record)));
        print!("{table}");
    }
}

/// Prints one record, as JSON or with a line for each field that it has.
pub(super) fn print_one(json: bool, record: &Value) {
    if json {
        println!("{record}");
        return;
    }
    let mut table = Table::new(&["field", "value"]);
    for (name, value) in record.as_object().unwrap_or(&Map::new()) {
        match value {
            Value::Array(entries) => entries.iter().for_each(|entry| table.row([name.clone(), plain(entry)])),
            value => table.row([name.clone(), plain(value)]),
        }
    }
    print!("{table}");
}

/// Tells that something without an answer is done: in words, or as `muster call --json` does.
pub(super) fn print_done(json: bool, words: &str) {
    println!("{}", if json { "null" } else { words });
}

/// The entries of a field that repeats, with commas between them.
pub(super) fn list(record: &Value, name: &str) -> String {
    let entries = record.get(name).and_then(Value::as_array).into_iter().flatten();
    entries.map(plain).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let is_there = |value: &&Value| !value.as_array().is_some_and(Vec::is_empty);
            let parts = fields.iter().filter(|(_, value)| is_there(value));
            parts.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
        }
        Value::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// How long ago a time was.
pub(super) fn since(at: &str, now: jiff::Timestamp) -> String {
    at.parse::<jiff::Timestamp>().map(|at| span(now.as_second() - at.as_second())).unwrap_or_default()
}

/// How long it is until a time.
pub(super) fn until(at: &str, now: jiff::Timestamp) -> String {
    at.parse::<jiff::Timestamp>().map(|at| format!("in {}", span(at.as_second() - now.as_second()))).unwrap_or_default()
}

/// Seconds in the two largest units.
fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        let told = [-1, 0, 59, 60, 3599, 3600, 86_399, 86_400, 90_061].map(span);
        assert_eq!(
            told,
            ["0 s", "0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "1 d 1 h"]
        );
    }
}
