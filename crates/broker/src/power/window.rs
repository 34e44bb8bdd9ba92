//! Counting what went without a second person, and judging what is asked for next.
//!
//! Time is cut into slots of an hour. A window takes in every slot that it touches, so what is counted is never less
//! than what happened within it, and at most an hour's more.

use super::{Class, Policy};
use crate::time::Timestamp;

/// Length of a slot.
const SLOT_MS: i64 = 3_600_000;

/// The slot that `at` lies in: hours since 1970.
#[must_use]
pub fn slot_of(at: Timestamp) -> i64 {
    at.0.div_euclid(SLOT_MS)
}

/// The first slot that the window ending at `now` touches.
#[must_use]
pub fn slots_from(policy: &Policy, now: Timestamp) -> i64 {
    slot_of(now.plus_ms(policy.window_ms().saturating_neg()))
}

/// What went without approval within the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Devices that count towards the cap.
    pub devices: u64,
    /// Operations on single devices that do not.
    pub singles: u64,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An operation on one device, on its own.
    Single,
    /// A job of so many devices.
    Job(u64),
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, and nothing is counted.
    Free,
    /// It goes on, and so many devices more count towards the cap.
    Counted(u64),
    /// It goes on as an operation on a single device.
    CountedSingle,
    /// It waits for a second person.
    Held,
}

/// Judges what is asked for of a class. Pure: the caller counts, and counts on in the same transaction.
#[must_use]
pub fn judge(policy: &Policy, class: Class, spent: Spent, asked: Asked) -> Verdict {
    let Some(rule) = policy.rule(class) else { return Verdict::Free };
    let devices = match (asked, rule.single_cap) {
        (Asked::Single, None) | (Asked::Job(0), _) => return Verdict::Free,
        (Asked::Single, Some(most)) if spent.singles < most => return Verdict::CountedSingle,
        (Asked::Single, Some(_)) => 1,
        (Asked::Job(devices), _) => devices,
    };
    match spent.devices.checked_add(devices) {
        Some(sum) if sum <= rule.cap => Verdict::Counted(devices),
        _ => Verdict::Held,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::power::Rule;

    fn policy(cap: u64, single_cap: Option<u64>, window_hours: u32) -> Policy {
        let rule = Rule { class: Class::Firmware, required: true, cap, single_cap };
        Policy { rules: vec![rule], window_hours, ..Policy::default() }
    }

    fn firmware(policy: &Policy, devices: u64, singles: u64, asked: Asked) -> Verdict {
        judge(policy, Class::Firmware, Spent { devices, singles }, asked)
    }

    #[test]
    fn the_device_above_the_cap_is_held() {
        let policy = policy(100, Some(0), 24);
        assert_eq!(firmware(&policy, 0, 0, Asked::Job(100)), Verdict::Counted(100));
        assert_eq!(firmware(&policy, 0, 0, Asked::Job(101)), Verdict::Held);
        assert_eq!(firmware(&policy, 99, 0, Asked::Single), Verdict::Counted(1));
        assert_eq!(firmware(&policy, 100, 0, Asked::Single), Verdict::Held);
        assert_eq!(firmware(&policy, 1, 0, Asked::Job(u64::MAX)), Verdict::Held);
        assert_eq!(firmware(&policy, 100, 0, Asked::Job(0)), Verdict::Free);
    }

    #[test]
    fn single_devices_may_be_exempt_up_to_a_number_of_their_own() {
        let two = policy(0, Some(2), 24);
        assert_eq!(firmware(&two, 0, 1, Asked::Single), Verdict::CountedSingle);
        assert_eq!(firmware(&two, 0, 2, Asked::Single), Verdict::Held);
        assert_eq!(firmware(&two, 0, 0, Asked::Job(1)), Verdict::Held);
        assert_eq!(firmware(&policy(0, None, 24), 0, 0, Asked::Single), Verdict::Free);
    }

    #[test]
    fn a_class_without_a_rule_or_whose_rule_is_off_is_free() {
        let mut off = policy(0, Some(0), 24);
        assert_eq!(judge(&off, Class::Wipe, Spent::default(), Asked::Job(9)), Verdict::Free);
        if let Some(rule) = off.rules.first_mut() {
            rule.required = false;
        }
        assert_eq!(firmware(&off, 0, 0, Asked::Job(9)), Verdict::Free);
    }

    /// What is counted, as a store does: a number for each slot.
    #[derive(Default)]
    struct Ledger {
        devices: std::collections::BTreeMap<i64, u64>,
        singles: std::collections::BTreeMap<i64, u64>,
    }

    impl Ledger {
        fn ask(&mut self, policy: &Policy, now: Timestamp, asked: Asked) -> Verdict {
            let from = slots_from(policy, now);
            let spent = Spent {
                devices: self.devices.range(from..).map(|(_, count)| count).sum(),
                singles: self.singles.range(from..).map(|(_, count)| count).sum(),
            };
            let verdict = firmware(policy, spent.devices, spent.singles, asked);
            match verdict {
                Verdict::Counted(devices) => *self.devices.entry(slot_of(now)).or_default() += devices,
                Verdict::CountedSingle => *self.singles.entry(slot_of(now)).or_default() += 1,
                Verdict::Free | Verdict::Held => {}
            }
            verdict
        }
    }

    proptest! {
        #[test]
        fn however_it_is_split_no_more_than_the_caps_go_unapproved_within_any_window(
            cap in 0_u64..50,
            single_cap in 0_u64..10,
            window_hours in 1_u32..30,
            requests in prop::collection::vec((0_i64..7_200_000, prop::option::of(0_u64..20)), 1..200),
        ) {
            let policy = policy(cap, Some(single_cap), window_hours);
            let mut ledger = Ledger::default();
            let mut now = Timestamp(1_795_248_000_000);
            let mut gone: Vec<(Timestamp, u64)> = Vec::new();
            for (later, job) in requests {
                now = now.plus_ms(later);
                let asked = job.map_or(Asked::Single, Asked::Job);
                match ledger.ask(&policy, now, asked) {
                    Verdict::Counted(devices) => gone.push((now, devices)),
                    Verdict::CountedSingle => gone.push((now, 1)),
                    Verdict::Free => prop_assert_eq!(asked, Asked::Job(0)),
                    Verdict::Held => {}
                }
                let since = now.plus_ms(-policy.window_ms());
                let sum: u64 = gone.iter().filter(|(at, _)| *at >= since).map(|(_, devices)| devices).sum();
                prop_assert!(sum <= cap + single_cap, "{} of {}", sum, cap + single_cap);
            }
        }

        #[test]
        fn what_is_within_the_cap_of_a_quiet_window_is_never_held(
            cap in 1_u64..1000,
            at in 0_i64..4_000_000_000_000,
            hours in 1_u32..200,
        ) {
            let policy = policy(cap, Some(0), hours);
            let mut ledger = Ledger::default();
            let first = Timestamp(at);
            prop_assert_eq!(ledger.ask(&policy, first, Asked::Job(cap)), Verdict::Counted(cap));
            prop_assert_eq!(ledger.ask(&policy, first, Asked::Single), Verdict::Held);
            // An hour more than the window is always enough.
            let later = first.plus_ms(policy.window_ms()).plus_ms(SLOT_MS);
            prop_assert_eq!(ledger.ask(&policy, later, Asked::Job(cap)), Verdict::Counted(cap));
        }
    }
}
