use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Permission, Right, TreePath};
use crate::device::Device;
use crate::fault::Fault;
use crate::operation::Arguments;

/// How far a right of a caller reaches: to every device of the domain, or to some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    right: Right,
    caller: String,
    /// Absent where nothing is narrowed. Else what is in one of these is in reach.
    narrowings: Option<Vec<Narrowing>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Narrowing {
    groups: Arc<[String]>,
    paths: Arc<[TreePath]>,
    own: bool,
}

/// What of a list of tasks a caller sees: those of devices in its groups, and those it made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Device groups, one of which the device must be in. Absent where every device is seen.
    pub groups: Option<Vec<String>>,
    /// Caller whose own tasks are seen besides.
    pub owner: Option<String>,
}

impl Scope {
    /// The scope of `right` by those of `permissions` that hold; nothing if none does.
    pub(super) fn of<'p>(
        right: Right,
        caller: &str,
        permissions: impl Iterator<Item = &'p Permission>,
    ) -> Option<Self> {
        let mut narrowings = Vec::new();
        for permission in permissions.filter(|permission| permission.is_about(right)) {
            let own = if permission.right.covers(right) {
                false
            } else if right.qualifier.is_none() && permission.right.covers(right.of(Right::OWN)) {
                true
            } else {
                continue;
            };
            if !own && !permission.is_narrowed() {
                return Some(Self { right, caller: caller.to_owned(), narrowings: None });
            }
            narrowings.push(Narrowing {
                groups: Arc::clone(&permission.groups),
                paths: Arc::clone(&permission.paths),
                own,
            });
        }
        let narrowings = Some(narrowings).filter(|narrowings| !narrowings.is_empty())?;
        Some(Self { right, caller: caller.to_owned(), narrowings: Some(narrowings) })
    }

    /// Whether nothing is narrowed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.narrowings.is_none()
    }

    /// Whether a device is in reach, for some place at least. One that is not is unknown to the caller.
    #[must_use]
    pub fn sees(&self, device: &Device) -> bool {
        self.each(|narrowing| !narrowing.own && is_in(&narrowing.groups, device))
    }

    /// Whether a task or job that `owner` made, of this device if it is still there, is in reach.
    #[must_use]
    pub fn sees_made_by(&self, owner: &str, device: Option<&Device>) -> bool {
        self.each(|narrowing| {
            if narrowing.own {
                owner == self.caller
            } else {
                device.map_or(narrowing.groups.is_empty(), |device| is_in(&narrowing.groups, device))
            }
        })
    }

    /// Whether an operation at `path` of the device is in reach. A path that is not plainly spelt is not, unless
    /// nothing is narrowed to places.
    #[must_use]
    pub fn allows(&self, device: &Device, path: &str) -> bool {
        let place = TreePath::parse(path).ok();
        self.each(|narrowing| !narrowing.own && is_in(&narrowing.groups, device) && narrowing.has(place.as_ref()))
    }

    /// Device groups that lists are narrowed to; nothing where every device is in reach.
    #[must_use]
    pub fn groups(&self) -> Option<Vec<String>> {
        let narrowings = self.narrowings.as_ref()?;
        let narrowed = narrowings.iter().filter(|narrowing| !narrowing.own);
        let mut groups = Vec::new();
        for narrowing in narrowed {
            if narrowing.groups.is_empty() {
                return None;
            }
            groups.extend(narrowing.groups.iter().cloned());
        }
        groups.sort_unstable();
        groups.dedup();
        Some(groups)
    }

    /// What of a list of tasks is seen.
    #[must_use]
    pub fn sight(&self) -> Sight {
        let own = self.narrowings.iter().flatten().any(|narrowing| narrowing.own);
        let groups = self.groups();
        Sight { owner: (own && groups.is_some()).then(|| self.caller.clone()), groups }
    }

    /// The devices on which an operation with these arguments is in reach.
    ///
    /// An operation that names no places is about the whole device: a permission narrowed to places does not reach it.
    ///
    /// # Errors
    /// `NotAuthorized` if it is out of reach on every device.
    pub fn reach(&self, arguments: &Arguments) -> Result<Reach, Fault> {
        let Some(narrowings) = &self.narrowings else { return Ok(Reach::default()) };
        let mut reach = Reach::default();
        let mut clause = |place: Option<&TreePath>| -> Result<(), Fault> {
            let mut groups = Vec::new();
            let mut reaches = false;
            for narrowing in narrowings.iter().filter(|narrowing| !narrowing.own && narrowing.has(place)) {
                if narrowing.groups.is_empty() {
                    return Ok(());
                }
                reaches = true;
                groups.extend(narrowing.groups.iter().cloned());
            }
            if !reaches {
                return Err(self.refusal(place.is_none()));
            }
            groups.sort_unstable();
            groups.dedup();
            if !reach.0.contains(&groups) {
                reach.0.push(groups);
            }
            Ok(())
        };
        let is_plain = arguments.package_id.is_none() && arguments.component_id.is_none();
        if !is_plain || arguments.parameter.is_empty() {
            clause(None)?;
        }
        for parameter in &arguments.parameter {
            // A serialized tree brings addresses of its own.
            let is_tree = parameter.kind.as_ref().is_some_and(|kind| kind.to_ascii_lowercase().contains("tnds"));
            let place = TreePath::parse(&parameter.path).ok().filter(|_| !is_tree);
            clause(place.as_ref())?;
        }
        Ok(reach)
    }

    /// Refuses what is out of reach.
    fn refusal(&self, is_whole_device: bool) -> Fault {
        let why = if is_whole_device {
            "is narrowed to places in the management tree; name nodes at or below these, plainly spelt, and nothing else"
        } else {
            "does not reach these nodes; ask an administrator for it, or name others"
        };
        super::caller::not_authorized(&self.caller, self.right, why)
    }

    fn each(&self, holds: impl Fn(&Narrowing) -> bool) -> bool {
        self.narrowings.as_ref().is_none_or(|narrowings| narrowings.iter().any(holds))
    }
}

impl Narrowing {
    fn has(&self, place: Option<&TreePath>) -> bool {
        self.paths.is_empty() || place.is_some_and(|place| self.paths.iter().any(|own| own.has(place)))
    }
}

fn is_in(groups: &[String], device: &Device) -> bool {
    groups.is_empty() || device.group.iter().any(|group| groups.contains(group))
}

/// The devices that something made by a narrowed caller may touch: each must be in one group at least of every set.
/// Kept with a job, whose devices are looked up later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reach(Vec<Vec<String>>);

impl Reach {
    /// Only devices in one of these groups.
    #[must_use]
    pub fn within(groups: Option<Vec<String>>) -> Self {
        Self(groups.into_iter().collect())
    }

    /// Whether every device is in reach.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a device is in reach.
    #[must_use]
    pub fn has(&self, device: &Device) -> bool {
        self.0.iter().all(|groups| device.group.iter().any(|group| groups.contains(group)))
    }

    /// What is in reach of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for groups in other.0 {
            if !self.0.contains(&groups) {
                self.0.push(groups);
            }
        }
        self
    }

    /// Whether whatever is in this reach is in `other` too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        other.0.iter().all(|wide| self.0.iter().any(|narrow| narrow.iter().all(|group| wide.contains(group))))
    }

    /// The sets of groups.
    #[must_use]
    pub fn sets(&self) -> &[Vec<String>] {
        &self.0
    }
}
