//! Tests on tasks as conditions on their rows, and on the rows of their classes.

use muster_broker::filter::{Comparison, Filter, TaskField, Test, Value as Given};
use muster_broker::id::{JobId, TaskId};
use muster_broker::task::TaskStatus;
use rusqlite::types::Value;

use super::super::rows::task_status_number;
use super::super::tasks::id_values;
use super::condition::{Sql, as_is, plain, test};

/// A device is that of a task if it was expected, or answered, or is the one of the record by now.
const OF_DEVICE: &str = "(t.expected = ? OR t.actual = ? OR EXISTS (SELECT 1 FROM device_key n WHERE n.kind = 1 \
    AND n.value = ? AND n.scope = t.tenant AND n.bucket = t.device_bucket AND n.oid = t.device))";
const OF_ANY_DEVICE: &str = "(t.expected IS NOT NULL OR t.actual IS NOT NULL OR EXISTS (SELECT 1 FROM device d \
    WHERE d.bucket = t.device_bucket AND d.oid = t.device AND d.device_id IS NOT NULL))";

/// A test as a condition on `task t`.
pub(super) fn leaf(field: &TaskField, asked: &Test) -> Sql {
    match field {
        TaskField::TaskId => task_id(asked),
        TaskField::JobId => test("t.job", asked, &job),
        TaskField::Status => plain("t.status", asked, &status),
        TaskField::Operation => plain("t.operation", asked, &as_is),
        TaskField::PhoneNumber => test("t.phone_number", asked, &as_is),
        TaskField::DeviceId => device_id(asked),
        TaskField::TestCycle => plain("t.test_cycle", asked, &as_is),
        TaskField::Owner => plain("t.owner", asked, &as_is),
        TaskField::CreatedAt => plain("t.created_at", asked, &as_is),
        TaskField::UpdatedAt => plain("t.updated_at", asked, &as_is),
    }
}

/// A test as a condition on `task_class k`, and on `updated_at` of `task t` in the index of a class's tasks; only of
/// those that [`is_of_member`] names.
pub(super) fn member_leaf(field: &TaskField, asked: &Test) -> Sql {
    match field {
        TaskField::Status => plain("k.status", asked, &status),
        TaskField::Operation => plain("k.operation", asked, &as_is),
        TaskField::TestCycle => plain("k.test_cycle", asked, &as_is),
        TaskField::Owner => plain("k.owner", asked, &as_is),
        TaskField::JobId => Sql::new("k.of_job = 1", []),
        TaskField::UpdatedAt => plain("t.updated_at", asked, &as_is),
        TaskField::TaskId | TaskField::PhoneNumber | TaskField::DeviceId | TaskField::CreatedAt => Sql::new("0", []),
    }
}

/// A test as a condition on `job_count n`; only of a status.
pub(super) fn job_leaf(_: &TaskField, asked: &Test) -> Sql {
    plain("n.status", asked, &status)
}

/// Whether every field that is asked for is one of these.
pub(super) fn asks_only(filter: &Filter<TaskField>, allowed: &dyn Fn(&TaskField, &Test) -> bool) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().all(|part| asks_only(part, allowed)),
        Filter::Not(inner) => asks_only(inner, allowed),
        Filter::Test(field, asked) => allowed(field, asked),
    }
}

/// Whether a task matches is the same for all tasks of a class in one status.
pub(super) fn is_of_class(filter: &Filter<TaskField>) -> bool {
    asks_only(filter, &|field, asked| match field {
        TaskField::Status | TaskField::Operation | TaskField::TestCycle | TaskField::Owner => true,
        TaskField::JobId => *asked == Test::Has,
        _ => false,
    })
}

/// As [`is_of_class`], or the last change may count too: the index of a class's tasks tells.
pub(super) fn is_of_member(filter: &Filter<TaskField>) -> bool {
    asks_only(filter, &|field, asked| {
        *field == TaskField::UpdatedAt || is_of_class(&Filter::Test(field.clone(), asked.clone()))
    })
}

/// The values that a test of equality names.
pub(super) fn named(asked: &Test) -> &[Given] {
    match asked {
        Test::Is(Comparison::Equal | Comparison::NotEqual, value) => std::slice::from_ref(value),
        Test::In(values) => values,
        Test::Has | Test::Is(..) | Test::StartsWith(_) => &[],
    }
}

/// A condition for each value that is named; true or false, and the other way round for `!=`.
fn one_of(asked: &Test, one: impl Fn(&Given) -> Sql) -> Sql {
    let after = if matches!(asked, Test::Is(Comparison::NotEqual, _)) { ") IS NOT TRUE)" } else { ") IS TRUE)" };
    Sql::joined(named(asked).iter().map(one), " OR ").within("((0 OR ", after)
}

fn task_id(asked: &Test) -> Sql {
    if *asked == Test::Has {
        return Sql::new("1", []);
    }
    one_of(asked, |value| match TaskId::parse(text(value)) {
        Ok(id) => Sql::new("(t.bucket = ? AND t.id = ?)", id_values(id)),
        Err(_) => Sql::new("0", []),
    })
}

fn device_id(asked: &Test) -> Sql {
    if *asked == Test::Has {
        return Sql::new(OF_ANY_DEVICE, []);
    }
    one_of(asked, |value| Sql::new(OF_DEVICE, [as_is(value), as_is(value), as_is(value)]))
}

pub(super) fn job(value: &Given) -> Value {
    JobId::parse(text(value)).map_or(Value::Null, |id| Value::from(id.0.as_bytes().to_vec()))
}

fn status(value: &Given) -> Value {
    TaskStatus::parse(text(value)).map_or(Value::Null, |status| Value::from(task_status_number(status)))
}

pub(super) fn text(value: &Given) -> &str {
    match value {
        Given::Text(text) => text,
        Given::Number(_) | Given::Boolean(_) | Given::Time(_) => "",
    }
}
