//! The list of subscribers.

use muster_broker::filter::{Comparison, Filter, SubscriberField, Test, Value as Given};
use muster_broker::page::Page;
use muster_broker::store::SubscriberFilter;
use muster_broker::subscriber::Subscriber;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::query::{many, one_more};
use super::super::rows::Done;
use super::super::subscribers::{COLUMNS, read};
use super::condition::{Sql, as_is, condition, plain, test};
use super::{Keys, at_most, few, number};

/// Subscribers of a domain that match, by identifier: how many there are, and those of a page with one more.
pub(in super::super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &SubscriberFilter,
    page: &Page,
) -> Done<(u64, Vec<Subscriber>)> {
    let list = List { connection, tenant, page };
    let account = filter.account_reference.clone().map(Given::Text);
    let account = account.map(|account| Filter::equal(SubscriberField::AccountReference, account));
    let parts: Vec<_> = account.into_iter().chain(filter.expression.clone()).collect();
    let length = list.length()?;
    if parts.is_empty() {
        return Ok((length, list.in_order(None)?));
    }
    let filter = Filter::all(parts);
    match list.keys(&filter, few(length))? {
        Some(keys) => list.by_keys(&filter, &keys),
        None => Ok((list.count(&filter, length)?, list.in_order(Some(&filter))?)),
    }
}

/// A test as a condition on `subscriber s`.
fn leaf(field: &SubscriberField, asked: &Test) -> Sql {
    match field {
        SubscriberField::SubscriberId | SubscriberField::OptIn => plain(column(field), asked, &as_is),
        SubscriberField::PhoneNumber | SubscriberField::Imsi | SubscriberField::AccountReference => {
            test(column(field), asked, &as_is)
        }
    }
}

fn column(field: &SubscriberField) -> &'static str {
    match field {
        SubscriberField::SubscriberId => "s.id",
        SubscriberField::PhoneNumber => "s.phone_number",
        SubscriberField::Imsi => "s.imsi",
        SubscriberField::AccountReference => "s.account_reference",
        SubscriberField::OptIn => "s.opt_in",
    }
}

/// The index that has the field in its order.
fn source(field: &SubscriberField) -> &'static str {
    match field {
        SubscriberField::SubscriberId => "subscriber s",
        SubscriberField::PhoneNumber => "subscriber s INDEXED BY subscriber_phone",
        SubscriberField::Imsi => "subscriber s INDEXED BY subscriber_imsi",
        SubscriberField::AccountReference => "subscriber s INDEXED BY subscriber_account",
        SubscriberField::OptIn => "subscriber s INDEXED BY subscriber_consent",
    }
}

struct List<'c> {
    connection: &'c Connection,
    tenant: &'c str,
    page: &'c Page,
}

impl List<'_> {
    fn tenant(&self) -> Value {
        Value::from(self.tenant.to_owned())
    }

    fn length(&self) -> Done<u64> {
        let sql = "SELECT coalesce(sum(count), 0) FROM subscriber_count WHERE tenant = ?";
        number(self.connection, &Sql::new(sql, [self.tenant()]))
    }

    /// What the index of a field has for a test; `!=` is not for it.
    fn indexed(&self, columns: &str, field: &SubscriberField, asked: &Test) -> Sql {
        let from = format!("SELECT {columns} FROM {} WHERE s.tenant = ? AND ", source(field));
        Sql::new(from, [self.tenant()]).then(plain(column(field), asked, &as_is))
    }

    fn keys(&self, filter: &Filter<SubscriberField>, few: u64) -> Done<Option<Keys>> {
        match filter {
            Filter::All(parts) => {
                let found = parts.iter().map(|part| self.keys(part, few)).collect::<Done<Vec<_>>>()?;
                Ok(Keys::fewest(found.into_iter().flatten().collect()))
            }
            Filter::Any(parts) => {
                let found = parts.iter().map(|part| self.keys(part, few)).collect::<Done<Option<Vec<_>>>>()?;
                Ok(found.map(Keys::united).filter(|keys| keys.count <= few))
            }
            Filter::Not(_) | Filter::Test(_, Test::Is(Comparison::NotEqual, _)) => Ok(None),
            Filter::Test(field, asked) => {
                let sql = self.indexed("s.id AS id", field, asked);
                let count = at_most(self.connection, &sql, few)?;
                Ok((count <= few).then_some(Keys { sql, count, is_exact: true }))
            }
        }
    }

    fn count(&self, filter: &Filter<SubscriberField>, length: u64) -> Done<u64> {
        match filter {
            Filter::Not(inner) => Ok(length.saturating_sub(self.count(inner, length)?)),
            Filter::Test(field, Test::Is(Comparison::NotEqual, value)) => {
                let equal = Test::Is(Comparison::Equal, value.clone());
                let equal = number(self.connection, &self.indexed("count(*)", field, &equal))?;
                Ok(length.saturating_sub(equal))
            }
            Filter::Test(field, asked) => number(self.connection, &self.indexed("count(*)", field, asked)),
            Filter::All(_) | Filter::Any(_) => {
                let from = Sql::new("SELECT count(*) FROM subscriber s WHERE s.tenant = ? AND ", [self.tenant()]);
                number(self.connection, &from.then(condition(filter, &leaf)))
            }
        }
    }

    fn in_order(&self, filter: Option<&Filter<SubscriberField>>) -> Done<Vec<Subscriber>> {
        let from = format!("SELECT {COLUMNS} FROM subscriber s NOT INDEXED WHERE s.tenant = ?");
        let mut sql = Sql::new(from, [self.tenant()]);
        if let Some(filter) = filter {
            sql = sql.then(condition(filter, &leaf).within(" AND ", ""));
        }
        self.select(sql)
    }

    fn by_keys(&self, filter: &Filter<SubscriberField>, keys: &Keys) -> Done<(u64, Vec<Subscriber>)> {
        let found = keys.sql.clone().within(
            " FROM (SELECT DISTINCT id FROM (",
            ")) x CROSS JOIN subscriber s ON s.tenant = ? AND s.id = x.id WHERE ",
        );
        let found = found.then(Sql::new("", [self.tenant()])).then(condition(filter, &leaf));
        let total = number(self.connection, &found.clone().within("SELECT count(*)", ""))?;
        Ok((total, self.select(found.within(&format!("SELECT {COLUMNS}"), ""))?))
    }

    fn select(&self, mut sql: Sql) -> Done<Vec<Subscriber>> {
        if let Some(after) = &self.page.after {
            sql = sql.then(Sql::new(" AND s.id > ?", [Value::from(after.clone())]));
        }
        let sql = sql.within("", &format!(" ORDER BY s.id LIMIT {}", one_more(self.page)));
        many(self.connection, &sql.text, params_from_iter(&sql.values), read)
    }
}
