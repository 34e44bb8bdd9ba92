use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use super::{BuiltIn, Permission, Right, Scope};
use crate::fault::{Fault, FaultName};
use crate::names::names;

/// An authenticated External System or person, the domain it works in, and what it may do there. No request sees
/// records of another domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name it authenticated with.
    pub name: String,
    /// Management domain it works in.
    pub tenant: String,
    /// What it was given, in this domain and in others.
    pub permissions: Arc<[Permission]>,
    /// Where its request came from.
    pub origin: Origin,
    /// `wsa:MessageID` of its request, where it has one: what is told later of what it asks for relates to it.
    pub message_id: Option<Arc<str>>,
}

/// Where a request came from: for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Address of the peer, where the listener tells it.
    pub peer: Option<IpAddr>,
    /// Which face took it.
    pub face: Face,
    /// How the caller was known.
    pub way: Way,
    /// Identifier of the request, the same in the answer and in the log.
    pub correlation: Uuid,
}

/// A face of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// SOAP.
    Soap,
    /// REST.
    Rest,
    /// A command on the machine itself, or the server's own doing.
    Local,
}

/// How a caller was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// A password: HTTP Basic, WS-Security PasswordText, login.
    Password,
    /// WS-Security PasswordDigest.
    Digest,
    /// A session of the WSI.
    Session,
    /// An API key.
    ApiKey,
    /// A client certificate.
    Certificate,
    /// OpenID Connect.
    OpenId,
    /// By having the machine.
    Local,
}

names! {
    Face {
        "SOAP" Soap
        "REST" Rest
        "LOCAL" Local
    }
}

names! {
    Way {
        "PASSWORD" Password
        "DIGEST" Digest
        "SESSION" Session
        "API_KEY" ApiKey
        "CERTIFICATE" Certificate
        "OPENID" OpenId
        "LOCAL" Local
    }
}

impl Origin {
    /// A request that came over no network.
    #[must_use]
    pub fn local(correlation: Uuid) -> Self {
        Self { peer: None, face: Face::Local, way: Way::Local, correlation }
    }
}

impl Caller {
    /// A local caller with one built-in role in one tenant, not narrowed: for commands on the machine and for tests.
    /// A role that there is not gives nothing.
    #[must_use]
    pub fn local(name: &str, tenant: &str, role: &str) -> Self {
        let rights = BuiltIn::named(role).map(BuiltIn::patterns).unwrap_or_default();
        Self {
            name: name.to_owned(),
            tenant: tenant.to_owned(),
            permissions: rights.into_iter().map(|right| Permission::whole(right, Some(tenant))).collect(),
            origin: Origin::local(Uuid::nil()),
            message_id: None,
        }
    }

    /// The same caller at work in `tenant`, where it has what its grants give it there, which may be nothing.
    #[must_use]
    pub fn within(&self, tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), ..self.clone() }
    }

    /// Whether any permission holds in the tenant that the caller is at work in.
    #[must_use]
    pub fn holds_anything(&self) -> bool {
        self.held().next().is_some()
    }

    /// Refuses what no permission gives for the domain as a whole: one that is narrowed to groups or places is not
    /// enough.
    ///
    /// # Errors
    /// `NotAuthorized`, variables: object, operation.
    pub fn must(&self, right: Right) -> Result<(), Fault> {
        let is_held = |permission: &Permission| !permission.is_narrowed() && permission.right.covers(right);
        if self.held().any(is_held) {
            return Ok(());
        }
        let why = "is not held for the whole domain; ask an administrator for it";
        Err(not_authorized(&self.name, right, why))
    }

    /// Refuses what no permission gives in every tenant.
    ///
    /// # Errors
    /// `NotAuthorized`, variables: object, operation.
    pub fn must_everywhere(&self, right: Right) -> Result<(), Fault> {
        let is_held = |permission: &Permission| {
            permission.tenant.is_none() && !permission.is_narrowed() && permission.right.covers(right)
        };
        if self.permissions.iter().any(is_held) {
            return Ok(());
        }
        Err(not_authorized(&self.name, right, "is needed in every tenant; ask the operator of the server"))
    }

    /// How far a right reaches, for what is about devices.
    ///
    /// # Errors
    /// `NotAuthorized`, variables: object, operation.
    pub fn scope(&self, right: Right) -> Result<Scope, Fault> {
        Scope::of(right, &self.name, self.held()).ok_or_else(|| lacking(&self.name, right))
    }

    /// Refuses what no permission gives at all, however narrowed: before anything of the request is looked at.
    ///
    /// # Errors
    /// `NotAuthorized`, variables: object, operation.
    pub fn may_begin(&self, right: Right) -> Result<(), Fault> {
        let is_touched = |permission: &Permission| permission.is_about(right) && permission.right.touches(right);
        if self.held().any(is_touched) { Ok(()) } else { Err(lacking(&self.name, right)) }
    }

    /// Permissions that hold in the domain the caller works in.
    pub fn held(&self) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().filter(|permission| permission.holds_in(&self.tenant))
    }
}

fn lacking(name: &str, right: Right) -> Fault {
    not_authorized(name, right, "is needed; ask an administrator for it")
}

/// `NotAuthorized` with its two variables.
pub(super) fn not_authorized(name: &str, right: Right, why: &str) -> Fault {
    Fault::new(FaultName::NotAuthorized, format!("{name}: the right {right} {why}"))
        .with(right.object)
        .with(right.operation)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::access::{RightPattern, TreePath};

    fn narrowed(right: &str, groups: &[&str], paths: &[&str]) -> Permission {
        Permission {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            paths: paths.iter().map(|path| TreePath::parse(path).unwrap()).collect(),
            ..Permission::whole(RightPattern::parse(right).unwrap(), Some("a"))
        }
    }

    fn caller(permissions: Vec<Permission>) -> Caller {
        Caller { permissions: permissions.into(), ..Caller::local("shop", "a", "none") }
    }

    #[test]
    fn a_refusal_names_object_and_operation() {
        let fault = Caller::local("shop", "t", "reader").must(Right::new("device", "operate")).unwrap_err();
        assert_eq!(fault.name, FaultName::NotAuthorized);
        assert_eq!(fault.variables, ["device", "operate"]);
    }

    #[test]
    fn a_permission_of_another_tenant_counts_there_and_not_here() {
        let right = Right::new("task", "read");
        let caller = Caller::local("shop", "a", "reader");
        assert_eq!(caller.must(right), Ok(()));
        assert!(caller.within("b").must(right).is_err());
    }

    #[test]
    fn what_concerns_the_whole_domain_needs_a_permission_that_is_not_narrowed() {
        let right = Right::new("device", "import");
        assert!(caller(vec![narrowed("device.import", &["g"], &[])]).must(right).is_err());
        assert!(caller(vec![narrowed("*", &[], &["./Vendor"])]).must(right).is_err());
        assert!(caller(vec![narrowed("device.import", &[], &[])]).must(right).is_ok());
    }

    #[test]
    fn a_permission_narrowed_to_places_counts_for_operations_alone() {
        let caller = caller(vec![narrowed("*", &[], &["./Vendor"])]);
        assert!(caller.scope(Right::new("device", "read")).is_err());
        assert!(caller.may_begin(Right::new("device", "read")).is_err());
        assert!(caller.may_begin(Right::new("device", "operate")).is_ok());
        assert!(!caller.scope(Right::new("device", "operate").of("UPDATE")).unwrap().is_whole());
    }

    #[test]
    fn a_right_for_some_qualifiers_is_enough_to_begin_and_not_more() {
        let right = Right::new("device", "operate");
        let caller = caller(vec![narrowed("device.operate:UPDATE", &[], &[])]);
        assert!(caller.may_begin(right).is_ok());
        assert!(caller.must(right).is_err() && caller.scope(right).is_err());
        assert!(caller.scope(right.of("UPDATE")).is_ok_and(|scope| scope.is_whole()));
        assert!(caller.scope(right.of("QUERY")).is_err());
    }
}
