//! The tables of fields, one for each list.

use std::borrow::Cow;

use super::kind::{Field, Kind, plain};
use crate::device::ManagementState;
use crate::id::{CapabilityOid, DeviceOid, JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::job::JobStatus;
use crate::operation::Operation;
use crate::task::TaskStatus;

/// What a further attribute's field begins with.
const ATTRIBUTE: &str = "attribute.";

/// An enumeration of fields from a table; `attribute` adds the further attributes.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $text:literal $field:ident $kind:expr;)* } $($attribute:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$about])* $field,)*
            $(
                /// A further attribute of this name.
                #[doc = stringify!($attribute)]
                Attribute(String),
            )?
        }

        impl Field for $name {
            const NAMES: &'static [&'static str] = &[$($text,)* $(concat!(stringify!($attribute), ".NAME"))?];

            fn parse(name: &str) -> Option<Self> {
                $(
                    let _ = stringify!($attribute);
                    if let Some(attribute) = name.strip_prefix(ATTRIBUTE).filter(|attribute| !attribute.is_empty()) {
                        return Some(Self::Attribute(attribute.to_owned()));
                    }
                )?
                match name {
                    $($text => Some(Self::$field),)*
                    _ => None,
                }
            }

            fn name(&self) -> Cow<'_, str> {
                match self {
                    $(Self::$field => Cow::Borrowed($text),)*
                    $(Self::Attribute(name) => {
                        let _ = stringify!($attribute);
                        Cow::Owned(format!("{ATTRIBUTE}{name}"))
                    })?
                }
            }

            fn kind(&self) -> Kind {
                match self {
                    $(Self::$field => $kind,)*
                    $(Self::Attribute(_) => {
                        let _ = stringify!($attribute);
                        Kind::Text(plain)
                    })?
                }
            }
        }
    };
}

fields! {
    /// Fields of device records.
    ///
    /// Source: DM WSI contract, section 6, `DeviceInstance`.
    DeviceField {
        /// Record identifier.
        "oid" Oid Kind::Name(device_oid);
        /// Device identifier.
        "deviceID" DeviceId Kind::Text(device_id);
        /// Current MSISDN.
        "phoneNumber" PhoneNumber Kind::Text(msisdn);
        /// Current IMSI.
        "imsi" Imsi Kind::Text(plain);
        /// Capability record.
        "deviceCapabilityOid" CapabilityOid Kind::Name(capability_oid);
        /// Make.
        "manufacturer" Manufacturer Kind::Text(plain);
        /// Model.
        "model" Model Kind::Text(plain);
        /// Firmware version.
        "firmwareVersion" FirmwareVersion Kind::Text(plain);
        /// Software version.
        "softwareVersion" SoftwareVersion Kind::Text(plain);
        /// Life cycle state.
        "managementState" ManagementState Kind::Word(|| words(ManagementState::NAMES));
        /// Subscriber the device is assigned to.
        "subscriberId" SubscriberId Kind::Text(plain);
        /// Device groups.
        "group" Group Kind::Set;
        /// End of the last session.
        "lastSeenAt" LastSeenAt Kind::Time;
    } attribute
}

fields! {
    /// Fields of tasks.
    ///
    /// Source: DM WSI contract, section 6, `TaskData`, and its maker.
    TaskField {
        /// Identifier.
        "taskId" TaskId Kind::Name(task_id);
        /// Job it belongs to.
        "jobId" JobId Kind::Name(job_id);
        /// Status.
        "status" Status Kind::Word(|| words(TaskStatus::NAMES));
        /// Operation name.
        "operation" Operation Kind::Word(|| words(Operation::NAMES));
        /// Number it was addressed to.
        "phoneNumber" PhoneNumber Kind::Name(msisdn);
        /// Device: the one expected, the one that answered, or that of the record.
        "deviceID" DeviceId Kind::Name(device_id);
        /// Whether it is a test cycle.
        "testCycle" TestCycle Kind::Boolean;
        /// Who asked for it.
        "owner" Owner Kind::Text(plain);
        /// Acceptance.
        "createdAt" CreatedAt Kind::Time;
        /// Last change.
        "updatedAt" UpdatedAt Kind::Time;
    }
}

fields! {
    /// Fields of jobs.
    ///
    /// Source: DM WSI contract, section 6, `JobData`.
    JobField {
        /// Identifier.
        "jobId" JobId Kind::Name(job_id);
        /// Short name.
        "name" Name Kind::Text(plain);
        /// Operation name; absent where the entries differ.
        "operation" Operation Kind::Word(|| words(Operation::NAMES));
        /// Status.
        "status" Status Kind::Word(|| words(JobStatus::NAMES));
        /// Who made it.
        "owner" Owner Kind::Text(plain);
        /// Whether it is a test cycle.
        "testCycle" TestCycle Kind::Boolean;
        /// Creation.
        "createdAt" CreatedAt Kind::Time;
        /// Entry into a final state.
        "finishedAt" FinishedAt Kind::Time;
    }
}

fields! {
    /// Fields of device capability records.
    ///
    /// Source: DM WSI contract, section 6, `DeviceCapability`.
    CapabilityField {
        /// Record identifier.
        "oid" Oid Kind::Name(capability_oid);
        /// Make.
        "manufacturer" Manufacturer Kind::Text(plain);
        /// Model.
        "model" Model Kind::Text(plain);
        /// Firmware version; absent for a record that covers every version.
        "firmwareVersion" FirmwareVersion Kind::Text(plain);
        /// Type allocation codes.
        "tac" Tac Kind::Set;
    }
}

fields! {
    /// Fields of subscribers.
    ///
    /// Source: DM WSI contract, section 6, `Subscriber`.
    SubscriberField {
        /// Identifier.
        "subscriberId" SubscriberId Kind::Text(plain);
        /// MSISDN.
        "phoneNumber" PhoneNumber Kind::Text(msisdn);
        /// IMSI.
        "imsi" Imsi Kind::Text(plain);
        /// Reference in the operator's systems.
        "accountReference" AccountReference Kind::Text(plain);
        /// Standing consent to background management.
        "optIn" OptIn Kind::Boolean;
    }
}

fn words<T>(names: &'static [(&'static str, T)]) -> Vec<&'static str> {
    names.iter().map(|(name, _)| *name).collect()
}

fn device_oid(text: &str) -> Result<String, String> {
    DeviceOid::parse(text).map(|oid| oid.to_string()).map_err(|error| error.to_string())
}

fn task_id(text: &str) -> Result<String, String> {
    TaskId::parse(text).map(|id| id.to_string()).map_err(|error| error.to_string())
}

fn job_id(text: &str) -> Result<String, String> {
    JobId::parse(text).map(|id| id.to_string()).map_err(|error| error.to_string())
}

fn capability_oid(text: &str) -> Result<String, String> {
    CapabilityOid::parse(text).map(|oid| oid.to_string()).map_err(|error| error.to_string())
}

fn device_id(text: &str) -> Result<String, String> {
    DeviceId::from_caller(text).map(|id| id.to_string()).map_err(|error| error.to_string())
}

fn msisdn(text: &str) -> Result<String, String> {
    Msisdn::parse(text).map(|number| number.to_string()).map_err(|error| error.to_string())
}
