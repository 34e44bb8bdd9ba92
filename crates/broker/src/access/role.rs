use serde::{Deserialize, Serialize};

use super::RightPattern;
use crate::time::Timestamp;

/// A role that every tenant has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Rights, each as [`RightPattern`] reads it.
    pub rights: &'static [&'static str],
}

/// Everything but tenants, principals, roles and the like can be read by those who read.
macro_rules! reading {
    ($($more:literal)*) => {
        &[
            "service.read", "session.read", "device.read", "capability.read", "task.read", "job.read",
            "registration.read", "package.read", "subscriber.read", "tunnel.read", "approval.read", $($more,)*
        ]
    };
}

/// The roles of the contract.
///
/// Source: DM WSI contract, section 3, "Suggested roles".
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "reader", about: "Reads devices, tasks, jobs and the like.", rights: reading!() },
    BuiltIn {
        name: "care",
        about: "Customer care: reads, operates single devices, sees what these say, cancels tasks.",
        rights: reading!(
            "device.operate" "device.bootstrap" "device.trace" "task.cancel" "subscriber.update" "personal.read"
        ),
    },
    BuiltIn {
        name: "campaign",
        about: "Reads, makes and leads jobs, also over every device of the domain.",
        rights: reading!("job.*" "job.create:all" "device.operate" "personal.read"),
    },
    BuiltIn {
        name: "approver",
        about: "Second person: reads, and decides on what others asked for. What it asks for itself another must approve.",
        rights: reading!("approval.decide" "job.create" "job.create:all" "device.operate"),
    },
    BuiltIn {
        name: "content",
        about: "Brings in content packages; does not release them.",
        rights: &["service.read", "package.create", "package.read", "package.update", "package.delete"],
    },
    BuiltIn {
        name: "release",
        about: "Releases content packages.",
        rights: &["service.read", "package.read", "package.release"],
    },
    BuiltIn {
        name: "diagnostics",
        about: "Registers for alerts and diagnostic data.",
        rights: &["service.read", "registration.*", "device.diagnose"],
    },
    BuiltIn {
        name: "peer",
        about: "Another DM server that forwards to this one.",
        rights: &["service.read", "device.operate", "task.read", "task.cancel", "tunnel.*", "personal.read"],
    },
    BuiltIn { name: "administrator", about: "Everything.", rights: &["*"] },
];

impl BuiltIn {
    /// The role that may do everything.
    pub const ADMINISTRATOR: &'static str = "administrator";

    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|role| role.name == name)
    }

    /// Its rights, read.
    #[must_use]
    pub fn patterns(&self) -> Vec<RightPattern> {
        self.rights.iter().filter_map(|text| RightPattern::parse(text).ok()).collect()
    }
}

/// A role that a tenant made for itself. It holds in this tenant alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Tenant it belongs to.
    pub tenant: String,
    /// Name: unique in its tenant, and none of a built-in role.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// What it gives.
    pub rights: Vec<RightPattern>,
    /// When it was made.
    pub created_at: Timestamp,
    /// 1 for a new one, raised by one on each change.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Right;

    #[test]
    fn every_right_of_a_built_in_role_can_be_read() {
        for role in BUILT_IN {
            assert_eq!(role.patterns().len(), role.rights.len(), "{}", role.name);
        }
    }

    #[test]
    fn each_role_gives_what_the_contract_suggests() {
        let all = || Right::new("job", "create").of(Right::ALL);
        // right, and the roles that have it
        let rows: &[(Right, &[&str])] = &[
            (Right::new("task", "read"), &["reader", "care", "campaign", "approver", "peer", "administrator"]),
            (
                Right::new("service", "read"),
                &[
                    "reader",
                    "care",
                    "campaign",
                    "approver",
                    "content",
                    "release",
                    "diagnostics",
                    "peer",
                    "administrator",
                ],
            ),
            (Right::new("device", "read"), &["reader", "care", "campaign", "approver", "administrator"]),
            (Right::new("device", "operate"), &["care", "campaign", "approver", "peer", "administrator"]),
            (Right::new("device", "bootstrap"), &["care", "administrator"]),
            (Right::new("device", "trace"), &["care", "administrator"]),
            (Right::new("task", "cancel"), &["care", "peer", "administrator"]),
            (Right::new("job", "create"), &["campaign", "approver", "administrator"]),
            (all(), &["campaign", "approver", "administrator"]),
            (Right::new("job", "cancel"), &["campaign", "administrator"]),
            (Right::new("device", "create"), &["administrator"]),
            (Right::new("device", "import"), &["administrator"]),
            (Right::new("capability", "delete"), &["administrator"]),
            (Right::new("subscriber", "update"), &["care", "administrator"]),
            (Right::new("package", "create"), &["content", "administrator"]),
            (Right::new("package", "release"), &["release", "administrator"]),
            (Right::new("registration", "create"), &["diagnostics", "administrator"]),
            (Right::new("registration", "read").of(Right::ALL), &["administrator"]),
            (Right::new("device", "diagnose"), &["diagnostics", "administrator"]),
            (Right::new("tunnel", "create"), &["peer", "administrator"]),
            (Right::new("principal", "read"), &["administrator"]),
            (Right::new("personal", "read"), &["care", "campaign", "peer", "administrator"]),
            (Right::new("audit", "read"), &["administrator"]),
            (Right::new("charging", "read"), &["administrator"]),
            (Right::new("tenant", "create"), &["administrator"]),
            (Right::new("approval", "read"), &["reader", "care", "campaign", "approver", "administrator"]),
            (Right::new("approval", "decide"), &["approver", "administrator"]),
            (Right::new("approval", "update"), &["administrator"]),
            (Right::new("quota", "read"), &["administrator"]),
            (Right::new("quota", "update"), &["administrator"]),
        ];
        for (right, having) in rows {
            for role in BUILT_IN {
                let has = role.patterns().iter().any(|pattern| pattern.covers(*right));
                assert_eq!(has, having.contains(&role.name), "{} {right}", role.name);
            }
        }
    }
}
