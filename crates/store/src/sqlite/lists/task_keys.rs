//! What indexes find for an expression on tasks: their rows.

use muster_broker::filter::{Comparison, Filter, TaskField, Test};
use muster_broker::id::TaskId;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::devices::KIND_DEVICE_ID;
use super::super::rows::Done;
use super::super::tasks::id_values;
use super::condition::{Sql, as_is, condition, plain};
use super::task_condition::{is_of_class, is_of_member, job, member_leaf, named, text};
use super::{Keys, at_most, number};

/// What narrows `task_class k` and its tasks to an expression that [`is_of_member`] names.
pub(super) fn members(tenant: &str, filter: &Filter<TaskField>) -> Sql {
    let from = "task_class k CROSS JOIN task t INDEXED BY task_member ON t.class = k.id AND t.status = k.status \
        WHERE k.count > 0 AND k.tenant = ? AND ";
    Sql::new(from, [Value::from(tenant.to_owned())]).then(condition(filter, &member_leaf))
}

/// Tasks of the classes that match.
pub(super) fn of_classes(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<u64> {
    let sql = "SELECT coalesce(sum(k.count), 0) FROM task_class k WHERE k.tenant = ? AND ";
    number(connection, &Sql::new(sql, [Value::from(tenant.to_owned())]).then(condition(filter, &member_leaf)))
}

/// Tasks of classes that are sorted for a page. Of more, the list goes through the stretches, which looks at fewer.
const FEW_MEMBERS: u64 = 1_500;

/// Looks for keys.
pub(super) struct Finder<'c> {
    pub(super) connection: &'c Connection,
    pub(super) tenant: &'c str,
    /// More than this are of no use.
    pub(super) few: u64,
}

impl Finder<'_> {
    /// Keys of every task that matches, if an index finds few enough.
    pub(super) fn find(&self, filter: &Filter<TaskField>) -> Done<Option<Keys>> {
        if is_of_member(filter) {
            return self.members(filter);
        }
        match filter {
            Filter::All(parts) => {
                let (of_member, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| is_of_member(part));
                let mut found = Vec::new();
                if !of_member.is_empty() {
                    found.extend(self.members(&Filter::all(of_member.into_iter().cloned().collect()))?);
                }
                for part in others {
                    found.extend(self.find(part)?);
                }
                Ok(Keys::fewest(found))
            }
            Filter::Any(parts) => {
                let found = parts.iter().map(|part| self.find(part)).collect::<Done<Option<Vec<_>>>>()?;
                Ok(found.map(Keys::united).filter(|keys| keys.count <= self.few))
            }
            Filter::Not(_) | Filter::Test(_, Test::Is(Comparison::NotEqual, _)) => Ok(None),
            Filter::Test(field, asked) => self.standing(field, asked),
        }
    }

    fn members(&self, filter: &Filter<TaskField>) -> Done<Option<Keys>> {
        let sql = members(self.tenant, filter).within("SELECT t.rowid AS row FROM ", "");
        if is_of_class(filter) {
            let count = of_classes(self.connection, self.tenant, filter)?;
            return Ok((count <= self.few.min(FEW_MEMBERS)).then_some(Keys { sql, count, is_exact: true }));
        }
        let few = Self { few: self.few.min(FEW_MEMBERS), ..*self };
        few.counted(vec![sql])
    }

    fn standing(&self, field: &TaskField, asked: &Test) -> Done<Option<Keys>> {
        let tenant = || Value::from(self.tenant.to_owned());
        let queries: Vec<Sql> = match field {
            TaskField::CreatedAt => {
                let sql = "SELECT rowid AS row FROM task INDEXED BY task_created WHERE tenant = ? AND ";
                vec![Sql::new(sql, [tenant()]).then(plain("created_at", asked, &as_is))]
            }
            TaskField::JobId if !named(asked).is_empty() => {
                let sql = "SELECT rowid AS row FROM task INDEXED BY task_job WHERE tenant = ? AND ";
                vec![Sql::new(sql, [tenant()]).then(plain("job", asked, &job))]
            }
            TaskField::PhoneNumber if !named(asked).is_empty() => {
                let apart =
                    "SELECT rowid AS row FROM task INDEXED BY task_phone WHERE phone_apart = 1 AND tenant = ? AND ";
                let by_record = "SELECT t.rowid AS row FROM device d INDEXED BY device_phone \
                    CROSS JOIN task t INDEXED BY task_of_device ON t.device_bucket = d.bucket AND t.device = d.oid \
                    AND t.phone_number = d.phone_number WHERE d.tenant = ? AND ";
                vec![
                    Sql::new(apart, [tenant()]).then(plain("phone_number", asked, &as_is)),
                    Sql::new(by_record, [tenant()]).then(plain("d.phone_number", asked, &as_is)),
                ]
            }
            TaskField::TaskId => {
                let one = |id| {
                    let sql = "SELECT rowid AS row FROM task WHERE bucket = ? AND id = ? AND tenant = ?";
                    Sql::new(sql, id_values(id).into_iter().chain([tenant()]))
                };
                named(asked).iter().filter_map(|id| TaskId::parse(text(id)).ok()).map(one).collect()
            }
            TaskField::DeviceId => named(asked)
                .iter()
                .map(|id| {
                    let sql = "SELECT rowid AS row FROM task WHERE expected_apart = 1 AND tenant = ? AND expected = ? \
                        UNION ALL SELECT rowid FROM task WHERE tenant = ? AND actual = ? \
                        AND (expected IS NULL OR actual <> expected) \
                        UNION ALL SELECT t2.rowid FROM device_key n JOIN task t2 ON t2.device_bucket = n.bucket \
                        AND t2.device = n.oid WHERE n.kind = ? AND n.value = ? AND n.scope = ?";
                    let kind = Value::from(KIND_DEVICE_ID);
                    Sql::new(sql, [tenant(), as_is(id), tenant(), as_is(id), kind, as_is(id), tenant()])
                })
                .collect(),
            _ => return Ok(None),
        };
        self.counted(queries)
    }

    /// Keys of these queries, if there are few enough.
    pub(super) fn counted(&self, queries: Vec<Sql>) -> Done<Option<Keys>> {
        if queries.is_empty() {
            return Ok(None);
        }
        let sql = Sql::joined(queries, " UNION ALL ");
        let count = at_most(self.connection, &sql, self.few)?;
        Ok((count <= self.few).then_some(Keys { sql, count, is_exact: true }))
    }
}
