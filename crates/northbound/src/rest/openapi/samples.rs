//! Examples of bodies and answers, made from the tables: what a field of this name usually holds.

use std::borrow::Cow;

use super::super::parameters::{body_fields, body_record};
use super::super::routes::Route;
use super::bounds;
use crate::contract::{FieldDescriptor, Kind, Node, is_page};

type Members = Vec<(Cow<'static, str>, Node<'static>)>;

/// Records within records; deeper there is nothing more to see.
const DEPTH_MAX: usize = 4;

/// A body that a route takes.
pub(super) fn body(route: &Route) -> Node<'static> {
    let fields: Vec<(&'static str, &'static FieldDescriptor)> = match body_record(route) {
        Some(record) => record.fields.iter().map(|field| (field.name, field)).collect(),
        None => body_fields(route),
    };
    let owner = body_record(route).map_or_else(|| route.operation.descriptor().name, |record| record.name);
    let is_in_path = |name: &str| route.path.contains(&format!("{{{name}}}"));
    let wanted = fields.into_iter().filter(|(_, field)| is_shown(owner, field) && !is_in_path(field.name));
    wanted.map(|(shown, field)| (Cow::Borrowed(shown), value(field, owner, true, 0))).collect::<Vec<_>>().into()
}

/// Whether a field belongs into an example of a request: what is required, and what most requests have.
fn is_shown(owner: &str, field: &FieldDescriptor) -> bool {
    if matches!(field.name, "oid" | "version" | "requestId" | "callback") || bounds::is_read_only(owner, field.name) {
        return false;
    }
    field.cardinality.is_required()
        || matches!(
            (owner, field.name),
            ("bindCertificate", "nameKind" | "nameValue")
                | ("revokeCertificate", "certificate")
                | ("replayDeadLetters", "eventId")
                | ("createPrincipal", "password")
                | ("Principal", "grant")
                | ("Grant", "role" | "group")
        )
        || matches!(
            field.name,
            "deviceID"
                | "phoneNumber"
                | "model"
                | "manufacturer"
                | "dmAccount"
                | "clientSecret"
                | "allDevices"
                | "reason"
                | "schedule"
                | "maxAttempts"
                | "tac"
                | "arguments"
                | "parameter"
                | "accountReference"
                | "optIn"
        )
}

/// An answer of a route.
pub(super) fn answer(route: &Route) -> Node<'static> {
    let Some(result) = &route.operation.descriptor().result else { return Node::Null };
    match result.kind {
        Kind::Record(_) => value(result, "", false, 0),
        Kind::BuiltIn(_) | Kind::Named(_) => {
            Node::Record(vec![(Cow::Borrowed(result.name), value(result, "", false, 0))])
        }
    }
}

/// A parameter of an address, where an example helps.
pub(super) fn parameter(name: &str) -> Option<Node<'static>> {
    match name {
        "deviceID" | "phoneNumber" | "taskId" | "jobId" | "oid" | "subscriberId" | "createdSince" | "createdBefore" => {
            Some(text_of(name).into())
        }
        "limit" => Some(100.into()),
        _ => None,
    }
}

fn value(field: &FieldDescriptor, owner: &str, is_request: bool, depth: usize) -> Node<'static> {
    let one = single(field, owner, is_request, depth);
    if field.cardinality.repeats() { Node::List(vec![one]) } else { one }
}

fn single(field: &FieldDescriptor, owner: &str, is_request: bool, depth: usize) -> Node<'static> {
    let base = match field.kind {
        Kind::Record(record) => {
            let is_list = is_page(record) && !is_request;
            let mut members: Members = Vec::new();
            for below in record.fields {
                let is_wanted = if is_request { is_shown(record.name, below) } else { is_told(record.name, below) };
                if !is_wanted || (depth >= DEPTH_MAX && !below.cardinality.is_required()) {
                    continue;
                }
                let shown = match below.name {
                    _ if is_list && below.cardinality.repeats() => "items",
                    name => name,
                };
                members.push((Cow::Borrowed(shown), value(below, record.name, is_request, depth + 1)));
            }
            return Node::Record(members);
        }
        Kind::Named(named) => match named.values {
            [] => return text_of(field.name).into(),
            values => {
                let text = values.iter().find(|value| preferred(value)).or(values.first()).copied().unwrap_or_default();
                return match text.parse::<i64>() {
                    Ok(number) if named.base == "xs:int" => number.into(),
                    Ok(_) | Err(_) => text.into(),
                };
            }
        },
        Kind::BuiltIn(base) => base,
    };
    match base {
        "xs:boolean" => matches!(field.name, "authenticated" | "enabled" | "allDevices" | "wbxml").into(),
        "xs:int" | "xs:long" => number_of(field.name).into(),
        "xs:base64Binary" => "AAECAw==".into(),
        "xs:time" => if field.name.ends_with("End") { "04:00:00" } else { "22:00:00" }.into(),
        "xs:anyURI" if field.name == "issuer" => "https://partner.example/id".into(),
        "xs:anyURI" => "https://partner.example/notify".into(),
        _ if field.name == "name" && owner == "IdentityProvider" => "corp".into(),
        _ if field.name == "name" && matches!(owner, "ApiKey" | "CertificateAuthority") => "billing".into(),
        _ if field.name == "name" && matches!(owner, "Tenant" | "Principal" | "Role") => "field-desk".into(),
        _ if field.name == "name" && owner != "NameValue" => "Read the firmware version".into(),
        _ => text_of(field.name).into(),
    }
}

/// Whether a field belongs into an example of an answer.
fn is_told(owner: &str, field: &FieldDescriptor) -> bool {
    !bounds::is_write_only(owner, field.name)
        // A grant is of a role or of a right.
        && (owner, field.name) != ("Grant", "right")
        && !matches!(field.name, "nextPageToken" | "forwardedTo" | "remoteTaskId" | "rejected" | "retryAfterSeconds")
}

fn preferred(value: &str) -> bool {
    matches!(value, "20" | "SUCCEEDED" | "RUNNING" | "MANAGED" | "RECEIVED" | "ACTIVE" | "URI")
}

fn number_of(name: &str) -> i64 {
    match name {
        "totalCount" | "count" | "created" | "number" | "messageCount" | "session" | "attempts" => 1,
        "version" => 3,
        "maxAttempts" => 5,
        "resultCode" | "status" => 200,
        "progressPercent" => 100,
        "index" | "updated" | "unchanged" | "leftOut" => 0,
        "failureThresholdPercent" | "percent" => 10,
        "successThresholdPercent" => 95,
        "durationSeconds" => 10_800,
        "tasksPerHour" => 12_744,
        "observedMinutes" => 15,
        "priority" => 5,
        "sessions" => 10,
        "maxRequestBytes" => 8 << 20,
        _ => 60,
    }
}

fn text_of(name: &str) -> &'static str {
    match name {
        "deviceID" | "actualDeviceID" => "IMEI:490154203237518",
        "phoneNumber" => "+15551234567",
        "imsi" => "001010123456789",
        "taskId" => "t0a1-01998f5e7c3a7d108b2f3f6f2f1c9a77",
        "jobId" => "j-01998f5e8a117c529d0e5b1f0f6a2c33",
        "oid" => "d0a1-01998f5d1c407aa2b3c18d4c6a0e9b12",
        "deviceCapabilityOid" => "c-01998f5d1c407aa2b3c18d4c6a0e9b12",
        "subscriberId" => "01998f60-2b7d-7e01-8c44-1a9d3c5e7f20",
        "createdSince" | "createdAt" | "startTime" | "beganAt" | "fromDate" => "2026-11-21T06:00:00.000Z",
        "createdBefore" | "endTime" | "toDate" | "until" | "latestEnd" => "2026-11-28T06:00:00.000Z",
        "updatedAt" | "finishedAt" | "lastAt" | "lastSeenAt" | "at" | "serverTime" => "2026-11-21T06:02:17.412Z",
        "expiresAt" => "2026-11-21T06:30:00.000Z",
        "eventId" => "e-01998f5e7c3a7d108b2f3f6f2f1c9a77",
        "callbackAddressId" => "a-01998f5d1c407aa2b3c18d4c6a0e9b12",
        "operation" => "QUERY",
        "path" => "./DevDetail/SwV",
        "value" => "2.4.1",
        "format" => "chr",
        "type" | "contentType" => "text/plain",
        "userName" | "owner" | "actor" => "shop",
        "password" | "clientSecret" => "correct horse battery staple",
        "tenant" => "default",
        "sessionId" => "q0mPq3Xc0m0hUoT3mXb0gq0mPq3Xc0m0hUoT3mXb0gs",
        "name" => "colour",
        "manufacturer" => "Acme",
        "model" => "M1",
        "firmwareVersion" | "softwareVersion" => "2.4.1",
        "authType" => "DIGEST",
        "clientName" => "490154203237518",
        "tac" => "49015420",
        "dmVersion" => "1.2",
        "managementObject" => "urn:oma:mo:oma-fumo:1.0",
        "bootstrapMethod" => "CP-NETWPIN",
        "group" => "field-test",
        "reason" => "Asked for by the customer.",
        "timeZone" => "Europe/Berlin",
        "cron" => "0 2 * * MON-FRI",
        "earliestEnd" | "soaksUntil" => "2026-11-22T06:00:00.000Z",
        "basis" => "212.4 tasks a minute, seen for 15 min, give or take 8 %",
        "event" => "SessionOpened",
        "messageId" => "DMS0103",
        "serverId" | "serverName" => "muster",
        "contractVersion" => "1.0",
        "productVersion" => "Muster 0.1.0",
        "feature" => "FEDERATION",
        "accountReference" => "A-4711",
        "importId" => "01998f61-0d3c-7b90-a5e7-2f8b4c6d8e10",
        "certificate" | "trustedCertificates" => include_str!("authority.crt"),
        "authorityId" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "principal" | "createdBy" | "revokedBy" => "shop",
        "nameValue" => "urn:example:shop",
        "subject" | "issuer" => "CN=Example clients",
        "serialNumber" => "4a8f21",
        "notBefore" | "listMadeAt" | "revokedAt" | "lastUsedAt" => "2026-11-21T06:00:00.000Z",
        "notAfter" | "nextListAt" => "2026-11-28T06:00:00.000Z",
        "keyId" => "mv4xg5dmnq2gs3lq",
        "key" => "mk_mv4xg5dmnq2gs3lq_…",
        "right" => "device.read",
        "clientId" => "muster",
        "scope" => "profile",
        "tokenAudience" => "urn:example:muster",
        "groupsClaim" => "groups",
        "role" => "care",
        "displayName" => "Shop in the High Street",
        "about" => "Sees what happened at night.",
        "callbackNetwork" => "10.1.0.0/16",
        _ => "…",
    }
}
