//! How many device records match, without a look at them where that is possible.

use muster_broker::filter::{Comparison, DeviceField, Filter, Test};
use muster_broker::time::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::contacts::span;
use super::super::rows::{DEVICE_FROM, Done};
use super::condition::{Sql, as_is, condition, outside, plain};
use super::device_condition::{class_index, class_leaf, is_of_class, leaf, needs_contact, tallied};
use super::{is_long, number};

/// Places that a list is looked at to see which side of a range is the shorter one.
const PLACES: u16 = 64;
/// Records looked at in each place.
const LOOKS: u16 = 2;
/// Buckets there are.
const BUCKETS: u16 = 4096;

fn text(text: &str) -> Value {
    Value::from(text.to_owned())
}

/// Records of the domain.
pub(super) fn all(connection: &Connection, tenant: &str) -> Done<u64> {
    let sql = Sql::new("SELECT coalesce(sum(count), 0) FROM device_count WHERE tenant = ?", [text(tenant)]);
    number(connection, &sql)
}

/// A query for the classes that match.
pub(super) fn classes(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>, columns: &str) -> Done<Sql> {
    let parts = match filter {
        Filter::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    // The index of the part that takes fewest records.
    let mut best: Option<(u64, &'static str, Sql)> = None;
    for part in parts {
        if let Filter::Test(field, asked) = part
            && let Some((index, usable)) = class_index(field, asked)
        {
            let count = tally(connection, tenant, field, asked)?.unwrap_or(u64::MAX);
            if best.as_ref().is_none_or(|(least, ..)| count < *least) {
                best = Some((count, index, usable));
            }
        }
    }
    let (index, usable) = match best {
        Some((_, index, usable)) => (index, usable.within(" AND ", "")),
        None => ("device_class_state", Sql::new("", [])),
    };
    let before = format!("SELECT {columns} FROM device_class k INDEXED BY {index} WHERE k.tenant = ?");
    Ok(Sql::new(before, [text(tenant)]).then(usable).then(condition(filter, &class_leaf).within(" AND ", "")))
}

/// Records of the classes that match.
pub(super) fn of_classes(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<u64> {
    match single(connection, tenant, filter)? {
        Some(count) => Ok(count),
        None => number(connection, &classes(connection, tenant, filter, "coalesce(sum(k.count), 0)")?),
    }
}

/// Records by the tally of one field.
fn tally(connection: &Connection, tenant: &str, field: &DeviceField, asked: &Test) -> Done<Option<u64>> {
    let Some((tallied, asked)) = tallied(field, asked) else { return Ok(None) };
    let sql = "SELECT coalesce(sum(count), 0) FROM device_tally WHERE tenant = ? AND field = ? AND ";
    let sql = Sql::new(sql, [text(tenant), Value::from(tallied.number())]).then(asked);
    number(connection, &sql).map(Some)
}

/// As tallies tell of one test, or of its opposite.
fn single(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<Option<u64>> {
    let matching = match filter {
        Filter::Test(field, Test::Is(Comparison::NotEqual, value)) => {
            tally(connection, tenant, field, &Test::Is(Comparison::Equal, value.clone()))?
        }
        Filter::Not(inner) => single(connection, tenant, inner)?,
        Filter::Test(field, asked) => return tally(connection, tenant, field, asked),
        Filter::All(_) | Filter::Any(_) => None,
    };
    match matching {
        Some(matching) => Ok(Some(all(connection, tenant)?.saturating_sub(matching))),
        None => Ok(None),
    }
}

/// The length of the list by counters and indexes; nothing where only the records tell.
pub(super) fn known(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<Option<u64>> {
    if let Some(count) = single(connection, tenant, filter)? {
        return Ok(Some(count));
    }
    if is_of_class(filter) {
        return of_classes(connection, tenant, filter).map(Some);
    }
    match filter {
        Filter::Not(inner) => without(connection, tenant, inner),
        Filter::Test(field, Test::Is(Comparison::NotEqual, value)) => {
            without(connection, tenant, &Filter::equal(field.clone(), value.clone()))
        }
        Filter::Test(field, asked) => match Ordered::of(tenant, field) {
            Some(ordered) => ordered.count(connection, tenant, filter, asked).map(Some),
            None => Ok(None),
        },
        Filter::All(_) | Filter::Any(_) => Ok(None),
    }
}

/// All but those that match.
fn without(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<Option<u64>> {
    let Some(matching) = known(connection, tenant, filter)? else { return Ok(None) };
    Ok(Some(all(connection, tenant)?.saturating_sub(matching)))
}

/// As the records tell.
pub(super) fn looked_up(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<u64> {
    let contact =
        if needs_contact(filter) { " LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid" } else { "" };
    let parts = match filter {
        Filter::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let of_class: Vec<_> = parts.iter().filter(|part| is_of_class(part)).cloned().collect();
    let from = if of_class.is_empty() {
        let from = format!("SELECT count(*) FROM device d INDEXED BY device_tenant{contact} WHERE d.tenant = ? AND ");
        Sql::new(from, [text(tenant)])
    } else {
        let from = format!("SELECT count(*) FROM device d INDEXED BY device_member{contact} WHERE d.class IN (");
        classes(connection, tenant, &Filter::all(of_class), "k.id")?.within(&from, ") AND ")
    };
    number(connection, &from.then(condition(filter, &leaf)))
}

/// A field whose values stand in an index in their order.
pub(super) struct Ordered {
    /// Table and index.
    from: &'static str,
    /// What narrows the index to the field and the domain.
    fixed: Sql,
    column: &'static str,
    field: DeviceField,
}

impl Ordered {
    pub(super) fn of(tenant: &str, field: &DeviceField) -> Option<Self> {
        let tenant = text(tenant);
        let of_tenant = |tenant| Sql::new("tenant = ?", [tenant]);
        let (from, fixed, column) = match field {
            DeviceField::DeviceId => ("device_key", Sql::new("kind = 1 AND scope = ?", [tenant]), "value"),
            DeviceField::PhoneNumber => ("device INDEXED BY device_phone", of_tenant(tenant), "phone_number"),
            DeviceField::Imsi => ("device INDEXED BY device_imsi", of_tenant(tenant), "imsi"),
            DeviceField::SubscriberId => ("device INDEXED BY device_subscriber", of_tenant(tenant), "subscriber_id"),
            DeviceField::Attribute(name) => {
                let fixed = Sql::new("tenant = ? AND name = ?", [tenant, Value::from(name.clone())]);
                ("device_attribute", fixed, "value")
            }
            DeviceField::LastSeenAt => ("contact INDEXED BY contact_seen", of_tenant(tenant), "seen"),
            _ => return None,
        };
        Some(Self { from, fixed, column, field: field.clone() })
    }

    /// Queries that together give every entry that stands the test, once; `!=` is not for them.
    pub(super) fn queries(&self, columns: &str, asked: &Test) -> Vec<Sql> {
        let before = format!("SELECT {columns} FROM {} WHERE ", self.from);
        let query = |asked: Sql| self.fixed.clone().within(&before, " AND ").then(asked);
        match (&self.field, asked) {
            (DeviceField::LastSeenAt, Test::Is(comparison, muster_broker::filter::Value::Time(at))) => {
                spans(*comparison, *at).into_iter().map(query).collect()
            }
            (DeviceField::LastSeenAt, Test::In(values)) => {
                let equal = |value: &muster_broker::filter::Value| Test::Is(Comparison::Equal, value.clone());
                let mut values = values.clone();
                values.dedup();
                values.iter().flat_map(|value| self.queries(columns, &equal(value))).collect()
            }
            _ => vec![query(plain(self.column, asked, &as_is))],
        }
    }

    /// Entries there are.
    fn present(&self, connection: &Connection, tenant: &str) -> Done<u64> {
        Ok(tally(connection, tenant, &self.field, &Test::Has)?.unwrap_or(0))
    }

    fn count(&self, connection: &Connection, tenant: &str, filter: &Filter<DeviceField>, asked: &Test) -> Done<u64> {
        let present = self.present(connection, tenant)?;
        let others = outside(asked);
        let from_outside = is_long(present) && !others.is_empty() && {
            let length = all(connection, tenant)?;
            // Of all records, not only of those that have the field.
            let share = share(connection, tenant, filter)?;
            share * length as f64 > 0.5 * present as f64
        };
        if from_outside {
            let outside = others.iter().map(|other| self.sum(connection, other)).sum::<Done<u64>>()?;
            return Ok(present.saturating_sub(outside));
        }
        self.sum(connection, asked)
    }

    fn sum(&self, connection: &Connection, asked: &Test) -> Done<u64> {
        self.queries("count(*)", asked).iter().map(|query| number(connection, query)).sum()
    }
}

/// Contacts stand in the index by spans of time; only at the ends of a range the time itself is looked at.
fn spans(comparison: Comparison, at: Timestamp) -> Vec<Sql> {
    let sign = match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    };
    let within = Sql::new(format!("seen = ? AND last_seen_at {sign} ?"), [span(at), at.0].map(Value::from));
    let beyond = match comparison {
        Comparison::Equal => None,
        Comparison::NotEqual => Some("seen <> ?"),
        Comparison::Less | Comparison::LessOrEqual => Some("seen < ?"),
        Comparison::Greater | Comparison::GreaterOrEqual => Some("seen > ?"),
    };
    let beyond = beyond.map(|beyond| Sql::new(beyond, [Value::from(span(at))]));
    std::iter::once(within).chain(beyond).collect()
}

/// About which share of the domain's records matches, by looking at a few from all over: identifiers, and with them
/// their buckets, are spread by chance.
fn share(connection: &Connection, tenant: &str, filter: &Filter<DeviceField>) -> Done<f64> {
    let sql = format!(
        " FROM {DEVICE_FROM} WHERE d.tenant = ? AND (d.bucket, d.oid) > (?, x'') ORDER BY d.bucket, d.oid LIMIT {LOOKS}"
    );
    let (mut looked, mut matched) = (0_u32, 0_u32);
    for place in 0..PLACES {
        let bucket = place.saturating_mul(BUCKETS / PLACES);
        let sql = condition(filter, &leaf).within("SELECT ", &sql);
        let sql = Sql::new(sql.text, sql.values.into_iter().chain([text(tenant), Value::from(i64::from(bucket))]));
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(rusqlite::params_from_iter(&sql.values))?;
        while let Some(row) = rows.next()? {
            looked += 1;
            matched += u32::from(row.get::<_, bool>(0)?);
        }
    }
    Ok(f64::from(matched) / f64::from(looked.max(1)))
}
