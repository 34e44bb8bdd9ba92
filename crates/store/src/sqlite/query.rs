//! Short forms for statements, which are all prepared once for each connection, and for lists in pages.

use muster_broker::page::{Listed, Page};
use rusqlite::types::Value;
use rusqlite::{Connection, Params, params_from_iter};

use super::rows::{Cells, Done, Failure};

/// Runs a statement; gives the number of rows it changed.
pub(super) fn run(connection: &Connection, sql: &str, params: impl Params) -> Done<usize> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// The first row.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Cells<'_>) -> Done<T>,
) -> Done<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(&mut Cells::new(row))).transpose()
}

/// Every row.
pub(super) fn many<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&mut Cells<'_>) -> Done<T>,
) -> Done<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&mut Cells::new(row))?);
    }
    Ok(found)
}

/// Conditions with their values, all of which must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Where {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    /// Adds a condition with as many values as it has question marks.
    pub(super) fn and(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    /// Adds `column = value` where a value is given.
    pub(super) fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.and(format!("{column} = ?"), [Value::from(value.to_owned())]);
        }
    }

    /// Adds `column IN (numbers)` unless there are none. Numbers are written out: they are few and ours.
    pub(super) fn among(&mut self, column: &str, numbers: impl IntoIterator<Item = i64>) {
        let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
        if !numbers.is_empty() {
            self.and(format!("{column} IN ({})", numbers.join(", ")), []);
        }
    }

    fn sql(&self) -> String {
        if self.conditions.is_empty() { "1".into() } else { self.conditions.join(" AND ") }
    }

    /// Rows that match.
    pub(super) fn count(&self, connection: &Connection, from: &str) -> Done<u64> {
        let sql = format!("SELECT count(*) FROM {from} WHERE {}", self.sql());
        let count: i64 =
            connection.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Up to `limit` rows that match, in `order`.
    pub(super) fn select<T>(
        &self,
        connection: &Connection,
        columns: &str,
        from: &str,
        order: &str,
        limit: u32,
        read: impl FnMut(&mut Cells<'_>) -> Done<T>,
    ) -> Done<Vec<T>> {
        let sql = format!("SELECT {columns} FROM {from} WHERE {} ORDER BY {order} LIMIT {limit}", self.sql());
        many(connection, &sql, params_from_iter(&self.values), read)
    }
}

/// One row more than a page has, to know whether more follow.
pub(super) fn one_more(page: &Page) -> u32 {
    page.size.saturating_add(1)
}

/// A page from up to [`one_more`] rows.
pub(super) fn listed<T>(mut items: Vec<T>, page: &Page, total: u64, key: impl Fn(&T) -> String) -> Listed<T> {
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let has_more = items.len() > size;
    items.truncate(size);
    let next = if has_more { items.last().map(key) } else { None };
    Listed { items, total, next }
}

/// The failure for a page key that this store has not made.
pub(super) fn foreign_key() -> Failure {
    Failure::Broken("the page key was not made by this list".into())
}
