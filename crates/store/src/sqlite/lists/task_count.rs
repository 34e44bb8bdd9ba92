//! How many tasks match, without a look at them where that is possible.

use muster_broker::filter::{Comparison, Filter, TaskField, Test, Value as Given};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::rows::Done;
use super::condition::{Sql, condition, outside};
use super::task_condition::{asks_only, is_of_class, is_of_member, job, job_leaf, leaf};
use super::task_keys::{members, of_classes};
use super::{is_long, number};

/// Places that the tasks are looked at to see which side of a range is the shorter one.
const PLACES: i64 = 128;
/// Tasks looked at in each place until one of the domain is found.
const LOOKS: i64 = 16;

fn text(text: &str) -> Value {
    Value::from(text.to_owned())
}

/// Tasks of the domain.
pub(super) fn all(connection: &Connection, tenant: &str) -> Done<u64> {
    let sql = "SELECT coalesce(sum(count), 0) FROM task_class WHERE tenant = ?";
    number(connection, &Sql::new(sql, [text(tenant)]))
}

/// The length of the list by counters and indexes; nothing where only the tasks tell.
pub(super) fn known(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<Option<u64>> {
    if is_of_class(filter) {
        return of_classes(connection, tenant, filter).map(Some);
    }
    if let Some(count) = of_job(connection, tenant, filter)? {
        return Ok(Some(count));
    }
    match filter {
        Filter::Not(inner) => return without(connection, tenant, inner),
        Filter::Test(field, Test::Is(Comparison::NotEqual, value)) => {
            return without(connection, tenant, &Filter::equal(field.clone(), value.clone()));
        }
        Filter::Test(field @ (TaskField::CreatedAt | TaskField::UpdatedAt), asked) => {
            return shorter_side(connection, tenant, field, asked).map(Some);
        }
        _ => {}
    }
    indexed(connection, tenant, filter)
}

/// By an index that has every field asked for.
fn indexed(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<Option<u64>> {
    if is_of_member(filter) {
        return number(connection, &members(tenant, filter).within("SELECT count(*) FROM ", "")).map(Some);
    }
    if asks_only(filter, &|field, _| *field == TaskField::CreatedAt) {
        let from = "SELECT count(*) FROM task t INDEXED BY task_created WHERE t.tenant = ? AND ";
        return number(connection, &Sql::new(from, [text(tenant)]).then(condition(filter, &leaf))).map(Some);
    }
    Ok(None)
}

fn without(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<Option<u64>> {
    let Some(matching) = known(connection, tenant, filter)? else { return Ok(None) };
    Ok(Some(all(connection, tenant)?.saturating_sub(matching)))
}

/// A range of time by what lies in it, or by what lies outside.
fn shorter_side(connection: &Connection, tenant: &str, field: &TaskField, asked: &Test) -> Done<u64> {
    let filter = Filter::Test(field.clone(), asked.clone());
    let length = all(connection, tenant)?;
    let others = outside(asked);
    let count = |filter: &Filter<TaskField>| Ok(indexed(connection, tenant, filter)?.unwrap_or(0));
    if *asked == Test::Has {
        return Ok(length);
    }
    if is_long(length) && !others.is_empty() && share(connection, tenant, &filter)? > 0.5 {
        let outside = others.into_iter().map(|other| count(&Filter::Test(field.clone(), other))).sum::<Done<u64>>()?;
        return Ok(length.saturating_sub(outside));
    }
    count(&filter)
}

/// The job that every task must be of, with what is asked besides.
pub(super) fn job_and_rest(filter: &Filter<TaskField>) -> Option<(&Given, Vec<Filter<TaskField>>)> {
    let parts = match filter {
        Filter::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_job =
        |part: &Filter<TaskField>| matches!(part, Filter::Test(TaskField::JobId, Test::Is(Comparison::Equal, _)));
    let place = parts.iter().position(is_job)?;
    let Some(Filter::Test(_, Test::Is(_, job))) = parts.get(place) else { return None };
    let rest = parts.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, part)| part.clone());
    Some((job, rest.collect()))
}

/// By the counters of a job, where besides it only the status is asked for.
fn of_job(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<Option<u64>> {
    let Some((id, rest)) = job_and_rest(filter) else { return Ok(None) };
    if !rest.iter().all(|part| asks_only(part, &|field, _| *field == TaskField::Status)) {
        return Ok(None);
    }
    let sql = "SELECT coalesce(sum(n.count), 0) FROM job_count n WHERE n.job = (SELECT j.id FROM job j \
        WHERE j.id = ? AND j.tenant = ?) AND 1";
    let mut sql = Sql::new(sql, [job(id), text(tenant)]);
    for part in &rest {
        sql = sql.then(condition(part, &job_leaf).within(" AND ", ""));
    }
    number(connection, &sql).map(Some)
}

/// As the tasks tell; `seen` is what of them counts besides.
pub(super) fn looked_up(
    connection: &Connection,
    tenant: &str,
    filter: Option<&Filter<TaskField>>,
    seen: Option<&Sql>,
) -> Done<u64> {
    let wanted = || filter.map(|filter| condition(filter, &leaf)).into_iter().chain(seen.cloned());
    let count = |from: &str, values: Vec<Value>| {
        let sql = Sql::new(format!("SELECT count(*) FROM {from} AND t.tenant = ?"), values);
        let sql = Sql::new(sql.text, sql.values.into_iter().chain([text(tenant)]));
        number(connection, &sql.then(Sql::joined(wanted().map(|part| part.within(" AND ", "")), "")))
    };
    let Some(filter) = filter else { return count("task t INDEXED BY task_created WHERE 1", Vec::new()) };
    if let Some((id, _)) = job_and_rest(filter) {
        return count("task t INDEXED BY task_job WHERE t.job = ?", vec![job(id)]);
    }
    let of_member = member_parts(filter);
    if of_member.is_empty() {
        return count("task t INDEXED BY task_created WHERE 1", Vec::new());
    }
    let from = members(tenant, &Filter::all(of_member));
    count(&from.text, from.values)
}

/// The parts of an expression that [`is_of_member`] names and that must all hold.
pub(super) fn member_parts(filter: &Filter<TaskField>) -> Vec<Filter<TaskField>> {
    match filter {
        Filter::All(parts) => parts.iter().filter(|part| is_of_member(part)).cloned().collect(),
        one if is_of_member(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// About which share of the domain's tasks matches, by looking at a few from all over.
fn share(connection: &Connection, tenant: &str, filter: &Filter<TaskField>) -> Done<f64> {
    let last = number(connection, &Sql::new("SELECT coalesce(max(rowid), 0) FROM task", []))?;
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    let sql = condition(filter, &leaf)
        .within("SELECT ", " FROM task t NOT INDEXED WHERE t.rowid BETWEEN ? AND ? AND t.tenant = ? LIMIT 1");
    let (mut looked, mut matched) = (0_u32, 0_u32);
    for place in 0..PLACES {
        let from = last / PLACES * place;
        let ends = [Value::from(from), Value::from(from.saturating_add(LOOKS)), text(tenant)];
        let mut statement = connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(rusqlite::params_from_iter(sql.values.iter().chain(&ends)))?;
        if let Some(row) = rows.next()? {
            looked += 1;
            matched += u32::from(row.get::<_, bool>(0)?);
        }
    }
    Ok(f64::from(matched) / f64::from(looked.max(1)))
}
