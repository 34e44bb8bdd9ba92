use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BuiltIn, Right, RightPattern, TreePath};

/// What a principal was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// A role or a single right.
    pub what: Granted,
    /// Where it holds.
    pub tenant: GrantTenant,
    /// Device groups it is narrowed to; every device when empty.
    pub groups: Vec<String>,
    /// Places in the management tree it is narrowed to; the whole tree when empty. Only `device.operate` is about
    /// places, so of a grant that has some only this right counts.
    pub paths: Vec<TreePath>,
}

/// A role or a single right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Granted {
    /// A role by name: built in, or of the principal's own tenant.
    Role(String),
    /// One right.
    Right(RightPattern),
}

/// Where a grant holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantTenant {
    /// In the principal's own tenant.
    #[default]
    Own,
    /// In this one.
    Named(String),
    /// In every tenant.
    Any,
}

impl Grant {
    /// A role in the principal's own tenant, not narrowed.
    #[must_use]
    pub fn role(name: impl Into<String>) -> Self {
        Self::whole(Granted::Role(name.into()), GrantTenant::Own)
    }

    /// A role or right that is not narrowed.
    #[must_use]
    pub fn whole(what: Granted, tenant: GrantTenant) -> Self {
        Self { what, tenant, groups: Vec::new(), paths: Vec::new() }
    }

    /// Whether it gives everything in every tenant.
    #[must_use]
    pub fn is_over_all(&self) -> bool {
        let is_everything = match &self.what {
            Granted::Role(name) => name == BuiltIn::ADMINISTRATOR,
            Granted::Right(right) => right.is_everything(),
        };
        is_everything && self.tenant == GrantTenant::Any && self.groups.is_empty() && self.paths.is_empty()
    }

    /// The permissions that it is for a principal of the tenant `own`; `roles` knows the roles which that tenant made.
    /// A role of which nobody knows gives nothing, and one that a tenant made holds nowhere else.
    #[must_use]
    pub fn permissions(&self, own: &str, roles: &dyn Fn(&str) -> Option<Vec<RightPattern>>) -> Vec<Permission> {
        let tenant: Option<Arc<str>> = match &self.tenant {
            GrantTenant::Own => Some(own.into()),
            GrantTenant::Named(name) => Some(name.as_str().into()),
            GrantTenant::Any => None,
        };
        let rights = match &self.what {
            Granted::Right(right) => vec![right.clone()],
            Granted::Role(name) => match BuiltIn::named(name) {
                Some(role) => role.patterns(),
                None if tenant.as_deref() == Some(own) => roles(name).unwrap_or_default(),
                None => Vec::new(),
            },
        };
        let groups: Arc<[String]> = self.groups.as_slice().into();
        let paths: Arc<[TreePath]> = self.paths.as_slice().into();
        rights
            .into_iter()
            .map(|right| Permission {
                right,
                tenant: tenant.clone(),
                groups: Arc::clone(&groups),
                paths: Arc::clone(&paths),
            })
            .collect()
    }
}

/// `care`, `device.operate:UPDATE in * for north at ./Vendor/Acme`: for people.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Granted::Role(name) => f.write_str(name)?,
            Granted::Right(right) => write!(f, "{right}")?,
        }
        match &self.tenant {
            GrantTenant::Own => {}
            GrantTenant::Named(name) => write!(f, " in {name}")?,
            GrantTenant::Any => f.write_str(" in *")?,
        }
        if !self.groups.is_empty() {
            write!(f, " for {}", self.groups.join(", "))?;
        }
        for (place, before) in self.paths.iter().zip([" at "].into_iter().chain(std::iter::repeat(", "))) {
            write!(f, "{before}{place}")?;
        }
        Ok(())
    }
}

/// A right that a caller has, and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Which.
    pub right: RightPattern,
    /// Tenant it holds in; every one where absent.
    pub tenant: Option<Arc<str>>,
    /// Device groups it is narrowed to; every device when empty.
    pub groups: Arc<[String]>,
    /// Places in the management tree it is narrowed to; the whole tree when empty.
    pub paths: Arc<[TreePath]>,
}

impl Permission {
    /// A right that is not narrowed.
    #[must_use]
    pub fn whole(right: RightPattern, tenant: Option<&str>) -> Self {
        Self { right, tenant: tenant.map(Into::into), groups: [].into(), paths: [].into() }
    }

    /// Whether it holds in `tenant`.
    #[must_use]
    pub fn holds_in(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|own| own == tenant)
    }

    /// Whether it is narrowed to groups or places.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.groups.is_empty() || !self.paths.is_empty()
    }

    /// Whether it includes everything that `other` does.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let tenant = self.tenant.is_none() || self.tenant == other.tenant;
        let groups = self.groups.is_empty()
            || (!other.groups.is_empty() && other.groups.iter().all(|group| self.groups.contains(group)));
        let paths = self.paths.is_empty()
            || (!other.paths.is_empty() && other.paths.iter().all(|path| self.paths.iter().any(|own| own.has(path))));
        tenant && groups && paths && self.right.includes(&other.right)
    }

    /// What is included in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Option<Self> {
        let tenant = match (&self.tenant, &other.tenant) {
            (None, tenant) | (tenant, None) => tenant.clone(),
            (Some(one), Some(other)) => Some(one.clone()).filter(|one| one == other),
        };
        let is_apart = self.tenant.is_some() && other.tenant.is_some() && tenant.is_none();
        let groups = match (self.groups.is_empty(), other.groups.is_empty()) {
            (true, _) => Arc::clone(&other.groups),
            (_, true) => Arc::clone(&self.groups),
            (false, false) => self.groups.iter().filter(|group| other.groups.contains(group)).cloned().collect(),
        };
        let are_groups_apart = groups.is_empty() && !self.groups.is_empty();
        let paths = match (self.paths.is_empty(), other.paths.is_empty()) {
            (true, _) => Arc::clone(&other.paths),
            (_, true) => Arc::clone(&self.paths),
            (false, false) => {
                let deeper = |one: &[TreePath], other: &[TreePath]| -> Vec<TreePath> {
                    other.iter().filter(|path| one.iter().any(|above| above.has(path))).cloned().collect()
                };
                let mut paths = deeper(&self.paths, &other.paths);
                paths.extend(deeper(&other.paths, &self.paths).into_iter().filter(|path| !other.paths.contains(path)));
                paths.into()
            }
        };
        let are_paths_apart = paths.is_empty() && !self.paths.is_empty();
        if is_apart || are_groups_apart || are_paths_apart {
            return None;
        }
        Some(Self { right: self.right.both(&other.right)?, tenant, groups, paths })
    }

    /// Whether it says anything about `right`: one that is narrowed to places counts for nothing but operations, and
    /// for facts about the server, which have no places.
    pub(super) fn is_about(&self, right: Right) -> bool {
        self.paths.is_empty() || right.object == "service" || (right.object, right.operation) == ("device", "operate")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn nobody_knows(_: &str) -> Option<Vec<RightPattern>> {
        None
    }

    #[test]
    fn a_role_of_a_tenant_holds_in_this_tenant_alone() {
        let roles = |name: &str| (name == "desk").then(|| vec![RightPattern::parse("task.read").unwrap()]);
        for (tenant, number) in [
            (GrantTenant::Own, 1),
            (GrantTenant::Named("a".into()), 1),
            (GrantTenant::Named("b".into()), 0),
            (GrantTenant::Any, 0),
        ] {
            let grant = Grant::whole(Granted::Role("desk".into()), tenant.clone());
            assert_eq!(grant.permissions("a", &roles).len(), number, "{tenant:?}");
        }
        assert!(Grant::role("unheard").permissions("a", &nobody_knows).is_empty());
    }

    #[test]
    fn both_of_two_permissions_reaches_as_far_as_each_of_them() {
        let permission = |tenant: Option<&str>, groups: &[&str], paths: &[&str]| Permission {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            paths: paths.iter().map(|path| TreePath::parse(path).unwrap()).collect(),
            ..Permission::whole(RightPattern::parse("device.operate").unwrap(), tenant)
        };
        let all = [
            permission(None, &[], &[]),
            permission(Some("a"), &[], &[]),
            permission(Some("b"), &["g"], &[]),
            permission(Some("a"), &["g", "h"], &["./Vendor"]),
            permission(None, &["h", "i"], &["./Vendor/Acme", "./DevInfo"]),
            permission(Some("a"), &["j"], &["./Vendor/Acme"]),
        ];
        for one in &all {
            for other in &all {
                let Some(both) = one.both(other) else {
                    assert!(!one.includes(other) && !other.includes(one));
                    continue;
                };
                assert!(one.includes(&both) && other.includes(&both), "{one:?} {other:?} {both:?}");
                if one.includes(other) {
                    assert!(both.includes(other), "{one:?} {other:?} {both:?}");
                }
            }
        }
        assert!(all[1].both(&all[2]).is_none());
        assert!(all[4].both(&all[5]).is_none());
        assert_eq!(all[3].both(&all[4]).map(|both| both.paths.len()), Some(1));
    }

    #[test]
    fn a_permission_includes_those_that_reach_less_far() {
        let whole = Permission::whole(RightPattern::parse("device.*").unwrap(), None);
        let operate = RightPattern::parse("device.operate").unwrap();
        let narrowed = Permission {
            right: operate.clone(),
            tenant: Some("a".into()),
            groups: ["g".to_owned()].into(),
            paths: [TreePath::parse("./Vendor").unwrap()].into(),
        };
        assert!(whole.includes(&narrowed));
        assert!(!narrowed.includes(&whole));
        assert!(narrowed.includes(&narrowed));
        let below = Permission { paths: [TreePath::parse("./Vendor/Acme").unwrap()].into(), ..narrowed.clone() };
        assert!(narrowed.includes(&below) && !below.includes(&narrowed));
        for wider in [
            Permission { tenant: None, ..narrowed.clone() },
            Permission { tenant: Some("b".into()), ..narrowed.clone() },
            Permission { groups: [].into(), ..narrowed.clone() },
            Permission { groups: ["g".to_owned(), "h".to_owned()].into(), ..narrowed.clone() },
            Permission { paths: [].into(), ..narrowed.clone() },
        ] {
            assert!(!narrowed.includes(&wider), "{wider:?}");
        }
    }

    #[test]
    fn a_grant_is_kept_as_text_that_says_everything() {
        let grant = Grant {
            what: Granted::Right(RightPattern::parse("device.operate:UPDATE").unwrap()),
            tenant: GrantTenant::Named("b".into()),
            groups: vec!["g".into()],
            paths: vec![TreePath::parse("./Vendor").unwrap()],
        };
        let text = serde_json::to_string(&grant).unwrap();
        assert_eq!(
            text,
            r#"{"what":{"right":"device.operate:UPDATE"},"tenant":{"named":"b"},"groups":["g"],"paths":["./Vendor"]}"#
        );
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
        // A narrowing that got lost would make the grant wider.
        assert!(serde_json::from_str::<Grant>(r#"{"what":{"role":"care"},"tenant":"own"}"#).is_err());
    }
}
