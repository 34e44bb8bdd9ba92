//! Who may do what.
//!
//! Source: DM WSI contract, section 3, "Access control".

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultName};
use crate::names::names;

/// A role, which is a set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything.
    Reader,
    /// Customer care: reader, operations on single devices and what these say, cancels tasks.
    Care,
    /// Reader, jobs, operations.
    Campaign,
    /// Another DM server that forwards to this one.
    Peer,
    /// Everything.
    Administrator,
}

names! {
    Role {
        "reader" Reader
        "care" Care
        "campaign" Campaign
        "peer" Peer
        "administrator" Administrator
    }
}

impl Role {
    /// Whether this role grants `right`.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        let Right { object, operation } = right;
        let is_read = operation == "read";
        match self {
            Self::Reader => is_read,
            Self::Care => {
                is_read
                    || matches!(
                        (object, operation),
                        ("device", "operate" | "bootstrap" | "trace") | ("task", "cancel") | ("subscriber", "update")
                    )
            }
            Self::Campaign => is_read || object == "job" || (object, operation) == ("device", "operate"),
            Self::Peer => {
                matches!((object, operation), ("device", "operate") | ("task", "read" | "cancel") | ("service", "read"))
                    || object == "tunnel"
            }
            Self::Administrator => true,
        }
    }
}

/// What is to be done to which kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// `device`, `task`, `job`, …
    pub object: &'static str,
    /// `read`, `create`, `operate`, …; `create:all` of a job is the wider right that every device of the domain needs.
    pub operation: &'static str,
}

impl Right {
    /// `object.operation`.
    #[must_use]
    pub const fn new(object: &'static str, operation: &'static str) -> Self {
        Self { object, operation }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.object, self.operation)
    }
}

/// An authenticated External System or person, and the domain it works in. No request sees records of another domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name it authenticated with.
    pub name: String,
    /// Management domain.
    pub tenant: String,
    /// What it was given.
    pub roles: Vec<Role>,
}

impl Caller {
    /// Refuses what no role of the caller grants.
    ///
    /// # Errors
    /// `NotAuthorized`, variables: object, operation.
    pub fn must(&self, right: Right) -> Result<(), Fault> {
        if self.roles.iter().any(|role| role.grants(right)) {
            return Ok(());
        }
        Err(Fault::new(FaultName::NotAuthorized, format!("{} does not have the right {right}", self.name))
            .with(right.object)
            .with(right.operation))
    }
}

/// A principal as kept: whom to let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// Unique over all domains.
    pub name: String,
    /// Management domain.
    pub tenant: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// argon2id hash in PHC form.
    pub password_hash: String,
    /// The password itself, sealed, for principals that chose WS-Security PasswordDigest.
    pub digest_secret: Option<Vec<u8>>,
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("name", &self.name).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_grants_what_the_contract_suggests() {
        use Role::*;
        // right, and the roles that have it
        let rows: &[(Right, &[Role])] = &[
            (Right::new("task", "read"), &[Reader, Care, Campaign, Peer, Administrator]),
            (Right::new("service", "read"), &[Reader, Care, Campaign, Peer, Administrator]),
            (Right::new("device", "read"), &[Reader, Care, Campaign, Administrator]),
            (Right::new("device", "operate"), &[Care, Campaign, Peer, Administrator]),
            (Right::new("device", "bootstrap"), &[Care, Administrator]),
            (Right::new("device", "trace"), &[Care, Administrator]),
            (Right::new("task", "cancel"), &[Care, Peer, Administrator]),
            (Right::new("job", "create"), &[Campaign, Administrator]),
            (Right::new("job", "create:all"), &[Campaign, Administrator]),
            (Right::new("job", "cancel"), &[Campaign, Administrator]),
            (Right::new("device", "create"), &[Administrator]),
            (Right::new("device", "import"), &[Administrator]),
            (Right::new("capability", "delete"), &[Administrator]),
        ];
        for (right, having) in rows {
            for (name, role) in Role::NAMES {
                assert_eq!(role.grants(*right), having.contains(role), "{name} {right}");
            }
        }
    }

    #[test]
    fn a_refusal_names_object_and_operation() {
        let caller = Caller { name: "shop".into(), tenant: "t".into(), roles: vec![Role::Reader] };
        let fault = caller.must(Right::new("device", "operate")).err();
        assert_eq!(fault.as_ref().map(|fault| fault.name), Some(FaultName::NotAuthorized));
        assert_eq!(fault.map(|fault| fault.variables), Some(vec!["device".to_owned(), "operate".to_owned()]));
    }
}
