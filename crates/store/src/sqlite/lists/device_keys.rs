//! What indexes find for an expression on device records.

use muster_broker::filter::{Comparison, DeviceField, Filter, Test};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::rows::Done;
use super::condition::{Sql, as_is, outside, plain};
use super::device_condition::{is_of_class, named, oid_values};
use super::device_count::{Ordered, classes, of_classes};
use super::{Keys, at_most};

/// Looks for keys.
pub(super) struct Finder<'c> {
    pub(super) connection: &'c Connection,
    pub(super) tenant: &'c str,
    /// More than this are of no use.
    pub(super) few: u64,
}

impl Finder<'_> {
    /// Keys of every record that matches, if an index finds few enough.
    pub(super) fn find(&self, filter: &Filter<DeviceField>) -> Done<Option<Keys>> {
        Ok(self.part(filter, false)?.filter(|keys| keys.count <= self.few))
    }

    /// As [`Self::find`]; of the records that do not match where `is_not`.
    fn part(&self, filter: &Filter<DeviceField>, is_not: bool) -> Done<Option<Keys>> {
        if is_of_class(filter) {
            return self.of_class(filter, is_not).map(Some);
        }
        match (filter, is_not) {
            (Filter::Not(inner), _) => self.part(inner, !is_not),
            (Filter::All(parts), false) | (Filter::Any(parts), true) => {
                let mut found = Vec::new();
                let (of_class, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| is_of_class(part));
                // Together classes narrow more than each alone; negated, they stand for what is not of any.
                if !of_class.is_empty() {
                    let of_class: Vec<_> = of_class.into_iter().cloned().collect();
                    let together = if is_not { Filter::any(of_class) } else { Filter::all(of_class) };
                    found.push(self.of_class(&together, is_not)?);
                }
                for part in others {
                    found.extend(self.part(part, is_not)?.filter(|keys| keys.count <= self.few));
                }
                Ok(Keys::fewest(found))
            }
            (Filter::Any(parts), false) | (Filter::All(parts), true) => {
                let found = parts.iter().map(|part| self.part(part, is_not)).collect::<Done<Option<Vec<_>>>>()?;
                Ok(found.map(Keys::united))
            }
            (Filter::Test(field, Test::Is(Comparison::NotEqual, value)), _) => {
                self.part(&Filter::equal(field.clone(), value.clone()), !is_not)
            }
            (Filter::Test(field, asked), false) => self.standing(field, asked),
            (Filter::Test(field, asked), true) => self.failing(field, asked),
        }
    }

    fn of_class(&self, filter: &Filter<DeviceField>, is_not: bool) -> Done<Keys> {
        let filter = if is_not { Filter::Not(Box::new(filter.clone())) } else { filter.clone() };
        let sql = classes(self.connection, self.tenant, &filter, "k.id")?
            .within("SELECT bucket, oid FROM device INDEXED BY device_member WHERE class IN (", ")");
        Ok(Keys { sql, count: of_classes(self.connection, self.tenant, &filter)?, is_exact: true })
    }

    fn standing(&self, field: &DeviceField, asked: &Test) -> Done<Option<Keys>> {
        let queries = match field {
            DeviceField::Oid if *asked == Test::Has => return Ok(None),
            DeviceField::Oid => {
                let one = |oid| {
                    let values = oid_values(oid).into_iter().chain([Value::from(self.tenant.to_owned())]);
                    Sql::new("SELECT bucket, oid FROM device WHERE bucket = ? AND oid = ? AND tenant = ?", values)
                };
                named(asked).into_iter().map(one).collect()
            }
            DeviceField::Group => {
                let sql = "SELECT bucket, oid FROM device_group WHERE tenant = ? AND ";
                vec![Sql::new(sql, [Value::from(self.tenant.to_owned())]).then(plain("grp", asked, &as_is))]
            }
            _ => match Ordered::of(self.tenant, field) {
                Some(ordered) => ordered.queries("bucket, oid", asked),
                None => return Ok(None),
            },
        };
        self.counted(queries)
    }

    /// Records without the field, and those whose value lies elsewhere.
    fn failing(&self, field: &DeviceField, asked: &Test) -> Done<Option<Keys>> {
        let others = outside(asked);
        let absent = Filter::Not(Box::new(Filter::Test(field.clone(), Test::Has)));
        let Some(ordered) = Ordered::of(self.tenant, field).filter(|_| !others.is_empty() && is_of_class(&absent))
        else {
            return Ok(None);
        };
        let elsewhere = others.iter().flat_map(|other| ordered.queries("bucket, oid", other)).collect();
        let Some(elsewhere) = self.counted(elsewhere)? else { return Ok(None) };
        Ok(Some(Keys::united(vec![self.of_class(&absent, false)?, elsewhere])))
    }

    fn counted(&self, queries: Vec<Sql>) -> Done<Option<Keys>> {
        if queries.is_empty() {
            return Ok(None);
        }
        let sql = Sql::joined(queries, " UNION ALL ");
        let count = at_most(self.connection, &sql, self.few)?;
        Ok((count <= self.few).then_some(Keys { sql, count, is_exact: true }))
    }
}
