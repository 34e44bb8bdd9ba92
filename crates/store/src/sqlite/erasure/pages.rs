//! Looking through a table in the order of its key.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::sqlite::query::{many, run};
use crate::sqlite::rows::{Cells, Done};

/// A table with the columns that are looked at. Its key may be the number that SQLite gives each row.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [&'static str],
}

/// A row: its key and the columns that are looked at.
pub(super) struct Row {
    key: Vec<Value>,
    cells: Vec<Value>,
}

/// A column and what is written there; nothing where it is to be empty.
pub(super) type Change = (&'static str, Option<String>);

/// A value of a key, as the place of an erasure is kept.
#[derive(Deserialize, Serialize)]
enum Part {
    Integer(i64),
    Text(String),
    Octets(Vec<u8>),
}

impl Row {
    /// The text of a column.
    pub(super) fn text(&self, column: usize) -> Option<&str> {
        match self.cells.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The number of a column; 0 where it has none.
    pub(super) fn integer(&self, column: usize) -> i64 {
        match self.cells.get(column) {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        }
    }

    /// The octets of a column.
    pub(super) fn octets(&self, column: usize) -> &[u8] {
        match self.cells.get(column) {
            Some(Value::Blob(octets)) => octets,
            _ => &[],
        }
    }

    /// Its place in the table, as text.
    pub(super) fn place(&self) -> Done<String> {
        let part = |value: &Value| match value {
            Value::Integer(number) => Part::Integer(*number),
            Value::Text(text) => Part::Text(text.clone()),
            Value::Blob(octets) => Part::Octets(octets.clone()),
            // No key of ours has other values.
            Value::Null | Value::Real(_) => Part::Integer(0),
        };
        Ok(serde_json::to_string(&self.key.iter().map(part).collect::<Vec<_>>())?)
    }
}

fn key_at(place: &str) -> Done<Vec<Value>> {
    let value = |part| match part {
        Part::Integer(number) => Value::Integer(number),
        Part::Text(text) => Value::Text(text),
        Part::Octets(octets) => Value::Blob(octets),
    };
    Ok(serde_json::from_str::<Vec<Part>>(place)?.into_iter().map(value).collect())
}

impl Table {
    /// The next rows after a place.
    pub(super) fn page(&self, connection: &Connection, after: Option<&str>, limit: u32) -> Done<Vec<Row>> {
        let after = after.map(key_at).transpose()?;
        let condition = if after.is_some() { format!("({}) > ({})", self.keys(), self.marks()) } else { "1".into() };
        let sql = format!(
            "SELECT {keys}, {} FROM {} WHERE {condition} ORDER BY {keys} LIMIT {limit}",
            self.columns.join(", "),
            self.name,
            keys = self.keys(),
        );
        many(connection, &sql, params_from_iter(after.into_iter().flatten()), |cells| self.row(cells))
    }

    /// The row with this key.
    pub(super) fn row_at(&self, connection: &Connection, key: &[Value]) -> Done<Option<Row>> {
        let sql = format!(
            "SELECT {keys}, {} FROM {} WHERE ({keys}) = ({})",
            self.columns.join(", "),
            self.name,
            self.marks(),
            keys = self.keys(),
        );
        Ok(many(connection, &sql, params_from_iter(key), |cells| self.row(cells))?.pop())
    }

    /// Writes some columns of a row.
    pub(super) fn change(&self, connection: &Connection, row: &Row, changes: &[Change]) -> Done<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let columns: Vec<String> = changes.iter().map(|(column, _)| format!("{column} = ?")).collect();
        let sql =
            format!("UPDATE {} SET {} WHERE ({}) = ({})", self.name, columns.join(", "), self.keys(), self.marks());
        let values = changes.iter().map(|(_, value)| value.clone().map_or(Value::Null, Value::Text));
        run(connection, &sql, params_from_iter(values.chain(row.key.iter().cloned())))?;
        Ok(())
    }

    /// Deletes a row.
    pub(super) fn delete(&self, connection: &Connection, row: &Row) -> Done<()> {
        let sql = format!("DELETE FROM {} WHERE ({}) = ({})", self.name, self.keys(), self.marks());
        run(connection, &sql, params_from_iter(&row.key))?;
        Ok(())
    }

    fn row(&self, cells: &mut Cells<'_>) -> Done<Row> {
        let take = |cells: &mut Cells<'_>, count: usize| (0..count).map(|_| cells.get()).collect::<Done<Vec<Value>>>();
        Ok(Row { key: take(cells, self.key.len())?, cells: take(cells, self.columns.len())? })
    }

    fn keys(&self) -> String {
        self.key.join(", ")
    }

    fn marks(&self) -> String {
        vec!["?"; self.key.len()].join(", ")
    }
}
