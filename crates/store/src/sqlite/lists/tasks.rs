//! The list of tasks.

use muster_broker::access::Sight;
use muster_broker::filter::{Comparison, Filter, TaskField, Test, Value as Given};
use muster_broker::id::TaskId;
use muster_broker::page::{Listed, Page};
use muster_broker::store::TaskFilter;
use muster_broker::task::Task;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::query::{listed, many, one_more};
use super::super::rows::{Done, TASK};
use super::super::tasks::{id_values, page_key, task_key};
use super::condition::{Sql, condition};
use super::task_condition::{is_of_class, job, leaf, member_leaf};
use super::task_count::{all, job_and_rest, known, looked_up, member_parts};
use super::task_keys::{Finder, members};
use super::{Keys, at_most, few, number};

/// Tasks of one stretch that are sorted for a page; of more, tasks are looked at in order.
const FEW_OF_STRETCH: u64 = if cfg!(test) { 3 } else { 1_500 };

/// The criteria as one expression; nothing without any.
fn expression(filter: &TaskFilter) -> Option<Filter<TaskField>> {
    let text = |text: String| Given::Text(text);
    let mut parts = Vec::new();
    parts.extend(filter.job.map(|job| Filter::equal(TaskField::JobId, text(job.to_string()))));
    let status: Vec<_> = filter.status.iter().map(|status| text(status.as_str().to_owned())).collect();
    if !status.is_empty() {
        parts.push(Filter::Test(TaskField::Status, Test::In(status)));
    }
    parts.extend(filter.device_id.as_ref().map(|id| Filter::equal(TaskField::DeviceId, text(id.to_string()))));
    let number = filter.phone_number.as_ref();
    parts.extend(number.map(|number| Filter::equal(TaskField::PhoneNumber, text(number.to_string()))));
    parts.extend(
        filter
            .created_since
            .map(|since| Filter::Test(TaskField::CreatedAt, Test::Is(Comparison::GreaterOrEqual, Given::Time(since)))),
    );
    parts.extend(filter.expression.clone());
    (!parts.is_empty()).then(|| Filter::all(parts))
}

/// What a narrowed caller sees, as a condition on `task t`; nothing where everything is seen.
fn seen(sight: &Sight) -> Option<Sql> {
    let groups = sight.groups.as_ref()?;
    let marks = vec!["?"; groups.len()].join(", ");
    let of_group = format!(
        "EXISTS (SELECT 1 FROM device_group g WHERE g.tenant = t.tenant AND g.grp IN ({marks}) \
         AND g.bucket = t.device_bucket AND g.oid = t.device)"
    );
    let of_group = Sql::new(of_group, groups.iter().cloned().map(Value::from));
    Some(match &sight.owner {
        None => of_group,
        Some(owner) => Sql::new("(t.owner = ? OR ", [Value::from(owner.clone())]).then(of_group).within("", ")"),
    })
}

/// What indexes find of that: the tasks of the groups' devices, and the caller's own.
fn seen_keys(finder: &Finder<'_>, sight: &Sight) -> Done<Option<Keys>> {
    let Some(groups) = &sight.groups else { return Ok(None) };
    let marks = vec!["?"; groups.len()].join(", ");
    let of_group = format!(
        "SELECT t.rowid AS row FROM device_group g CROSS JOIN task t INDEXED BY task_of_device \
         ON t.device_bucket = g.bucket AND t.device = g.oid WHERE g.tenant = ? AND g.grp IN ({marks})"
    );
    let tenant = Value::from(finder.tenant.to_owned());
    let of_group = Sql::new(of_group, std::iter::once(tenant).chain(groups.iter().cloned().map(Value::from)));
    let Some(of_group) = finder.counted(vec![of_group])? else { return Ok(None) };
    let Some(owner) = &sight.owner else { return Ok(Some(of_group)) };
    let own = finder.find(&Filter::equal(TaskField::Owner, Given::Text(owner.clone())))?;
    Ok(own.map(|own| Keys::united(vec![of_group, own])).filter(|keys| keys.count <= finder.few))
}

/// A page of the tasks of a domain that match, oldest first.
pub(in super::super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &TaskFilter,
    page: &Page,
) -> Done<Listed<Task>> {
    let after = page.after.as_deref().map(task_key).transpose()?;
    let length = all(connection, tenant)?;
    let seen = seen(&filter.sight);
    let list = List { connection, tenant, after, seen: seen.clone() };
    let limit = one_more(page);
    let finder = Finder { connection, tenant, few: few(length) };
    let wanted = expression(filter);
    let keys = match &wanted {
        Some(wanted) => finder.find(wanted)?,
        None => None,
    };
    let seen_keys = seen_keys(&finder, &filter.sight)?;
    let fewest = if seen.is_some() { Keys::fewest(keys.into_iter().chain(seen_keys).collect()) } else { keys };
    let (total, items) = match (&wanted, fewest, &seen) {
        (_, Some(keys), _) => list.by_keys(wanted.as_ref(), &keys, limit)?,
        (None, None, None) => (length, list.in_order(None, &Sql::new("", []), limit)?),
        (None, None, Some(seen)) => {
            (looked_up(connection, tenant, None, Some(seen))?, list.in_order(None, &Sql::new("", []), limit)?)
        }
        (Some(wanted), None, seen) => {
            let known = if seen.is_none() { known(connection, tenant, wanted)? } else { None };
            let total = match known {
                Some(total) => total,
                None => looked_up(connection, tenant, Some(wanted), seen.as_ref())?,
            };
            (total, if total == 0 { Vec::new() } else { list.many(wanted, limit)? })
        }
    };
    Ok(listed(items, page, total, |task| page_key(task.created_at, &task.id.to_string())))
}

struct List<'c> {
    connection: &'c Connection,
    tenant: &'c str,
    after: Option<(i64, TaskId)>,
    /// What a narrowed caller sees.
    seen: Option<Sql>,
}

impl List<'_> {
    /// Of a filter that more match than can be sorted.
    fn many(&self, filter: &Filter<TaskField>, limit: u32) -> Done<Vec<Task>> {
        // The index of a job has its tasks in order.
        if let Some((id, _)) = job_and_rest(filter) {
            let sql = format!("SELECT {TASK} FROM task t INDEXED BY task_job WHERE t.job = ? AND t.tenant = ?");
            let sql = Sql::new(sql, [job(id), Value::from(self.tenant.to_owned())]);
            return self.ordered(sql.then(self.wanted(Some(filter))), limit);
        }
        let of_member = member_parts(filter);
        if of_member.is_empty() {
            return self.in_order(Some(filter), &Sql::new("", []), limit);
        }
        self.by_stretches(filter, &Filter::all(of_member), limit)
    }

    /// Stretch by stretch: what is asked of classes may be true of the newest tasks alone, and the list begins with the
    /// oldest ones.
    fn by_stretches(&self, filter: &Filter<TaskField>, of_member: &Filter<TaskField>, limit: u32) -> Done<Vec<Task>> {
        let mut found = Vec::new();
        for (stretch, count, end) in self.stretches(of_member)? {
            let missing = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if missing == 0 {
                break;
            }
            let in_stretch = Sql::new(" AND k.stretch = ?", [Value::from(stretch)]);
            let rows = members(self.tenant, of_member).within("SELECT t.rowid AS row FROM ", "").then(in_stretch);
            let count = match count {
                Some(count) => count,
                None => at_most(self.connection, &rows, FEW_OF_STRETCH)?,
            };
            if count == 0 {
                continue;
            }
            found.extend(if count <= FEW_OF_STRETCH {
                let keys = Keys { sql: rows, count, is_exact: false };
                self.select_keys(&self.matching(Some(filter), &keys), missing)?
            } else {
                let span = Sql::new(" AND t.created_at >= ? AND t.created_at < ?", [stretch, end].map(Value::from));
                self.in_order(Some(filter), &span, missing)?
            });
        }
        Ok(found)
    }

    /// The stretches that may have matching tasks, with how many where classes alone tell, and where the next one begins.
    fn stretches(&self, of_member: &Filter<TaskField>) -> Done<Vec<(i64, Option<u64>, i64)>> {
        let is_told = is_of_class(of_member);
        let of_class = Filter::all(class_parts(of_member));
        let sql = "SELECT k.stretch, sum(k.count), coalesce((SELECT min(s.begins_at) FROM task_stretch s \
            WHERE s.begins_at > k.stretch), ?) FROM task_class k WHERE k.tenant = ?";
        let mut sql = Sql::new(sql, [Value::from(i64::MAX), Value::from(self.tenant.to_owned())]);
        if of_class != Filter::All(Vec::new()) {
            sql = sql.then(condition(&of_class, &member_leaf).within(" AND ", ""));
        }
        let sql = sql.within("", " GROUP BY k.stretch HAVING sum(k.count) > 0 ORDER BY k.stretch");
        let stretches = many(self.connection, &sql.text, params_from_iter(&sql.values), |cells| {
            let (stretch, count, end): (i64, i64, i64) = (cells.get()?, cells.get()?, cells.get()?);
            Ok((stretch, is_told.then(|| u64::try_from(count).unwrap_or(0)), end))
        })?;
        let is_left = |end: i64| self.after.is_none_or(|(at, _)| at < end);
        Ok(stretches.into_iter().filter(|(_, _, end)| is_left(*end)).collect())
    }

    /// Looks at tasks in the order of the list.
    fn in_order(&self, filter: Option<&Filter<TaskField>>, span: &Sql, limit: u32) -> Done<Vec<Task>> {
        let sql = format!("SELECT {TASK} FROM task t INDEXED BY task_created WHERE t.tenant = ?");
        let sql = Sql::new(sql, [Value::from(self.tenant.to_owned())]).then(span.clone());
        self.ordered(sql.then(self.wanted(filter)), limit)
    }

    /// Sorts what an index found; with how many match.
    fn by_keys(&self, filter: Option<&Filter<TaskField>>, keys: &Keys, limit: u32) -> Done<(u64, Vec<Task>)> {
        let matching = self.matching(filter, keys);
        let total = if keys.is_exact {
            number(self.connection, &keys.sql.clone().within("SELECT count(DISTINCT row) FROM (", ")"))?
        } else {
            number(self.connection, &matching.clone().within("SELECT count(*)", ""))?
        };
        Ok((total, self.select_keys(&matching, limit)?))
    }

    fn matching(&self, filter: Option<&Filter<TaskField>>, keys: &Keys) -> Sql {
        let found = keys.sql.clone().within(
            " FROM (SELECT DISTINCT row FROM (",
            ")) x CROSS JOIN task t ON t.rowid = x.row WHERE t.tenant = ?",
        );
        let found = found.then(Sql::new("", [Value::from(self.tenant.to_owned())]));
        if keys.is_exact { found } else { found.then(self.wanted(filter)) }
    }

    /// The conditions of the filter and of what is seen, after others.
    fn wanted(&self, filter: Option<&Filter<TaskField>>) -> Sql {
        let filter = filter.map(|filter| condition(filter, &leaf));
        Sql::joined(filter.into_iter().chain(self.seen.clone()).map(|part| part.within(" AND ", "")), "")
    }

    fn select_keys(&self, matching: &Sql, limit: u32) -> Done<Vec<Task>> {
        let rows = matching.clone().within("SELECT t.rowid AS row", "").then(self.rest());
        let rows = rows.within("", &format!(" ORDER BY t.created_at, t.bucket, t.id LIMIT {limit}"));
        let sql = rows.within(
            &format!("SELECT {TASK} FROM ("),
            ") p CROSS JOIN task t ON t.rowid = p.row ORDER BY t.created_at, t.bucket, t.id",
        );
        many(self.connection, &sql.text, params_from_iter(&sql.values), |cells| cells.task())
    }

    fn ordered(&self, sql: Sql, limit: u32) -> Done<Vec<Task>> {
        let order = format!(" ORDER BY t.created_at, t.bucket, t.id LIMIT {limit}");
        let sql = sql.then(self.rest()).within("", &order);
        many(self.connection, &sql.text, params_from_iter(&sql.values), |cells| cells.task())
    }

    /// Only what comes after the page before.
    fn rest(&self) -> Sql {
        match self.after {
            None => Sql::new("", []),
            Some((at, id)) => {
                let [bucket, unique] = id_values(id);
                Sql::new(" AND (t.created_at, t.bucket, t.id) > (?, ?, ?)", [Value::from(at), bucket, unique])
            }
        }
    }
}

/// The parts that classes alone tell.
fn class_parts(filter: &Filter<TaskField>) -> Vec<Filter<TaskField>> {
    match filter {
        Filter::All(parts) => parts.iter().filter(|part| is_of_class(part)).cloned().collect(),
        one if is_of_class(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}
