use serde::{Deserialize, Serialize};

use super::{Approval, Class, NodePattern};
use crate::fault::Fault;

/// What a domain asks a second person about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// One rule for each class, in the order of the classes.
    pub rules: Vec<Rule>,
    /// Operations are summed over so many hours, 1 to [`Policy::WINDOW_HOURS_MAX`].
    pub window_hours: u32,
    /// A question that nobody has answered after so many hours ends as refused, 1 to [`Policy::LIFE_HOURS_MAX`].
    pub life_hours: u32,
    /// Whether only persons may approve, and no External Systems.
    #[serde(default)]
    pub persons_only: bool,
    /// Nodes of the domain's devices that are dangerous, besides those that the server knows.
    pub nodes: Vec<OwnNode>,
    /// Raised by one on each change; 0 for the policy that nobody has set.
    pub version: i64,
}

/// What holds for one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which.
    pub class: Class,
    /// Whether a second person is asked at all.
    pub required: bool,
    /// So many devices within the window need no approval.
    pub cap: u64,
    /// So many operations on single devices within the window need none besides, and do not count towards the cap;
    /// nothing: any number.
    pub single_cap: Option<u64>,
}

/// A node that a domain says is dangerous.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnNode {
    /// Which nodes.
    pub pattern: NodePattern,
    /// What changing or executing them amounts to.
    pub class: Class,
}

/// What came of the wish to change a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyChange {
    /// It is changed.
    Set(Policy),
    /// It would be weaker, so a second person is asked first.
    Waits {
        /// The policy as it still is.
        policy: Policy,
        /// The question.
        approval: Box<Approval>,
    },
}

impl Default for Policy {
    /// WIPE, FACTORY_RESET and LOCK always need a second person; FIRMWARE above 100 devices a day however it is split;
    /// CHANGE above 100 devices a day in jobs, since single changes are the daily bread of customer care.
    fn default() -> Self {
        let always = |class| Rule { class, required: true, cap: 0, single_cap: Some(0) };
        Self {
            rules: vec![
                always(Class::Wipe),
                always(Class::FactoryReset),
                always(Class::Lock),
                Rule { cap: Self::CAP, ..always(Class::Firmware) },
                Rule { cap: Self::CAP, single_cap: None, ..always(Class::Change) },
            ],
            window_hours: 24,
            life_hours: 24,
            persons_only: false,
            nodes: Vec::new(),
            version: 0,
        }
    }
}

impl Policy {
    /// Devices of a campaign that need no approval, unless the domain says otherwise.
    pub const CAP: u64 = 100;
    /// Longest window: a week.
    pub const WINDOW_HOURS_MAX: u32 = 7 * 24;
    /// Longest life of a question: 30 days.
    pub const LIFE_HOURS_MAX: u32 = 30 * 24;
    /// Largest cap.
    pub const CAP_MAX: u64 = 1_000_000_000;
    /// Most nodes of a domain's own.
    pub const NODES_MAX: usize = 100;

    /// What holds for `class`. A class that no rule is about needs no approval.
    #[must_use]
    pub fn rule(&self, class: Class) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.class == class && rule.required)
    }

    /// Whether jobs of `class` have to be counted before they may begin.
    #[must_use]
    pub fn guards_jobs(&self, class: Class) -> bool {
        self.rule(class).is_some()
    }

    /// Whether operations of `class` on single devices have to be counted.
    #[must_use]
    pub fn guards_singles(&self, class: Class) -> bool {
        self.rule(class).is_some_and(|rule| rule.single_cap.is_some())
    }

    /// The window in milliseconds.
    #[must_use]
    pub fn window_ms(&self) -> i64 {
        i64::from(self.window_hours).saturating_mul(3_600_000)
    }

    /// Refuses what cannot be kept, and puts the rules in order: a class that was left out keeps its default rule.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn checked(mut self) -> Result<Self, Fault> {
        for (parameter, hours, most) in [
            ("windowHours", self.window_hours, Self::WINDOW_HOURS_MAX),
            ("lifeHours", self.life_hours, Self::LIFE_HOURS_MAX),
        ] {
            if !(1..=most).contains(&hours) {
                return Err(Fault::invalid(parameter, hours, format_args!("must be 1 to {most}")));
            }
        }
        if self.nodes.len() > Self::NODES_MAX {
            let why = format!("a policy may have {}", Self::NODES_MAX);
            return Err(Fault::invalid("dangerousNode", self.nodes.len(), why));
        }
        let mut rules = Vec::with_capacity(Class::NAMES.len());
        for default in Self::default().rules {
            let mut given = self.rules.iter().filter(|rule| rule.class == default.class);
            let rule = given.next().copied().unwrap_or(default);
            if given.next().is_some() {
                return Err(Fault::invalid("operationClass", default.class.as_str(), "each class may stand once"));
            }
            for (parameter, number) in [("deviceCap", rule.cap), ("singleCap", rule.single_cap.unwrap_or(0))] {
                if number > Self::CAP_MAX {
                    return Err(Fault::invalid(parameter, number, format_args!("must be 0 to {}", Self::CAP_MAX)));
                }
            }
            rules.push(rule);
        }
        self.rules = rules;
        Ok(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::fault::FaultName;

    #[test]
    fn the_default_asks_about_everything_dangerous() {
        let policy = Policy::default().checked().unwrap();
        assert_eq!(policy, Policy::default());
        for (name, class) in Class::NAMES {
            assert!(policy.guards_jobs(*class), "{name}");
            assert_eq!(policy.guards_singles(*class), *class != Class::Change, "{name}");
        }
    }

    #[test]
    fn a_class_that_is_left_out_keeps_its_default_and_one_that_stands_twice_is_refused() {
        let wipe = Rule { class: Class::Wipe, required: true, cap: 3, single_cap: Some(1) };
        let policy = Policy { rules: vec![wipe], ..Policy::default() };
        let checked = policy.checked().unwrap();
        assert_eq!(checked.rules.len(), Class::NAMES.len());
        assert_eq!(checked.rule(Class::Wipe), Some(&wipe));
        let twice = Policy { rules: vec![wipe, wipe], ..Policy::default() };
        assert_eq!(twice.checked().err().map(|fault| fault.name), Some(FaultName::InvalidArgument));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let base = Policy::default;
        let rule = |cap| vec![Rule { class: Class::Wipe, required: true, cap, single_cap: None }];
        for (policy, fits) in [
            (Policy { window_hours: 0, ..base() }, false),
            (Policy { window_hours: Policy::WINDOW_HOURS_MAX, ..base() }, true),
            (Policy { window_hours: Policy::WINDOW_HOURS_MAX + 1, ..base() }, false),
            (Policy { life_hours: 0, ..base() }, false),
            (Policy { life_hours: Policy::LIFE_HOURS_MAX, ..base() }, true),
            (Policy { life_hours: Policy::LIFE_HOURS_MAX + 1, ..base() }, false),
            (Policy { rules: rule(Policy::CAP_MAX), ..base() }, true),
            (Policy { rules: rule(Policy::CAP_MAX + 1), ..base() }, false),
        ] {
            assert_eq!(policy.clone().checked().is_ok(), fits, "{policy:?}");
        }
    }
}
