//! Tests on device records as conditions on their rows, and on the rows of their classes.

use muster_broker::device::ManagementState;
use muster_broker::filter::{Comparison, DeviceField, Filter, Test, Value as Given};
use muster_broker::id::{CapabilityOid, DeviceOid};
use rusqlite::types::Value;

use super::super::classes::{
    HAS_DEVICE_ID, HAS_GROUP, HAS_IMSI, HAS_LAST_SEEN, HAS_PHONE_NUMBER, HAS_SUBSCRIBER, Tallied,
};
use super::super::rows::management_state_number;
use super::condition::{Sql, as_is, plain, test};

/// Names and values of the further attributes of a row.
const ATTRIBUTES: &str =
    "EXISTS (SELECT 1 FROM json_each(d.attributes) a WHERE json_extract(a.value, '$[0]') = ? AND (";

/// A test as a condition on `device d`, and on `contact c` where it is about the last contact.
pub(in super::super) fn leaf(field: &DeviceField, asked: &Test) -> Sql {
    match field {
        DeviceField::Oid => oid(asked),
        DeviceField::DeviceId => test("d.device_id", asked, &as_is),
        DeviceField::PhoneNumber => test("d.phone_number", asked, &as_is),
        DeviceField::Imsi => test("d.imsi", asked, &as_is),
        DeviceField::CapabilityOid => test("d.capability", asked, &capability),
        DeviceField::Manufacturer => test("d.manufacturer", asked, &as_is),
        DeviceField::Model => test("d.model", asked, &as_is),
        DeviceField::FirmwareVersion => test("d.firmware_version", asked, &as_is),
        DeviceField::SoftwareVersion => test("d.software_version", asked, &as_is),
        DeviceField::ManagementState => test("d.management_state", asked, &state),
        DeviceField::SubscriberId => test("d.subscriber_id", asked, &as_is),
        DeviceField::Group => group(asked),
        DeviceField::LastSeenAt => test("c.last_seen_at", asked, &as_is),
        DeviceField::Attribute(name) => attribute(name, asked),
    }
}

/// Whether `contact c` is needed for it.
pub(super) fn needs_contact(filter: &Filter<DeviceField>) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(needs_contact),
        Filter::Not(inner) => needs_contact(inner),
        Filter::Test(field, _) => *field == DeviceField::LastSeenAt,
    }
}

/// Whether a record matches is the same for all records of a class.
pub(super) fn is_of_class(filter: &Filter<DeviceField>) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().all(is_of_class),
        Filter::Not(inner) => is_of_class(inner),
        Filter::Test(field, asked) => match field {
            DeviceField::CapabilityOid
            | DeviceField::Manufacturer
            | DeviceField::Model
            | DeviceField::FirmwareVersion
            | DeviceField::SoftwareVersion
            | DeviceField::ManagementState => true,
            DeviceField::DeviceId
            | DeviceField::PhoneNumber
            | DeviceField::Imsi
            | DeviceField::SubscriberId
            | DeviceField::Group => *asked == Test::Has,
            DeviceField::Oid | DeviceField::LastSeenAt | DeviceField::Attribute(_) => false,
        },
    }
}

/// A test as a condition on `device_class k`; only of those that [`is_of_class`] names.
pub(super) fn class_leaf(field: &DeviceField, asked: &Test) -> Sql {
    let has = |bit: i64| Sql::new(format!("k.has & {bit} <> 0"), []);
    match field {
        DeviceField::CapabilityOid => test("k.capability", asked, &capability),
        DeviceField::Manufacturer => test("k.manufacturer", asked, &as_is),
        DeviceField::Model => test("k.model", asked, &as_is),
        DeviceField::FirmwareVersion => test("k.firmware_version", asked, &as_is),
        DeviceField::SoftwareVersion => test("k.software_version", asked, &as_is),
        DeviceField::ManagementState => test("k.management_state", asked, &state),
        DeviceField::DeviceId => has(HAS_DEVICE_ID),
        DeviceField::PhoneNumber => has(HAS_PHONE_NUMBER),
        DeviceField::Imsi => has(HAS_IMSI),
        DeviceField::SubscriberId => has(HAS_SUBSCRIBER),
        DeviceField::Group => has(HAS_GROUP),
        DeviceField::Oid | DeviceField::LastSeenAt | DeviceField::Attribute(_) => Sql::new("0", []),
    }
}

/// The tally that a test asks for, and what it asks of the tallied value; nothing where values are not tallied.
pub(super) fn tallied(field: &DeviceField, asked: &Test) -> Option<(Tallied, Sql)> {
    let bit = |bit: i64| (*asked == Test::Has).then(|| (Tallied::Has, Sql::new("value = ?", [Value::from(bit)])));
    let text = |tallied| Some((tallied, plain("value", asked, &as_is)));
    match field {
        DeviceField::Manufacturer => text(Tallied::Manufacturer),
        DeviceField::Model => text(Tallied::Model),
        DeviceField::FirmwareVersion => text(Tallied::FirmwareVersion),
        DeviceField::SoftwareVersion => text(Tallied::SoftwareVersion),
        DeviceField::ManagementState => Some((Tallied::ManagementState, plain("value", asked, &state))),
        DeviceField::CapabilityOid => Some((Tallied::Capability, plain("value", asked, &capability))),
        DeviceField::DeviceId => bit(HAS_DEVICE_ID),
        DeviceField::PhoneNumber => bit(HAS_PHONE_NUMBER),
        DeviceField::Imsi => bit(HAS_IMSI),
        DeviceField::SubscriberId => bit(HAS_SUBSCRIBER),
        DeviceField::LastSeenAt => bit(HAS_LAST_SEEN),
        DeviceField::Group => match asked {
            Test::Has => bit(HAS_GROUP),
            Test::Is(..) => text(Tallied::Group),
            // A record may be in several of them.
            Test::In(values) if values.len() > 1 => None,
            Test::In(_) => text(Tallied::Group),
            Test::StartsWith(_) => None,
        },
        DeviceField::Attribute(name) => {
            (*asked == Test::Has).then(|| (Tallied::Attribute, Sql::new("value = ?", [Value::from(name.clone())])))
        }
        DeviceField::Oid => None,
    }
}

/// The index of classes by a field, and a condition that uses it.
pub(super) fn class_index(field: &DeviceField, asked: &Test) -> Option<(&'static str, Sql)> {
    if *asked == Test::Has || matches!(asked, Test::Is(Comparison::NotEqual, _)) {
        return None;
    }
    Some(match field {
        DeviceField::Manufacturer => ("device_class_manufacturer", plain("k.manufacturer", asked, &as_is)),
        DeviceField::Model => ("device_class_model", plain("k.model", asked, &as_is)),
        DeviceField::FirmwareVersion => ("device_class_firmware", plain("k.firmware_version", asked, &as_is)),
        DeviceField::SoftwareVersion => ("device_class_software", plain("k.software_version", asked, &as_is)),
        DeviceField::ManagementState => ("device_class_state", plain("k.management_state", asked, &state)),
        DeviceField::CapabilityOid => ("device_class_capability", plain("k.capability", asked, &capability)),
        _ => return None,
    })
}

/// The identifiers that a test names.
pub(super) fn named(asked: &Test) -> Vec<DeviceOid> {
    let values = match asked {
        Test::Is(Comparison::Equal | Comparison::NotEqual, value) => std::slice::from_ref(value),
        Test::In(values) => values,
        Test::Has | Test::Is(..) | Test::StartsWith(_) => &[],
    };
    values.iter().filter_map(|value| DeviceOid::parse(text(value)).ok()).collect()
}

fn oid(asked: &Test) -> Sql {
    if *asked == Test::Has {
        return Sql::new("1", []);
    }
    let one = |oid: DeviceOid| Sql::new("d.bucket = ? AND d.oid = ?", oid_values(oid)).within("(", ")");
    let named = named(asked).into_iter().map(one);
    let before = if matches!(asked, Test::Is(Comparison::NotEqual, _)) { "NOT (0 OR " } else { "(0 OR " };
    Sql::joined(named, " OR ").within(before, ")")
}

pub(super) fn oid_values(oid: DeviceOid) -> [Value; 2] {
    [Value::from(i64::from(oid.bucket.0)), Value::from(oid.unique.as_bytes().to_vec())]
}

fn group(asked: &Test) -> Sql {
    if *asked == Test::Has {
        return Sql::new("d.groups IS NOT NULL", []);
    }
    let (before, asked) = match asked {
        Test::Is(Comparison::NotEqual, value) => ("NOT EXISTS", Test::Is(Comparison::Equal, value.clone())),
        other => ("EXISTS", other.clone()),
    };
    let before = format!(
        "{before} (SELECT 1 FROM device_group g WHERE g.tenant = d.tenant AND g.bucket = d.bucket AND g.oid = d.oid AND "
    );
    plain("g.grp", &asked, &as_is).within(&before, ")")
}

fn attribute(name: &str, asked: &Test) -> Sql {
    let name = Sql::new(ATTRIBUTES, [Value::from(name.to_owned())]);
    let value = "json_extract(a.value, '$[1]')";
    match asked {
        Test::Is(Comparison::NotEqual, given) => {
            let equal = Test::Is(Comparison::Equal, given.clone());
            name.then(plain(value, &equal, &as_is)).within("NOT ", "))")
        }
        asked => name.then(plain(value, asked, &as_is)).within("", "))"),
    }
}

fn state(value: &Given) -> Value {
    let state = ManagementState::parse(text(value));
    state.map_or(Value::Null, |state| Value::from(management_state_number(state)))
}

fn capability(value: &Given) -> Value {
    CapabilityOid::parse(text(value)).map_or(Value::Null, |oid| Value::from(oid.0.as_bytes().to_vec()))
}

fn text(value: &Given) -> &str {
    match value {
        Given::Text(text) => text,
        Given::Number(_) | Given::Boolean(_) | Given::Time(_) => "",
    }
}
