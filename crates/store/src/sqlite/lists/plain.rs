//! Tests on jobs and on device capability records, of which there are so few that one index has all that is asked for.

use muster_broker::filter::{CapabilityField, Comparison, JobField, Test, Value as Given};
use muster_broker::id::{CapabilityOid, JobId};
use muster_broker::job::JobStatus;
use rusqlite::types::Value;

use super::super::query::Where;
use super::super::rows::job_status_number;
use super::condition::{Sql, as_is, condition, plain, test};

/// Adds an expression as a condition on `job j`.
pub(in super::super) fn job_condition(wanted: &mut Where, filter: Option<&muster_broker::filter::Filter<JobField>>) {
    if let Some(filter) = filter {
        let Sql { text, values } = condition(filter, &job_leaf);
        wanted.and(text, values);
    }
}

/// Adds an expression as a condition on `capability k`.
pub(in super::super) fn capability_condition(
    wanted: &mut Where,
    filter: Option<&muster_broker::filter::Filter<CapabilityField>>,
) {
    if let Some(filter) = filter {
        let Sql { text, values } = condition(filter, &capability_leaf);
        wanted.and(text, values);
    }
}

fn job_leaf(field: &JobField, asked: &Test) -> Sql {
    let id = |value: &Given| blob(value, |text| JobId::parse(text).ok().map(|id| *id.0.as_bytes()));
    let status = |value: &Given| {
        JobStatus::parse(text(value)).map_or(Value::Null, |status| Value::from(job_status_number(status)))
    };
    match field {
        JobField::JobId => plain("j.id", asked, &id),
        JobField::Name => plain("j.name", asked, &as_is),
        JobField::Operation => test("j.operation", asked, &as_is),
        JobField::Status => plain("j.status", asked, &status),
        JobField::Owner => plain("j.owner", asked, &as_is),
        JobField::TestCycle => plain("j.test_cycle", asked, &as_is),
        JobField::CreatedAt => plain("j.created_at", asked, &as_is),
        JobField::FinishedAt => test("j.finished_at", asked, &as_is),
    }
}

fn capability_leaf(field: &CapabilityField, asked: &Test) -> Sql {
    let oid = |value: &Given| blob(value, |text| CapabilityOid::parse(text).ok().map(|oid| *oid.0.as_bytes()));
    match field {
        CapabilityField::Oid => plain("k.oid", asked, &oid),
        CapabilityField::Manufacturer => plain("k.manufacturer", asked, &as_is),
        CapabilityField::Model => plain("k.model", asked, &as_is),
        CapabilityField::FirmwareVersion => test("k.firmware_version", asked, &as_is),
        CapabilityField::Tac => tac(asked),
    }
}

fn tac(asked: &Test) -> Sql {
    let (before, asked) = match asked {
        Test::Is(Comparison::NotEqual, value) => ("NOT EXISTS", Test::Is(Comparison::Equal, value.clone())),
        other => ("EXISTS", other.clone()),
    };
    let before = format!("{before} (SELECT 1 FROM capability_tac c WHERE c.oid = k.oid AND c.tenant = k.tenant AND ");
    plain("c.tac", &asked, &as_is).within(&before, ")")
}

fn blob(value: &Given, read: impl FnOnce(&str) -> Option<[u8; 16]>) -> Value {
    read(text(value)).map_or(Value::Null, |octets| Value::from(octets.to_vec()))
}

fn text(value: &Given) -> &str {
    match value {
        Given::Text(text) => text,
        Given::Number(_) | Given::Boolean(_) | Given::Time(_) => "",
    }
}
