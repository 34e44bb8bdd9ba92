use super::{Class, OwnNode, Policy, Rule};

/// Ways in which a change weakens that are told one by one; of more, the number is told.
const TOLD_MAX: usize = 8;

/// What a change of a policy takes away from what a second person is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// The gravest class that less is asked about.
    pub class: Class,
    /// In which ways, in words.
    pub words: String,
}

impl Policy {
    /// How `next` asks a second person about less than this policy does; nothing if it asks about as much or more.
    ///
    /// What is not plainly at least as strict counts as weaker: a question too many costs one, and a question too few
    /// would let one person alone take the guard off and then do what was guarded.
    #[must_use]
    pub fn weakened_by(&self, next: &Self) -> Option<Weakening> {
        let mut found = Vec::new();
        for (name, class) in Class::NAMES {
            let Some(before) = self.rule(*class) else { continue };
            let Some(after) = next.rule(*class) else {
                found.push((*class, format!("{name} is no longer asked about")));
                continue;
            };
            if after.cap > before.cap {
                found.push((*class, format!("{name}: deviceCap {} instead of {}", after.cap, before.cap)));
            }
            if singles(after) > singles(before) {
                let many = after.single_cap.map_or_else(|| "any number".to_owned(), |cap| cap.to_string());
                found.push((*class, format!("{name}: singleCap {many}")));
            }
            // Without a number to use up, it does not matter when it begins anew.
            let is_counted = after.cap > 0 || after.single_cap.is_some_and(|cap| cap > 0);
            if is_counted && next.window_hours < self.window_hours {
                let (less, more) = (next.window_hours, self.window_hours);
                found.push((*class, format!("{name}: windowHours {less} instead of {more}")));
            }
        }
        // What concerns every question concerns the gravest class that there is one about.
        if let Some((_, gravest)) = Class::NAMES.iter().find(|(_, class)| self.rule(*class).is_some()) {
            if next.life_hours > self.life_hours {
                found.push((*gravest, format!("lifeHours {} instead of {}", next.life_hours, self.life_hours)));
            }
            if self.persons_only && !next.persons_only {
                found.push((*gravest, "External Systems may approve".to_owned()));
            }
        }
        for node in &self.nodes {
            if next.class_of_own(node).is_none() {
                found.push((node.class, format!("{} is no longer {}", node.pattern, node.class.as_str())));
            }
        }
        for node in &next.nodes {
            // Another class is another rule: usually a stricter one, but that is for the domain to say.
            let is_new = self.class_of_own(node) != Some(node.class);
            let laxer = Class::NAMES.iter().map(|(_, class)| *class).filter(|class| *class != node.class);
            let mut laxer = laxer.filter(|class| is_laxer(next.rule(node.class), next.rule(*class)));
            if let Some(class) = laxer.next().filter(|_| is_new) {
                found.push((
                    class,
                    format!("{} becomes {}, which is asked about less", node.pattern, node.class.as_str()),
                ));
            }
        }
        let class = found.iter().map(|(class, _)| *class).min()?;
        let mut words: Vec<String> = found.into_iter().map(|(_, words)| words).collect();
        if words.len() > TOLD_MAX {
            let more = words.len().saturating_sub(TOLD_MAX);
            words.truncate(TOLD_MAX);
            words.push(format!("and {more} more"));
        }
        Some(Weakening { class, words: words.join("; ") })
    }

    /// The class that the pattern of `node` has here.
    fn class_of_own(&self, node: &OwnNode) -> Option<Class> {
        self.nodes.iter().filter(|own| own.pattern == node.pattern).map(|own| own.class).min()
    }
}

/// How many single operations need nobody; any number is more than every number.
fn singles(rule: &Rule) -> u64 {
    rule.single_cap.unwrap_or(u64::MAX)
}

/// Whether the first rule asks about less than the second in any way.
fn is_laxer(first: Option<&Rule>, second: Option<&Rule>) -> bool {
    match (first, second) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(first), Some(second)) => first.cap > second.cap || singles(first) > singles(second),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::power::NodePattern;

    fn with(rule: Rule) -> Policy {
        Policy { rules: vec![rule], ..Policy::default() }.checked().unwrap()
    }

    fn rule(class: Class, required: bool, cap: u64, single_cap: Option<u64>) -> Rule {
        Rule { class, required, cap, single_cap }
    }

    fn node(path: &str, class: Class) -> OwnNode {
        OwnNode { pattern: NodePattern::parse(path).unwrap(), class }
    }

    fn class(before: &Policy, after: &Policy) -> Option<Class> {
        before.weakened_by(after).map(|it| it.class)
    }

    #[test]
    fn a_change_and_its_opposite_are_told_apart() {
        let base = Policy::default;
        let own = |class| Policy { nodes: vec![node("./Vendor/Acme/Boom", class)], ..base() };
        for (stricter, laxer, expected) in [
            (base(), with(rule(Class::Lock, false, 0, Some(0))), Class::Lock),
            (base(), with(rule(Class::Wipe, true, 1, Some(0))), Class::Wipe),
            (base(), with(rule(Class::Wipe, true, 0, Some(1))), Class::Wipe),
            (base(), with(rule(Class::FactoryReset, true, 0, None)), Class::FactoryReset),
            (with(rule(Class::Change, true, 100, Some(5))), base(), Class::Change),
            (base(), Policy { window_hours: 23, ..base() }, Class::Firmware),
            (base(), Policy { life_hours: 25, ..base() }, Class::Wipe),
            (Policy { persons_only: true, ..base() }, base(), Class::Wipe),
            (own(Class::Lock), base(), Class::Lock),
        ] {
            assert_eq!(class(&stricter, &laxer), Some(expected), "{laxer:?}");
            assert_eq!(class(&laxer, &stricter), None, "{laxer:?}");
            assert_eq!(class(&laxer, &laxer), None, "{laxer:?}");
        }
        // A graver class is asked about more, and a less grave one less.
        assert_eq!(class(&own(Class::Firmware), &own(Class::Wipe)), None);
        assert_eq!(class(&own(Class::Wipe), &own(Class::Firmware)), Some(Class::Wipe));
    }

    #[test]
    fn a_shorter_window_weakens_nothing_where_nothing_is_counted() {
        let nobody = Policy::default().rules.into_iter().map(|it| Rule { cap: 0, single_cap: Some(0), ..it });
        let strict = Policy { rules: nobody.collect(), ..Policy::default() };
        assert_eq!(class(&strict, &Policy { window_hours: 1, ..strict.clone() }), None);
    }

    #[test]
    fn a_danger_is_not_taken_out_of_its_class_into_one_that_is_asked_about_less() {
        let lax = with(rule(Class::Wipe, false, 0, None));
        let hidden = Policy { nodes: vec![node("**/Operations/FullyLock", Class::Wipe)], ..lax.clone() };
        assert_eq!(class(&lax, &hidden), Some(Class::FactoryReset));
        let named = Policy { nodes: vec![node("./Vendor/Acme/Boom", Class::Wipe)], ..Policy::default() };
        assert_eq!(class(&Policy::default(), &named), None);
    }

    #[test]
    fn of_many_ways_the_first_are_told_and_the_gravest_counts() {
        let nodes = (0..20).map(|n| node(&format!("./Vendor/Acme/{n}"), Class::Lock)).collect();
        let many = Policy { nodes, persons_only: true, ..Policy::default() };
        let weakening = many.weakened_by(&Policy::default()).unwrap();
        assert_eq!(weakening.class, Class::Wipe);
        assert!(weakening.words.starts_with("External Systems may approve; ./Vendor/Acme/0 is no longer LOCK; "));
        assert!(weakening.words.ends_with("; and 13 more"), "{}", weakening.words);
    }
}
