//! What a value must be beyond its type: what the tables of the contract say in words, and the server checks.

use muster_broker::operation::DEFINITIONS;

use super::object;
use crate::contract::Node;

/// Text that XML can tell, too.
pub(super) const PLAIN: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*$";
/// Text of one line.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\ufffe\uffff]+$";
/// The name of a tenant or role.
const NAME: &str = "^[A-Za-z0-9._-]{1,64}$";
/// The name of a principal: no colon, because it travels in HTTP Basic.
const PRINCIPAL: &str = r"^[^\u0000-\u0020\u007f-\u00a0:\ufffe\uffff]+$";
/// A right: object, operation and qualifier.
const RIGHT: &str = r"^(\*|([A-Za-z0-9_-]{1,40}|\*)\.([A-Za-z0-9_-]{1,40}|\*)(:([A-Za-z0-9_-]{1,40}|\*))?)$";
/// An idempotency key.
pub(super) const KEY: &str = "^[!-~]{1,128}$";
/// Base64 of RFC 4648, section 4, with padding.
pub(super) const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
/// A time of day.
pub(super) const DAY_TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z?$";

/// Bounds of a field, by the record or operation it is of. They replace the schema of its type.
pub(super) fn of_field(owner: &str, field: &str) -> Option<Node<'static>> {
    let number = |least: i64, most: i64| {
        object! { "type": "integer", "format": "int32", "minimum": least, "maximum": most }
    };
    let most = i64::from(i32::MAX);
    let one_of = |values: &[&'static str]| {
        object! { "type": "string", "enum": values.iter().map(|value| Node::from(*value)).collect::<Vec<_>>() }
    };
    Some(match (owner, field) {
        (_, "requestId") => object! { "type": "string", "pattern": KEY, "minLength": 1, "maxLength": 128 },
        (_, "version" | "recordVersion") if owner != "PackageDescriptor" => {
            object! { "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX }
        }
        (_, "totalCount") => object! { "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX },
        ("PageRequest", "pageSize")
        | ("Schedule", "maxConcurrentTasks" | "tasksPerMinute" | "maxAttempts")
        | ("GetTraceMessages", "session") => number(1, most),
        ("Schedule", "retryDelaySeconds") => number(0, most),
        ("Schedule", "failureThresholdPercent") => number(0, 100),
        ("Deployment", "priority") => number(1, 9),
        ("SetDeviceTrace", "sessions") => number(1, 100),
        ("SetDeviceTrace", "durationSeconds") => {
            object! { "type": "integer", "format": "int64", "minimum": 1, "maximum": 7_776_000 }
        }
        ("DoOperation" | "OperationRequest" | "Deployment", "operation") => {
            let names: Vec<&'static str> = DEFINITIONS.iter().map(|it| it.operation.as_str()).collect();
            one_of(&names)
        }
        ("DmAccount", "authType") => one_of(&["BASIC", "DIGEST", "HMAC"]),
        ("CallbackAddress", "address") => {
            object! { "type": "string", "format": "uri", "pattern": "^https://[a-z0-9]+(\\.[a-z]+)+/[a-z]*$", "maxLength": 2000 }
        }
        ("CallbackAddress" | "RotateCallbackSecret", "secret") => {
            object! { "type": "string", "pattern": "^[!-~]{16,128}$" }
        }
        ("RotateCallbackSecret", "overlapSeconds") => {
            object! { "type": "integer", "format": "int64", "minimum": 0, "maximum": 2_592_000 }
        }
        ("ReplayDeadLetters", "eventId") => object! { "type": "string", "pattern": "^e-[0-9a-f]{32}$" },
        ("Callback", "soapVersion") => one_of(&["1.1", "1.2"]),
        (_, "imsi") => object! { "type": "string", "pattern": "^[0-9]{6,15}$" },
        ("DeviceCapability", "tac") => object! { "type": "string", "pattern": "^[0-9]{8}$" },
        ("DeviceCapability", "maxMsgSize" | "maxObjSize") => number(1, most),
        ("Tenant" | "Role", "name") => object! { "type": "string", "pattern": NAME },
        ("Principal", "name") => object! { "type": "string", "minLength": 1, "maxLength": 100, "pattern": PRINCIPAL },
        ("CreateApiKey" | "ApiKey" | "Grant" | "Role" | "OwnRight", "right") => {
            object! { "type": "string", "pattern": RIGHT }
        }
        (_, name) if line_max(owner, name).is_some() => {
            object! { "type": "string", "minLength": 1, "maxLength": line_max(owner, name)?, "pattern": LINE }
        }
        (_, name) if prose_max(owner, name).is_some() => {
            object! { "type": "string", "maxLength": prose_max(owner, name)?, "pattern": PLAIN }
        }
        (_, name) if is_never_empty(owner, name) => {
            object! { "type": "string", "minLength": 1, "pattern": PLAIN }
        }
        _ => return None,
    })
}

/// Most characters of a text of one line, which is never empty.
fn line_max(owner: &str, field: &str) -> Option<i64> {
    Some(match (owner, field) {
        ("DeviceInstance" | "DeviceFilter" | "DeviceCapability", "manufacturer" | "model" | "firmwareVersion")
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
        | ("SetQuota" | "GetQuotas", "principal") => 255,
        ("DeviceInstance" | "DeviceFilter" | "Grant", "group") | ("NameValue", "name") => 100,
        ("DoBulkOperation" | "Deployment", "name") | ("Tenant" | "Principal", "displayName") => 200,
        ("Principal", "subject") => 500,
        ("CreateApiKey", "name") | ("IdentityProvider", "displayName") => 128,
        _ => return None,
    })
}

/// Most characters of a text of any number of lines.
fn prose_max(owner: &str, field: &str) -> Option<i64> {
    Some(match (owner, field) {
        ("Deployment", "description") => 2000,
        ("CallbackAddress", "description")
        | ("Role", "about")
        | ("Callback", "reference")
        | ("CancelJob" | "CancelTask" | "PauseJob" | "RestartJob" | "Approve" | "Withdraw", "reason") => 1000,
        _ => return None,
    })
}

/// Texts that are refused when they are empty.
fn is_never_empty(owner: &str, field: &str) -> bool {
    match owner {
        "DeviceInstance" => matches!(
            field,
            "manufacturer"
                | "model"
                | "firmwareVersion"
                | "softwareVersion"
                | "deviceCapabilityOid"
                | "subscriberId"
                | "oid"
                | "group"
        ),
        "DeviceCapability" => {
            matches!(
                field,
                "manufacturer" | "model" | "firmwareVersion" | "dmVersion" | "managementObject" | "bootstrapMethod"
            )
        }
        "Subscriber" | "GetSubscribers" => matches!(field, "accountReference" | "subscriberId"),
        "DmAccount" => field == "clientName",
        "Parameter" => field == "path",
        "NameValue" => field == "name",
        "CallbackAddress" => field == "owner",
        "CallbackCredential" => field == "userName",
        _ => false,
    }
}

/// Most entries of a list.
pub(super) fn entries_max(owner: &str, field: &str) -> Option<i64> {
    match (owner, field) {
        ("DoBulkOperation", "request") | ("ImportDeviceInstances", "deviceInstance") => Some(1000),
        ("CreateDeployments", "deployment") | (_, "attribute") => Some(100),
        ("DeviceInstance" | "Principal" | "Tenant", "group" | "grant" | "callbackNetwork") => Some(50),
        ("Grant", "group" | "path") | ("CreateApiKey", "right" | "group" | "path") => Some(100),
        ("Role", "right") => Some(200),
        ("DeviceCapability", "tac") | ("ReplayDeadLetters", "eventId") => Some(1000),
        _ => None,
    }
}

/// Fields of which a record needs at least one.
pub(super) fn any_of(owner: &str) -> &'static [&'static str] {
    match owner {
        "DoOperation" | "OperationRequest" | "NewDeviceInstance" => &["phoneNumber", "deviceID"],
        _ => &[],
    }
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
