//! Identifiers of our own records.
//!
//! Those of device-scoped records carry the shard key, so that a look-up by identifier touches one shard:
//! `d3fa-0192f0c3…` is device record `0192f0c3…` in bucket `0x3fa`; a task's letter is `t`.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many buckets devices are spread over. Part of every stored key, so it never changes.
pub const BUCKETS: u16 = 4096;

/// A shard key: 0 to 4095.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bucket(pub u16);

impl Bucket {
    /// The bucket of a record with this identifier: its hash modulo [`BUCKETS`].
    #[must_use]
    pub fn of(id: Uuid) -> Self {
        // FNV-1a over the octets: spreads time-ordered identifiers, and needs no dependency to stay the same for ever.
        let hash = id.as_bytes().iter().fold(FNV_OFFSET, |hash, octet| fnv_1a(hash, *octet));
        Self((hash % u64::from(BUCKETS)) as u16)
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
/// The number that takes back a multiplication with the prime, modulo 2^64 and so modulo [`BUCKETS`].
const FNV_PRIME_INVERSE: u64 = 0xce96_5057_aff6_957b;

fn fnv_1a(hash: u64, octet: u8) -> u64 {
    (hash ^ u64::from(octet)).wrapping_mul(FNV_PRIME)
}

/// A text that is no identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this server")]
pub struct NotAnId;

macro_rules! sharded_id {
    ($(#[$doc:meta])* $name:ident $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            /// Shard key.
            pub bucket: Bucket,
            /// Unique part.
            pub unique: Uuid,
        }

        impl $name {
            /// Reads the text form.
            ///
            /// # Errors
            /// [`NotAnId`] if it has another form, or the bucket is out of range.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                let rest = text.strip_prefix($letter).ok_or(NotAnId)?;
                let (bucket, unique) = rest.split_once('-').ok_or(NotAnId)?;
                if bucket.len() != 3 || unique.len() != 32 || rest.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(NotAnId);
                }
                Ok(Self {
                    bucket: Bucket(u16::from_str_radix(bucket, 16).map_err(|_| NotAnId)?),
                    unique: Uuid::try_parse(unique).map_err(|_| NotAnId)?,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{:03x}-{}"), self.bucket.0, self.unique.simple())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

sharded_id! {
    /// Names one device record (`oid` of a `DeviceInstance`) for ever.
    DeviceOid "d"
}
sharded_id! {
    /// Names one task for ever, on every node and in every answer. Its bucket is that of its device.
    TaskId "t"
}

impl DeviceOid {
    /// A new record's identifier from a new UUID.
    #[must_use]
    pub fn new(unique: Uuid) -> Self {
        Self { bucket: Bucket::of(unique), unique }
    }
}

impl DeviceOid {
    /// A new record's identifier in a bucket of choice: the last two octets of `unique` are set so that its hash is
    /// that bucket. Records that are made together in one bucket lie beside each other in every index.
    #[must_use]
    pub fn in_bucket(unique: Uuid, bucket: Bucket) -> Self {
        let mut octets = unique.into_bytes();
        let [.., last_but_one, last] = &mut octets;
        let before = unique.as_bytes().iter().take(14).fold(FNV_OFFSET, |hash, octet| fnv_1a(hash, *octet));
        // What the hash must be before its last multiplication; only the low bits count, and the prime is odd.
        let wanted = u64::from(bucket.0).wrapping_mul(FNV_PRIME_INVERSE) % u64::from(BUCKETS);
        for octet in 0..=u8::MAX {
            let missing = (fnv_1a(before, octet) ^ wanted) % u64::from(BUCKETS);
            if let Ok(missing) = u8::try_from(missing) {
                (*last_but_one, *last) = (octet, missing);
                break;
            }
        }
        Self::new(Uuid::from_bytes(octets))
    }
}

impl TaskId {
    /// A new task's identifier for a device, from a new UUID.
    #[must_use]
    pub fn new(device: DeviceOid, unique: Uuid) -> Self {
        Self { bucket: device.bucket, unique }
    }

    /// The identifier of the one task that `job` makes for `device`: always the same, so that making it twice makes
    /// one task.
    #[must_use]
    pub fn of_job(job: JobId, device: DeviceOid) -> Self {
        Self { bucket: device.bucket, unique: Uuid::new_v5(&job.0, device.unique.as_bytes()) }
    }
}

macro_rules! plain_id {
    ($(#[$doc:meta])* $name:ident $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the text form.
            ///
            /// # Errors
            /// [`NotAnId`] if it has another form.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                let unique = text.strip_prefix(concat!($letter, "-")).ok_or(NotAnId)?;
                if unique.len() != 32 || unique.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(NotAnId);
                }
                Uuid::try_parse(unique).map(Self).map_err(|_| NotAnId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "-{}"), self.0.simple())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

plain_id! {
    /// Names one job for ever.
    JobId "j"
}
plain_id! {
    /// Names one question to a second person for ever.
    ApprovalId "a"
}
plain_id! {
    /// Names one device capability record (`oid` of a `DeviceCapability`) for ever.
    CapabilityOid "c"
}
plain_id! {
    /// Names one allowed callback address for ever.
    CallbackAddressId "a"
}
plain_id! {
    /// Names one event for ever, in every delivery of it.
    EventId "e"
}

impl ApprovalId {
    /// The question whether a task or a job may begin: one for each, so that asking twice asks once.
    #[must_use]
    pub fn of_start(unique: Uuid) -> Self {
        Self(Uuid::new_v5(&unique, b"start"))
    }

    /// The question whether the tasks of a job may run again, asked when the job had this version.
    #[must_use]
    pub fn of_retry(job: JobId, version: i64) -> Self {
        Self(Uuid::new_v5(&job.0, &version.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_in_the_bucket_of_its_device() {
        let device = DeviceOid::new(Uuid::from_u128(7));
        let task = TaskId::new(device, Uuid::from_u128(9));
        assert_eq!(TaskId::parse(&task.to_string()), Ok(task));
        assert_eq!(task.bucket, device.bucket);
    }

    #[test]
    fn an_identifier_is_made_in_every_bucket_and_keeps_its_front() {
        assert_eq!(FNV_PRIME.wrapping_mul(FNV_PRIME_INVERSE), 1);
        for bucket in 0..BUCKETS {
            let unique = Uuid::from_u128(u128::from(bucket).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
            let oid = DeviceOid::in_bucket(unique, Bucket(bucket));
            assert_eq!((oid.bucket, Bucket::of(oid.unique)), (Bucket(bucket), Bucket(bucket)));
            assert_eq!(oid.unique.as_bytes()[..14], unique.as_bytes()[..14]);
        }
    }

    #[test]
    fn foreign_text_is_no_identifier() {
        for text in [
            "",
            "t",
            "t000",
            "t-1",
            "d000-00000000000000000000000000000007",
            "tfff0-0",
            "t00G-00000000000000000000000000000007",
        ] {
            assert_eq!(TaskId::parse(text), Err(NotAnId), "{text}");
        }
        assert_eq!(JobId::parse("j-XX"), Err(NotAnId));
    }

    #[test]
    fn a_job_makes_the_same_task_for_a_device_each_time() {
        let device = DeviceOid::new(Uuid::from_u128(7));
        let job = JobId(Uuid::from_u128(1));
        assert_eq!(TaskId::of_job(job, device), TaskId::of_job(job, device));
        assert_ne!(TaskId::of_job(job, device), TaskId::of_job(JobId(Uuid::from_u128(2)), device));
    }
}
