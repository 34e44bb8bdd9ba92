//! What a value must be beyond its type: what the tables of the contract say in words, and the server checks. The
//! numbers are those that the checks read.

use std::ops::RangeInclusive;

use muster_broker::bounds::{
    ABOUT_CHARS_MAX, ATTEMPTS, ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTE_VALUE_CHARS_MAX, ATTRIBUTES_MAX,
    CAPABILITY_VALUES_MAX, CERTIFICATE_NAME_CHARS_MAX, CRON_OCTETS_MAX, DANGEROUS_PATH_CHARS_MAX,
    DEPLOYMENT_ABOUT_CHARS_MAX, DEPLOYMENTS_MAX, DISPLAY_CHARS_MAX, ERASURES_MAX, FAILURE_PERCENTS, GRANTS_MAX,
    GROUP_CHARS_MAX, GROUPS_MAX, IMSI_DIGITS, KEY_CHARS, KEY_NAME_CHARS_MAX, KEY_SCOPE_MAX, MEDIA_TYPE_OCTETS_MAX,
    NAME_CHARS_MAX, NARROWINGS_MAX, NETWORKS_MAX, NODE_FORMATS, NODE_PATH_OCTETS_MAX, NODE_VALUE_OCTETS_MAX, NODES_MAX,
    NONCE_OCTETS_MAX, OPTIONS_MAX, PACES, PASSWORD_CHARS, PRINCIPAL_CHARS_MAX, PRIORITIES, PROVIDER_ENTRIES_MAX,
    PROVIDER_NAME_CHARS_MAX, PROVIDER_PEM_OCTETS_MAX, PROVIDER_SECRET_CHARS_MAX, PROVIDER_TEXT_CHARS_MAX,
    REASON_CHARS_MAX, RECORDS_MAX, REFERENCE_CHARS_MAX, REPLAYS_MAX, REQUESTS_MAX, RETRY_DELAYS_S, ROLE_RIGHTS_MAX,
    SECRET_OVERLAP_S_MAX, SELECTED_CAPABILITIES_MAX, SERIAL_OCTETS_MAX, SHARES_OF_WAVES, SIZES_OF_WAVES,
    SUBJECT_CHARS_MAX, TACS_MAX, TEXT_CHARS_MAX, TIMES_OF_WAVES_S, TREE_PATH_OCTETS_MAX, WAVES_MAX,
    WEBHOOK_SECRET_CHARS, WINDOW_DURATIONS_S, WINDOWS_MAX,
};
use muster_broker::callback::CallbackUrl;
use muster_broker::ledger::NAME_IN_TEXT_MIN;
use muster_broker::operation::{Arguments, DEFINITIONS};
use muster_broker::power::{Class, Policy};
use muster_broker::quota::Kind;
use muster_broker::trace::Recording;

use super::object;
use super::patterns::{
    ANCHOR, ASCII, BASE64, CALLBACK, CRON, DANGEROUS, EVENT_ID, ISSUER, JOB_ID, LINE, NAME, NAME_OR_ALL, NETWORK, NODE,
    PLACE, PLAIN, PRINCIPAL, PROVIDER, RIGHT, SCOPE, SERIAL, TASK_ID, UUID, VISIBLE,
};
use super::schemas::referring;
use crate::contract::Node;

/// Bounds of a field, by the record or operation it is of. They replace the schema of its type.
pub(super) fn of_field(owner: &str, field: &str) -> Option<Node<'static>> {
    Some(match (owner, field) {
        (_, "requestId") => key(),
        (_, "version" | "recordVersion") if owner != "PackageDescriptor" => long(0, i64::MAX),
        (_, "totalCount") => long(0, i64::MAX),
        ("PageRequest", "pageSize") | ("GetTraceMessages", "session") | ("GetChargeableEvents", "limit") => {
            number(1..=i32::MAX)
        }
        ("Schedule", "maxConcurrentTasks" | "tasksPerMinute") => number(PACES),
        ("Schedule", "maxAttempts") => number(ATTEMPTS),
        ("Schedule", "retryDelaySeconds") => number(RETRY_DELAYS_S),
        ("Schedule" | "Wave", "failureThresholdPercent") | ("Wave", "successThresholdPercent") => {
            number(FAILURE_PERCENTS)
        }
        ("Wave", "count") => number(SIZES_OF_WAVES),
        ("Wave", "percent") => number(SHARES_OF_WAVES),
        ("Wave", "minObserved") => number(0..=*SIZES_OF_WAVES.end()),
        ("Wave", "soakSeconds" | "rampSeconds") => number(TIMES_OF_WAVES_S),
        ("MaintenanceWindow", "durationSeconds") => number(WINDOW_DURATIONS_S),
        ("MaintenanceWindow", "cron") => object! {
            "type": "string", "minLength": 9, "maxLength": count(CRON_OCTETS_MAX), "pattern": CRON.as_str(),
        },
        ("Deployment", "priority") => number(PRIORITIES),
        ("SetDeviceTrace", "sessions") => number(1..=Recording::SESSIONS_MAX),
        ("SetDeviceTrace", "durationSeconds") => long(1, Recording::LIFE_S_MAX),
        ("ApprovalPolicy", "windowHours") => number(1..=Policy::WINDOW_HOURS_MAX),
        ("ApprovalPolicy", "lifeHours") => number(1..=Policy::LIFE_HOURS_MAX),
        ("ApprovalRule", "deviceCap" | "singleCap") => long(0, i64::try_from(Policy::CAP_MAX).ok()?),
        ("DangerousNode", "path") => text(1, DANGEROUS_PATH_CHARS_MAX, DANGEROUS),
        ("SetQuota", "limit") => long(0, i64::try_from(Kind::LIMIT_MAX).ok()?),
        ("DoOperation" | "OperationRequest" | "Deployment", "operation") => {
            one_of(DEFINITIONS.iter().map(|it| it.operation.as_str()))
        }
        ("OperationArguments", "parameter") => referring("GivenParameter"),
        ("OperationArguments", "option") => referring("GivenOption"),
        ("GivenParameter", "path") => text(1, NODE_PATH_OCTETS_MAX, NODE),
        ("GivenParameter", "value") => text(0, NODE_VALUE_OCTETS_MAX, PLAIN),
        ("GivenParameter", "format") => one_of(NODE_FORMATS.iter().copied()),
        ("GivenParameter", "type") => text(1, MEDIA_TYPE_OCTETS_MAX, ASCII),
        ("DmAccount", "authType") => one_of(["BASIC", "DIGEST", "HMAC"]),
        ("DmAccount", "clientSecret" | "serverSecret") => text(1, TEXT_CHARS_MAX, PLAIN),
        ("DmAccount", "clientNonce" | "serverNonce") => object! {
            "type": "string", "contentEncoding": "base64", "maxLength": count(NONCE_OCTETS_MAX.div_ceil(3) * 4),
            "pattern": BASE64,
        },
        ("CallbackAddress", "address") => text(1, CallbackUrl::BYTES_MAX, CALLBACK),
        ("CallbackAddress" | "RotateCallbackSecret", "secret") => texts(&WEBHOOK_SECRET_CHARS, VISIBLE),
        ("RotateCallbackSecret", "overlapSeconds") => long(0, SECRET_OVERLAP_S_MAX),
        ("ReplayDeadLetters", "eventId") => object! { "type": "string", "pattern": EVENT_ID },
        ("Callback", "soapVersion") => one_of(["1.1", "1.2"]),
        (_, "imsi") => texts(&IMSI_DIGITS, "^[0-9]+$"),
        ("DeviceCapability", "tac") => object! { "type": "string", "pattern": "^[0-9]{8}$" },
        ("DeviceCapability", "maxMsgSize" | "maxObjSize") => number(1..=i32::MAX),
        ("Tenant" | "Role", "name") => text(1, NAME_CHARS_MAX, NAME),
        // An erasure is of one tenant, which may be gone.
        ("ErasePersonalData", "tenant") => {
            object! { "type": "string", "pattern": PLAIN, "not": object! { "const": "*" } }
        }
        ("ErasePersonalData", "otherName") => text(NAME_IN_TEXT_MIN, TEXT_CHARS_MAX, LINE),
        ("Tenant", "callbackNetwork") => object! { "type": "string", "pattern": NETWORK },
        ("Grant", "tenant") => text(1, NAME_CHARS_MAX, NAME_OR_ALL),
        ("Grant" | "OwnRight" | "CreateApiKey" | "ApiKey", "path") => text(1, TREE_PATH_OCTETS_MAX, PLACE),
        ("Principal", "name") => text(1, PRINCIPAL_CHARS_MAX, PRINCIPAL),
        ("CreatePrincipal" | "SetPassword", "password") => texts(&PASSWORD_CHARS, LINE),
        ("CreateApiKey" | "ApiKey" | "Grant" | "Role" | "OwnRight", "right") => {
            object! { "type": "string", "pattern": RIGHT.as_str() }
        }
        ("IdentityProvider", "name") => text(1, PROVIDER_NAME_CHARS_MAX, PROVIDER),
        ("IdentityProvider", "issuer") => text(1, PROVIDER_TEXT_CHARS_MAX, ISSUER),
        ("IdentityProvider", "clientSecret") => text(1, PROVIDER_SECRET_CHARS_MAX, PLAIN),
        ("IdentityProvider", "trustedCertificates") => text(0, PROVIDER_PEM_OCTETS_MAX, PLAIN),
        ("IdentityProvider", "scope") => text(1, PROVIDER_TEXT_CHARS_MAX, SCOPE),
        ("RevokeCertificate", "serialNumber") => text(1, SERIAL_OCTETS_MAX * 3, SERIAL),
        ("GetAuditEntries", "taskId") => object! { "type": "string", "pattern": TASK_ID },
        ("GetAuditEntries", "jobId") => object! { "type": "string", "pattern": JOB_ID },
        ("GetAuditEntries", "correlationId") => object! { "type": "string", "pattern": UUID },
        ("VerifyAuditLog", "after" | "anchor") => object! { "type": "string", "pattern": ANCHOR },
        (_, name) if line_max(owner, name).is_some() => text(1, line_max(owner, name)?, LINE),
        (_, name) if prose_max(owner, name).is_some() => text(0, prose_max(owner, name)?, PLAIN),
        (_, name) if is_never_empty(owner, name) => {
            object! { "type": "string", "minLength": 1, "pattern": PLAIN }
        }
        _ => return None,
    })
}

/// An idempotency key.
pub(super) fn key() -> Node<'static> {
    texts(&KEY_CHARS, VISIBLE)
}

/// An option of an operation. Which of them an operation takes, its definition tells.
pub(super) fn option() -> Node<'static> {
    let named = |names: Vec<&'static str>, value: Node<'static>| {
        object! {
            "type": "object",
            "properties": object! { "name": one_of(names), "value": value },
            "required": vec![Node::from("name"), Node::from("value")],
            "additionalProperties": false,
        }
    };
    let mut switches: Vec<&'static str> = Vec::new();
    for argument in DEFINITIONS.iter().flat_map(|definition| definition.arguments) {
        if !matches!(argument.name, "parameter" | "depth" | "correlator") && !switches.contains(&argument.name) {
            switches.push(argument.name);
        }
    }
    let depths = (1..=Arguments::DEPTH_MAX).map(|depth| Node::from(depth.to_string())).collect::<Vec<_>>();
    object! {
        "description": "An option of an operation.",
        "oneOf": vec![
            named(switches, one_of(["true", "false", "1", "0"])),
            named(vec!["depth"], object! { "type": "string", "enum": depths }),
            named(vec!["correlator"], text(1, muster_broker::bounds::CORRELATOR_CHARS_MAX, LINE)),
        ],
    }
}

/// Text of so many characters.
fn text(least: usize, most: usize, pattern: &'static str) -> Node<'static> {
    object! { "type": "string", "minLength": count(least), "maxLength": count(most), "pattern": pattern }
}

fn texts(chars: &RangeInclusive<usize>, pattern: &'static str) -> Node<'static> {
    text(*chars.start(), *chars.end(), pattern)
}

fn number<N: Copy + Into<i64>>(range: RangeInclusive<N>) -> Node<'static> {
    let (least, most): (i64, i64) = ((*range.start()).into(), (*range.end()).into());
    object! { "type": "integer", "format": "int32", "minimum": least, "maximum": most }
}

fn long(least: i64, most: i64) -> Node<'static> {
    object! { "type": "integer", "format": "int64", "minimum": least, "maximum": most }
}

fn one_of(values: impl IntoIterator<Item = &'static str>) -> Node<'static> {
    object! { "type": "string", "enum": values.into_iter().map(Node::from).collect::<Vec<_>>() }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Most characters of a text of one line, which is never empty.
fn line_max(owner: &str, field: &str) -> Option<usize> {
    Some(match (owner, field) {
        ("DeviceInstance" | "DeviceFilter" | "DeviceCapability", "manufacturer" | "model" | "firmwareVersion")
        | ("DeviceCapability", "dmVersion" | "managementObject" | "bootstrapMethod")
        | ("GetDeviceCapabilities" | "GetDeviceCapabilityByModel", "manufacturer" | "model" | "firmwareVersion")
        | ("DeviceInstance", "softwareVersion")
        | ("DmAccount", "clientName" | "serverId" | "serverName")
        | ("Subscriber" | "GetSubscribers", "accountReference")
        | ("Subscriber" | "ErasePersonalData", "subscriberId")
        | ("GetJobs" | "GetJobsByDate" | "CallbackAddress" | "GetCallbackAddresses", "owner")
        | ("CallbackCredential", "userName" | "password")
        | ("AddTrustedCertificateAuthority", "name")
        | ("RevokeCertificate", "reason")
        | ("GetApprovals", "requester")
        | ("GetAuditEntries", "actor" | "operation" | "objectKind" | "objectId")
        | ("SetQuota" | "GetQuotas", "principal") => TEXT_CHARS_MAX,
        ("DeviceInstance" | "DeviceFilter" | "Grant" | "CreateApiKey" | "ApiKey" | "OwnRight", "group") => {
            GROUP_CHARS_MAX
        }
        ("NameValue", "name") => ATTRIBUTE_NAME_CHARS_MAX,
        ("DoBulkOperation" | "Deployment", "name") | ("Tenant" | "Principal", "displayName") => DISPLAY_CHARS_MAX,
        ("Principal", "subject") => SUBJECT_CHARS_MAX,
        ("CreateApiKey", "name") => KEY_NAME_CHARS_MAX,
        ("BindCertificate" | "UnbindCertificate", "nameValue") => CERTIFICATE_NAME_CHARS_MAX,
        ("IdentityProvider", "displayName" | "clientId" | "groupsClaim" | "tokenAudience")
        | ("RoleOfGroup", "group" | "role") => PROVIDER_TEXT_CHARS_MAX,
        _ => return None,
    })
}

/// Most characters of a text of any number of lines.
fn prose_max(owner: &str, field: &str) -> Option<usize> {
    Some(match (owner, field) {
        ("Deployment", "description") => DEPLOYMENT_ABOUT_CHARS_MAX,
        ("CallbackAddress", "description") | ("Role", "about") => ABOUT_CHARS_MAX,
        ("Callback", "reference") => REFERENCE_CHARS_MAX,
        ("CancelJob" | "CancelTask" | "PauseJob" | "RestartJob" | "ReleaseWave", "reason")
        | ("Approve" | "Refuse" | "Withdraw", "reason") => REASON_CHARS_MAX,
        ("NameValue", "value") => ATTRIBUTE_VALUE_CHARS_MAX,
        _ => return None,
    })
}

/// Texts that are refused when they are empty.
fn is_never_empty(owner: &str, field: &str) -> bool {
    field == "filterExpression"
        || matches!((owner, field), ("DeviceInstance", "deviceCapabilityOid" | "subscriberId" | "oid"))
}

/// Most entries of a list.
pub(super) fn entries_max(owner: &str, field: &str) -> Option<i64> {
    let most = match (owner, field) {
        ("DoBulkOperation", "request") => REQUESTS_MAX,
        ("ImportDeviceInstances", "deviceInstance") => RECORDS_MAX,
        ("CreateDeployments", "deployment") => DEPLOYMENTS_MAX,
        ("DeviceSelector", "deviceCapabilityOid") => SELECTED_CAPABILITIES_MAX,
        ("OperationArguments", "parameter") => NODES_MAX,
        ("OperationArguments", "option") => OPTIONS_MAX,
        (_, "attribute") => ATTRIBUTES_MAX,
        ("DeviceInstance", "group") => GROUPS_MAX,
        ("Principal", "grant") => GRANTS_MAX,
        ("Tenant", "callbackNetwork") => NETWORKS_MAX,
        ("Grant", "group" | "path") => NARROWINGS_MAX,
        ("CreateApiKey", "right" | "group" | "path") => KEY_SCOPE_MAX,
        ("Role", "right") => ROLE_RIGHTS_MAX,
        ("DeviceCapability", "tac") => TACS_MAX,
        ("DeviceCapability", "dmVersion" | "managementObject" | "bootstrapMethod") => CAPABILITY_VALUES_MAX,
        ("ReplayDeadLetters", "eventId") => REPLAYS_MAX,
        ("Schedule", "wave") => WAVES_MAX,
        ("Schedule", "maintenanceWindow") => WINDOWS_MAX,
        ("ErasePersonalData", "phoneNumber" | "deviceID" | "otherName") => ERASURES_MAX,
        ("IdentityProvider", "scope" | "tokenAudience" | "roleOfGroup") => PROVIDER_ENTRIES_MAX,
        // One for each class.
        ("ApprovalPolicy", "rule") => Class::NAMES.len(),
        ("ApprovalPolicy", "dangerousNode") => Policy::NODES_MAX,
        _ => return None,
    };
    Some(count(most))
}

/// Whether each entry of a list may stand once.
pub(super) fn is_set(owner: &str, field: &str) -> bool {
    (owner, field) == ("DeviceInstance", "group")
}

/// Fields of which a record needs at least one; of a list, at least one entry.
pub(super) fn any_of(owner: &str) -> &'static [&'static str] {
    match owner {
        "DoOperation" | "OperationRequest" | "NewDeviceInstance" => &["phoneNumber", "deviceID"],
        "Grant" => &["role", "right"],
        "Wave" => &["count", "percent"],
        "ReplayDeadLetters" => &["eventId", "callbackAddressId"],
        "ErasePersonalData" => &["subscriberId", "phoneNumber", "deviceID"],
        _ => &[],
    }
}

/// Fields of a record that need another one.
pub(super) fn needed_with(owner: &str) -> &'static [(&'static str, &'static str)] {
    match owner {
        "Schedule" => &[("dailyWindowStart", "dailyWindowEnd"), ("dailyWindowEnd", "dailyWindowStart")],
        "BindCertificate" => &[("nameKind", "nameValue"), ("nameValue", "nameKind")],
        "RevokeCertificate" => &[("authorityId", "serialNumber"), ("serialNumber", "authorityId")],
        _ => &[],
    }
}

/// Fields that a record within a record needs here, though it does not need them everywhere: an account that is changed may
/// leave its secret as it is.
pub(super) fn needed_below(owner: &str) -> &'static [(&'static str, &'static str)] {
    if owner == "NewDeviceInstance" { &[("dmAccount", "clientSecret")] } else { &[] }
}

/// Whether callers never write a field.
pub(super) fn is_read_only(owner: &str, field: &str) -> bool {
    // Records are named by their address, and their version goes into If-Match; both are taken in a body too.
    field == "version"
        || matches!(
            (owner, field),
            ("DeviceInstance", "lastSeenAt" | "oid")
                | ("DeviceCapability", "oid")
                | ("Subscriber", "deviceID")
                | ("IdentityProvider" | "Tenant", "createdAt")
                | ("Principal", "createdAt" | "hasPassword" | "takesDigest")
                | ("Role", "createdAt" | "builtIn")
                | ("CallbackAddress", "callbackAddressId" | "createdAt" | "previousSecretUntil")
        )
}

/// Whether the server never tells a field.
pub(super) fn is_write_only(owner: &str, field: &str) -> bool {
    matches!(
        (owner, field),
        ("DmAccount", "clientSecret" | "clientNonce" | "serverSecret" | "serverNonce")
            | ("IdentityProvider", "clientSecret")
            | ("CallbackCredential", "password")
    )
}
