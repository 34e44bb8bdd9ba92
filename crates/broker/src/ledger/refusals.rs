use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{AuditEntry, Deed, Object};
use crate::fault::FaultName;
use crate::time::Timestamp;

/// Refusals of one caller that get an entry each in one minute; of more, equal ones are counted in one entry.
const EACH_MAX: u32 = 60;
/// Different refusals that are counted in one minute; more are one entry without names.
const KINDS_MAX: usize = 256;
/// Longest name of a stranger that is kept, in characters.
const NAME_MAX: usize = 64;
/// How long equal refusals are counted together, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Who asked for what. Of a stranger the actor is the name it gave.
    pub deed: Deed,
    /// Why not.
    pub fault: FaultName,
    /// What it was about.
    pub object: Object,
    /// Numbers and identifiers of devices that the request named.
    pub subject: Map<String, Value>,
    /// More than the fault tells, in words of ours: what a caller must not be told, and its operator may know.
    pub why: Option<&'static str>,
    /// How many times, where a request has many parts that were refused alike; else 1.
    pub count: u32,
    /// Whether the caller proved who it is.
    pub is_known: bool,
}

/// Sees to it that nobody fills the disk by being refused.
///
/// A caller that proved who it is gets an entry for each refusal, sixty in a minute; beyond that, and for strangers
/// always, equal refusals of a minute are counted and become one entry, of at most 256 kinds. So a minute adds at most
/// 257 entries and sixty for each known caller, whoever asks how often.
#[derive(Debug, Default)]
pub struct Refusals {
    began_at: Timestamp,
    each: HashMap<String, u32>,
    counted: HashMap<Kind, (Refused, u32)>,
    others: u32,
}

/// What makes refusals equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    actor: String,
    peer: Option<IpAddr>,
    operation: &'static str,
    fault: FaultName,
    why: Option<&'static str>,
    /// What a stranger was refused at; what known callers name differs in each request.
    object: Option<String>,
}

impl Refused {
    /// A refusal of this once, of a caller that proved who it is, about nothing that has a name.
    #[must_use]
    pub fn once(deed: Deed, fault: FaultName, object: Object) -> Self {
        Self { deed, fault, object, subject: Map::new(), why: None, count: 1, is_known: true }
    }
}

impl Refusals {
    /// Takes a refusal; gives the entries that are due now.
    pub fn take(&mut self, refused: Refused) -> Vec<AuditEntry> {
        let mut due = if self.is_over(refused.deed.at) { self.drain(refused.deed.at) } else { Vec::new() };
        let is_about_credentials = matches!(
            refused.fault,
            FaultName::NotAuthenticated | FaultName::SessionExpired | FaultName::LockedOut | FaultName::TooManyRequests
        );
        if refused.is_known && !is_about_credentials {
            let each = self.each.entry(refused.deed.actor.clone()).or_default();
            if *each < EACH_MAX {
                *each += 1;
                let count = refused.count;
                due.push(entry(refused, count));
                return due;
            }
        }
        self.count(refused);
        due
    }

    /// What was counted until now, once its minute is over.
    pub fn flush(&mut self, now: Timestamp) -> Vec<AuditEntry> {
        if self.is_over(now) { self.drain(now) } else { Vec::new() }
    }

    /// What was counted until now; a new minute begins.
    pub fn drain(&mut self, now: Timestamp) -> Vec<AuditEntry> {
        self.began_at = now;
        self.each.clear();
        let mut counted: Vec<(Refused, u32)> = self.counted.drain().map(|(_, counted)| counted).collect();
        counted.sort_by_key(|(refused, _)| refused.deed.at);
        let mut entries: Vec<AuditEntry> = counted.into_iter().map(|(refused, count)| entry(refused, count)).collect();
        if self.others > 0 {
            let deed = Deed { operation: "refusals", ..Deed::of_server("", "refusals", now) };
            let others = Object::named("others", None);
            let mut entry = AuditEntry::refused(&deed, FaultName::NotAuthenticated, others, Map::new());
            entry.count = std::mem::take(&mut self.others);
            entries.push(entry);
        }
        entries
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now < self.began_at || self.began_at.plus_ms(MINUTE_MS) <= now
    }

    fn count(&mut self, mut refused: Refused) {
        refused.deed.actor = shown(&refused.deed.actor);
        let kind = Kind {
            actor: refused.deed.actor.clone(),
            peer: refused.deed.peer,
            operation: refused.deed.operation,
            fault: refused.fault,
            why: refused.why,
            object: refused.object.id.clone().filter(|_| !refused.is_known),
        };
        let more = refused.count;
        if let Some((_, count)) = self.counted.get_mut(&kind) {
            *count = count.saturating_add(more);
        } else if self.counted.len() < KINDS_MAX {
            self.counted.insert(kind, (refused, more));
        } else {
            self.others = self.others.saturating_add(more);
        }
    }
}

fn entry(refused: Refused, count: u32) -> AuditEntry {
    let Refused { deed, fault, object, mut subject, why, count: _, is_known } = refused;
    let mut entry = if is_known {
        AuditEntry::refused(&deed, fault, object, subject)
    } else {
        // What a stranger gives as its name may be anything, such as a password in the wrong field.
        if !deed.actor.is_empty() {
            subject.insert("userName".to_owned(), Value::String(deed.actor.clone()));
        }
        AuditEntry::refused(&Deed { actor: String::new(), ..deed }, fault, object, subject)
    };
    entry.count = count;
    entry.after = why.map(|why| json!({ "why": why }).to_string());
    entry
}

/// A name from outside, cut, and without characters that would change how a log looks.
fn shown(name: &str) -> String {
    name.chars().take(NAME_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    fn refused(actor: &str, at: i64, is_known: bool) -> Refused {
        Refused {
            deed: Deed { actor: actor.to_owned(), ..Deed::of_server("t", "doOperation", Timestamp(at)) },
            fault: if is_known { FaultName::NotAuthorized } else { FaultName::NotAuthenticated },
            is_known,
            ..Refused::once(
                Deed::of_server("", "", Timestamp(at)),
                FaultName::WrongState,
                Object::named("device", None),
            )
        }
    }

    #[test]
    fn what_was_refused_alike_many_times_is_one_entry_and_its_number_stays() {
        let mut refusals = Refusals::default();
        let begin = 1_000_000;
        let mut told = 0;
        for n in 0..200 {
            let rows = Refused { count: 10, ..refused("shop", begin + n, true) };
            told += refusals.take(rows).iter().map(|entry| entry.count).sum::<u32>();
        }
        told += refusals.drain(Timestamp(begin + 201)).iter().map(|entry| entry.count).sum::<u32>();
        assert_eq!(told, 2000);
    }

    #[test]
    fn strangers_without_a_name_are_told_apart_by_what_they_were_refused_at_and_why() {
        let mut refusals = Refusals::default();
        for (provider, why) in [("one", "a"), ("one", "b"), ("two", "a"), ("two", "a")] {
            let object = Object::named("identityProvider", Some(provider));
            refusals.take(Refused { object, why: Some(why), ..refused("", 1_000_000, false) });
        }
        let entries = refusals.drain(Timestamp(1_000_001));
        let mut told: Vec<_> =
            entries.iter().map(|it| (it.object_id.clone().unwrap(), it.after.clone().unwrap(), it.count)).collect();
        told.sort_unstable();
        let entry = |provider: &str, why: &str, count| (provider.to_owned(), format!(r#"{{"why":"{why}"}}"#), count);
        assert_eq!(told, [entry("one", "a", 1), entry("one", "b", 1), entry("two", "a", 2)]);
        assert!(entries.iter().all(|it| it.personal.is_none() && it.actor.is_empty()));
    }

    #[test]
    fn a_known_caller_gets_an_entry_for_each_refusal_and_a_flood_is_counted() {
        let mut refusals = Refusals::default();
        let begin = 1_000_000;
        let each: usize = (0..1000).map(|n| refusals.take(refused("shop", begin + n, true)).len()).sum();
        assert_eq!(each, 60);
        let counted = refusals.flush(Timestamp(begin + MINUTE_MS));
        assert_eq!(
            counted.iter().map(|entry| (entry.actor.as_str(), entry.count)).collect::<Vec<_>>(),
            [("shop", 940)]
        );
    }

    #[test]
    fn strangers_make_few_entries_however_many_names_they_try() {
        let mut refusals = Refusals::default();
        let begin = 1_000_000;
        for n in 0..100_000_u32 {
            assert_eq!(refusals.take(refused(&format!("name {n}"), begin, false)), []);
        }
        let counted = refusals.flush(Timestamp(begin + MINUTE_MS));
        assert_eq!(counted.len(), KINDS_MAX + 1);
        assert_eq!(counted.iter().map(|entry| entry.count).sum::<u32>(), 100_000);
        assert!(counted.iter().all(|entry| entry.actor.is_empty() || entry.actor == Deed::SERVER));
    }

    #[test]
    fn a_strangers_name_is_cut_and_breaks_no_line() {
        let mut refusals = Refusals::default();
        let name = format!("a\r\nb\u{1b}[31m{}", "x".repeat(500));
        refusals.take(refused(&name, 1_000_000, false));
        let entries = refusals.drain(Timestamp(1_000_001));
        let personal = entries[0].personal.as_deref().unwrap_or_default();
        assert!(personal.contains(r"a\\r\\nb\\u{1b}[31m"), "{personal}");
        assert!(personal.len() < 128, "{personal}");
    }
}
