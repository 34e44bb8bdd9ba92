use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Grant, Granted, Permission, RightPattern};
use crate::names::names;
use crate::time::Timestamp;

/// Whom to let in: an External System or a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// Unique over all domains.
    pub name: String,
    /// Management domain it belongs to.
    pub tenant: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Longer name for people.
    pub display_name: Option<String>,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// Whether it is let in at all.
    pub enabled: bool,
    /// argon2id hash in PHC form; empty where no password lets it in.
    pub password_hash: String,
    /// When the password was set: sessions that are older have ended.
    pub password_at: Timestamp,
    /// The password itself, sealed, for principals that chose WS-Security PasswordDigest.
    pub digest_secret: Option<Vec<u8>>,
    /// Who it is to an OpenID provider: issuer and subject, one space between. Unique.
    pub subject: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// 1 for a new one, raised by one on each change.
    pub version: i64,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PrincipalKind {
    /// An External System.
    #[default]
    System,
    /// A person.
    Person,
}

names! {
    PrincipalKind {
        "SYSTEM" System
        "PERSON" Person
    }
}

impl Principal {
    /// An External System with one role in its own tenant, not narrowed, that is let in by its password.
    #[must_use]
    pub fn of_role(name: &str, tenant: &str, role: &str, password_hash: &str) -> Self {
        Self {
            name: name.to_owned(),
            tenant: tenant.to_owned(),
            kind: PrincipalKind::System,
            display_name: None,
            grants: vec![Grant::role(role)],
            enabled: true,
            password_hash: password_hash.to_owned(),
            password_at: Timestamp(0),
            digest_secret: None,
            subject: None,
            created_at: Timestamp(0),
            version: 1,
        }
    }

    /// Whether its grants let it do everything in every tenant: somebody must be left who may.
    #[must_use]
    pub fn is_over_all(&self) -> bool {
        self.enabled && self.grants.iter().any(Grant::is_over_all)
    }

    /// Whether it was given the role of this name.
    #[must_use]
    pub fn has_role(&self, name: &str) -> bool {
        self.grants.iter().any(|grant| matches!(&grant.what, Granted::Role(given) if given == name))
    }

    /// What its grants give, everywhere; `roles` knows the roles that its tenant made.
    #[must_use]
    pub fn permissions(&self, roles: &dyn Fn(&str) -> Option<Vec<RightPattern>>) -> Arc<[Permission]> {
        self.grants.iter().flat_map(|grant| grant.permissions(&self.tenant, roles)).collect()
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .field("grants", &self.grants)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
