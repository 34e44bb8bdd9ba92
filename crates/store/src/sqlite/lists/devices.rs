//! The list of device records.

use muster_broker::device::Device;
use muster_broker::filter::{DeviceField, Filter};
use muster_broker::id::DeviceOid;
use muster_broker::job::DeviceFilter;
use muster_broker::page::{Listed, Page};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::query::{Where, foreign_key, listed, many, one_more};
use super::super::rows::{DEVICE, Done};
use super::condition::{Sql, condition};
use super::device_condition::{leaf, needs_contact, oid_values};
use super::device_count::{all, known, looked_up};
use super::device_keys::Finder;
use super::{Keys, few, number};

/// Conditions on [`super::super::rows::DEVICE_FROM`] for the records of a domain that match.
pub(in super::super) fn matching(tenant: &str, filter: &DeviceFilter) -> Where {
    let mut wanted = Where::default();
    wanted.equal("d.tenant", Some(tenant));
    if let Some(filter) = filter.as_expression() {
        let Sql { text, values } = condition(&filter, &leaf);
        wanted.and(text, values);
    }
    wanted
}

/// A page of the records of a domain that match, by oid.
pub(in super::super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &DeviceFilter,
    page: &Page,
) -> Done<Listed<Device>> {
    let after = page.after.as_deref().map(DeviceOid::parse).transpose().map_err(|_| foreign_key())?;
    let length = all(connection, tenant)?;
    let list = List { connection, tenant, after, limit: one_more(page) };
    let (total, items) = match filter.as_expression() {
        None => (length, list.in_order(None)?),
        Some(filter) => match (Finder { connection, tenant, few: few(length) }).find(&filter)? {
            Some(keys) => list.by_keys(&filter, &keys)?,
            None => {
                let total = match known(connection, tenant, &filter)? {
                    Some(total) => total,
                    None => looked_up(connection, tenant, &filter)?,
                };
                (total, if total == 0 { Vec::new() } else { list.in_order(Some(&filter))? })
            }
        },
    };
    Ok(listed(items, page, total, |device| device.oid.to_string()))
}

struct List<'c> {
    connection: &'c Connection,
    tenant: &'c str,
    after: Option<DeviceOid>,
    limit: u32,
}

impl List<'_> {
    /// Looks at records in the order of the list.
    fn in_order(&self, filter: Option<&Filter<DeviceField>>) -> Done<Vec<Device>> {
        let sql = format!(
            "SELECT {DEVICE} FROM device d INDEXED BY device_tenant \
             LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid WHERE d.tenant = ?"
        );
        let mut sql = Sql::new(sql, [Value::from(self.tenant.to_owned())]);
        if let Some(filter) = filter {
            sql = sql.then(condition(filter, &leaf).within(" AND ", ""));
        }
        self.select(&sql.then(self.rest("d.")).within("", " ORDER BY d.bucket, d.oid").within("", &self.limited()))
    }

    /// Sorts what an index found; with how many match.
    fn by_keys(&self, filter: &Filter<DeviceField>, keys: &Keys) -> Done<(u64, Vec<Device>)> {
        let found = keys.sql.clone().within("(SELECT DISTINCT bucket, oid FROM (", ")) x");
        // What the index found is all there is, or each record is looked at.
        let matching = if keys.is_exact {
            found.within(" FROM ", " WHERE 1")
        } else {
            let contact = if needs_contact(filter) {
                " LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid"
            } else {
                ""
            };
            let join =
                format!(" CROSS JOIN device d ON d.bucket = x.bucket AND d.oid = x.oid{contact} WHERE d.tenant = ?");
            let of_tenant = Sql::new(join, [Value::from(self.tenant.to_owned())]);
            found.within(" FROM ", "").then(of_tenant).then(condition(filter, &leaf).within(" AND ", ""))
        };
        let total = number(self.connection, &matching.clone().within("SELECT count(*)", ""))?;
        let page = matching.then(self.rest("x.")).within("SELECT x.bucket, x.oid", " ORDER BY x.bucket, x.oid");
        let page = page.within("", &self.limited());
        let sql = "\
            ) p CROSS JOIN device d ON d.bucket = p.bucket AND d.oid = p.oid \
             LEFT JOIN contact c ON c.bucket = d.bucket AND c.oid = d.oid ORDER BY d.bucket, d.oid";
        let items = self.select(&page.within(&format!("SELECT {DEVICE} FROM ("), sql))?;
        Ok((total, items))
    }

    /// Only what comes after the page before.
    fn rest(&self, prefix: &str) -> Sql {
        match self.after {
            None => Sql::new("", []),
            Some(after) => Sql::new(format!(" AND ({prefix}bucket, {prefix}oid) > (?, ?)"), oid_values(after)),
        }
    }

    fn limited(&self) -> String {
        format!(" LIMIT {}", self.limit)
    }

    fn select(&self, sql: &Sql) -> Done<Vec<Device>> {
        many(self.connection, &sql.text, params_from_iter(&sql.values), |cells| cells.device())
    }
}
