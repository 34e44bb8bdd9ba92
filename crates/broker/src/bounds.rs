//! Bounds of what callers give. Checks read them here, and so do the descriptions of the faces: what is told to callers and
//! what is refused cannot differ.

use std::ops::RangeInclusive;

/// Most characters of a name, a version or a reference of a record.
pub const TEXT_CHARS_MAX: usize = 255;
/// Most characters of a name for people.
pub const DISPLAY_CHARS_MAX: usize = 200;
/// Most characters of a description.
pub const ABOUT_CHARS_MAX: usize = 1000;
/// Most characters of the reason for what a caller does.
pub const REASON_CHARS_MAX: usize = 1000;
/// Characters of an idempotency key.
pub const KEY_CHARS: RangeInclusive<usize> = 1..=128;
/// Most further attributes of a record.
pub const ATTRIBUTES_MAX: usize = 100;
/// Most characters of the name of an attribute.
pub const ATTRIBUTE_NAME_CHARS_MAX: usize = 100;
/// Most characters of the value of an attribute.
pub const ATTRIBUTE_VALUE_CHARS_MAX: usize = 1000;

/// Digits of an IMSI.
pub const IMSI_DIGITS: RangeInclusive<usize> = 6..=15;
/// Most characters of the name of a group of devices.
pub const GROUP_CHARS_MAX: usize = 100;
/// Most groups of a device.
pub const GROUPS_MAX: usize = 50;
/// Most octets of a nonce.
pub const NONCE_OCTETS_MAX: usize = 255;
/// Most records of an import in one request.
pub const RECORDS_MAX: usize = 1000;
/// Most type allocation codes of a kind of devices.
pub const TACS_MAX: usize = 1000;
/// Most protocol versions, management objects and ways of bootstrap of a kind of devices, each.
pub const CAPABILITY_VALUES_MAX: usize = 200;

/// Most characters of the name of a tenant or role.
pub const NAME_CHARS_MAX: usize = 64;
/// Most characters of the name of a principal.
pub const PRINCIPAL_CHARS_MAX: usize = 100;
/// Most characters of what an identity provider calls a principal.
pub const SUBJECT_CHARS_MAX: usize = 500;
/// Characters of a password.
pub const PASSWORD_CHARS: RangeInclusive<usize> = 12..=256;
/// Most grants of a principal.
pub const GRANTS_MAX: usize = 50;
/// Most groups or places that a grant is narrowed to, each.
pub const NARROWINGS_MAX: usize = 100;
/// Most octets of such a place.
pub const TREE_PATH_OCTETS_MAX: usize = 1024;
/// Most characters of each part of a right.
pub const RIGHT_PART_CHARS_MAX: usize = 40;
/// Most rights of a role.
pub const ROLE_RIGHTS_MAX: usize = 200;
/// Most networks that callbacks of a tenant may go to though they are nobody's.
pub const NETWORKS_MAX: usize = 50;
/// Most characters of the name of an API key.
pub const KEY_NAME_CHARS_MAX: usize = 128;
/// Most rights, groups or places that an API key is narrowed to, each.
pub const KEY_SCOPE_MAX: usize = 100;
/// Most characters of a name in a certificate.
pub const CERTIFICATE_NAME_CHARS_MAX: usize = 500;
/// Most octets of a serial number: 20 by RFC 5280, with room for those who broke it.
pub const SERIAL_OCTETS_MAX: usize = 64;
/// Most numbers or devices of an erasure, each.
pub const ERASURES_MAX: usize = 100;

/// Most characters of the name of an identity provider.
pub const PROVIDER_NAME_CHARS_MAX: usize = 64;
/// Most characters of any other setting of an identity provider.
pub const PROVIDER_TEXT_CHARS_MAX: usize = 500;
/// Most scopes, audiences or groups of an identity provider, each.
pub const PROVIDER_ENTRIES_MAX: usize = 100;
/// Most characters of our secret at an identity provider.
pub const PROVIDER_SECRET_CHARS_MAX: usize = 1024;
/// Most octets of the certificates of an identity provider.
pub const PROVIDER_PEM_OCTETS_MAX: usize = 64 << 10;

/// Most characters of the path of a dangerous node.
pub const DANGEROUS_PATH_CHARS_MAX: usize = 255;

/// Most operations of a bulk request.
pub const REQUESTS_MAX: usize = 1000;
/// Most deployments of a request.
pub const DEPLOYMENTS_MAX: usize = 100;
/// Most characters of the description of a deployment.
pub const DEPLOYMENT_ABOUT_CHARS_MAX: usize = 2000;
/// Most capability records of a deployment.
pub const SELECTED_CAPABILITIES_MAX: usize = 100;
/// The most urgent and the least urgent a deployment can be.
pub const PRIORITIES: RangeInclusive<u8> = 1..=9;
/// Most nodes of one operation.
pub const NODES_MAX: usize = 500;
/// Most octets of the path of a node.
pub const NODE_PATH_OCTETS_MAX: usize = 1024;
/// Most octets of the value of a node.
pub const NODE_VALUE_OCTETS_MAX: usize = 64 << 10;
/// Most octets of the media type of a value.
pub const MEDIA_TYPE_OCTETS_MAX: usize = 128;
/// The formats of values in OMA DM.
pub const NODE_FORMATS: &[&str] = &["chr", "int", "bool", "bin", "b64", "float", "date", "time", "node", "null", "xml"];
/// Most characters of what comes back in the report of an execution.
pub const CORRELATOR_CHARS_MAX: usize = 128;
/// Most options of an operation.
pub const OPTIONS_MAX: usize = 20;

/// Tasks of a job at once, and by the minute.
pub const PACES: RangeInclusive<u32> = 1..=1_000_000;
/// Attempts of a task.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=100;
/// Seconds before the second attempt.
pub const RETRY_DELAYS_S: RangeInclusive<u32> = 0..=86_400;
/// Percent of tasks that may fail before a job stops, or a wave pauses it; and that must succeed before the next wave.
pub const FAILURE_PERCENTS: RangeInclusive<u32> = 0..=100;
/// Waves of a job.
pub const WAVES_MAX: usize = 50;
/// Devices of a wave that is given by number; more than a server has are as good as all.
pub const SIZES_OF_WAVES: RangeInclusive<u32> = 1..=1_000_000;
/// Percent of the devices that a wave is given by.
pub const SHARES_OF_WAVES: RangeInclusive<u32> = 1..=100;
/// Seconds that a wave is watched, and seconds in which its tasks are let go: 30 days.
pub const TIMES_OF_WAVES_S: RangeInclusive<u32> = 0..=30 * 24 * 3600;
/// Maintenance windows of a schedule.
pub const WINDOWS_MAX: usize = 20;
/// Seconds that a maintenance window is open: a minute, to a week.
pub const WINDOW_DURATIONS_S: RangeInclusive<u32> = 60..=7 * 24 * 3600;
/// Octets of a cron expression.
pub const CRON_OCTETS_MAX: usize = 200;

/// Most characters of what a caller has told with its callbacks.
pub const REFERENCE_CHARS_MAX: usize = 1000;
/// Characters of the secret that a webhook is signed with.
pub const WEBHOOK_SECRET_CHARS: RangeInclusive<usize> = 16..=128;
/// Longest time for which the secret of before still counts, in seconds: thirty days.
pub const SECRET_OVERLAP_S_MAX: i64 = 30 * 24 * 3600;
/// Most dead letters that one request sends again.
pub const REPLAYS_MAX: usize = 1000;
