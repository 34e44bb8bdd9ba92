//! The chain of the audit log.
//!
//! The hash of an entry is SHA-256 over the hash of the entry before it and a canonical form of the entry: every field
//! with its length, so that no two entries have the same form. Personal data enter it only as HMAC-SHA-256 under a
//! random salt of the entry. Where they are erased, their salt goes with them: the chain stays as it was, and nobody
//! finds a number by trying all of them.
//!
//! A chain shows what was changed, deleted or put in between. That entries at its end are missing it cannot show: for
//! that, the hash of an entry is kept elsewhere as an [`Anchor`] and compared.

use std::fmt;

use super::audit::{AuditEntry, Outcome, Recorded};

/// The two digests that the chain is made with.
pub trait Digests: Send + Sync {
    /// SHA-256.
    fn sha256(&self, octets: &[u8]) -> [u8; 32];
    /// HMAC-SHA-256.
    fn hmac_sha256(&self, key: &[u8], octets: &[u8]) -> [u8; 32];
}

/// What stands for the hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];
/// Random octets of a salt.
pub const SALT_BYTES: usize = 16;
/// Begins each canonical form; another form gets another name.
const FORM: &[u8] = b"muster-audit-1";

/// What the chain has of personal data.
#[must_use]
pub fn seal(digests: &dyn Digests, salt: &[u8], personal: &str) -> [u8; 32] {
    digests.hmac_sha256(salt, personal.as_bytes())
}

/// The hash of an entry.
#[must_use]
pub fn link(
    digests: &dyn Digests,
    previous: &[u8; 32],
    number: i64,
    entry: &AuditEntry,
    seal: Option<&[u8; 32]>,
) -> [u8; 32] {
    let mut form = Form(Vec::with_capacity(512));
    form.some(FORM);
    form.some(previous);
    form.number(number);
    form.number(entry.at.0);
    for text in [&entry.tenant, &entry.actor, &entry.face, &entry.way] {
        form.some(text.as_bytes());
    }
    form.maybe(entry.peer.map(|peer| peer.to_string()).as_deref().map(str::as_bytes));
    form.maybe(entry.correlation.as_ref().map(|correlation| correlation.as_bytes().as_slice()));
    form.some(entry.operation.as_bytes());
    form.maybe(match entry.outcome {
        Outcome::Done => None,
        Outcome::Refused(fault) => Some(fault.message_id().as_bytes()),
    });
    form.number(i64::from(entry.count));
    form.some(entry.object_kind.as_bytes());
    for text in [&entry.object_id, &entry.before, &entry.after, &entry.device_session] {
        form.maybe(text.as_ref().map(String::as_bytes));
    }
    form.maybe(entry.task.map(|id| id.to_string()).as_deref().map(str::as_bytes));
    form.maybe(entry.job.map(|id| id.to_string()).as_deref().map(str::as_bytes));
    form.maybe(entry.device.map(|oid| oid.to_string()).as_deref().map(str::as_bytes));
    form.maybe(seal.map(<[u8; 32]>::as_slice));
    digests.sha256(&form.0)
}

/// What an object without an identifier of ours is found by.
pub(super) fn short_key(digests: &dyn Digests, kind: &str, id: &str) -> [u8; 16] {
    let hash = digests.sha256(format!("{kind}\u{0}{id}").as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
    key
}

struct Form(Vec<u8>);

impl Form {
    fn some(&mut self, octets: &[u8]) {
        self.0.push(1);
        self.0.extend(u64::try_from(octets.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.extend_from_slice(octets);
    }

    fn maybe(&mut self, octets: Option<&[u8]>) {
        match octets {
            Some(octets) => self.some(octets),
            None => self.0.push(0),
        }
    }

    fn number(&mut self, number: i64) {
        self.some(&number.to_be_bytes());
    }
}

/// The number and hash of an entry, kept elsewhere to see later that the log still has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Number of the entry; 0 for a log without entries.
    pub number: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// A text that is no anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is the number of an entry, a colon and 64 hexadecimal digits, as verify prints it")]
pub struct NotAnAnchor;

impl Anchor {
    /// The anchor of a log without entries.
    pub const EMPTY: Self = Self { number: 0, hash: GENESIS };

    /// Reads the text form.
    ///
    /// # Errors
    /// [`NotAnAnchor`].
    pub fn parse(text: &str) -> Result<Self, NotAnAnchor> {
        let (number, hex) = text.trim().split_once(':').ok_or(NotAnAnchor)?;
        let number = number.parse().ok().filter(|number| *number >= 0).ok_or(NotAnAnchor)?;
        if hex.len() != 64 || !hex.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return Err(NotAnAnchor);
        }
        let mut hash = [0; 32];
        for (octet, pair) in hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotAnAnchor)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| NotAnAnchor)?;
        }
        Ok(Self { number, hash })
    }
}

/// `17:` and the hash in 64 hexadecimal digits.
impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.hash.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// What is wrong with the log, and where it shows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry is not where it should be: deleted, or moved.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Missing {
        /// Number that should come.
        expected: i64,
        /// Number that came.
        found: i64,
    },
    /// An entry is not what it was, or does not follow the one before it.
    #[error("entry {number} was changed, or the one before it")]
    Changed {
        /// Which.
        number: i64,
    },
    /// The personal data of an entry are not those that were sealed.
    #[error("the personal data of entry {number} were changed")]
    Personal {
        /// Which.
        number: i64,
    },
    /// The entry of the anchor has another hash.
    #[error("entry {number} is not the one of the anchor")]
    OtherAnchor {
        /// Which.
        number: i64,
    },
    /// The log ends before the entry of the anchor.
    #[error("the log ends at entry {last}; the anchor is of entry {anchor}, so entries were cut off its end")]
    Short {
        /// Last entry there is.
        last: i64,
        /// Number of the anchor.
        anchor: i64,
    },
}

impl Broken {
    /// Number of the first entry that is wrong or missing.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Missing { expected, .. } => expected,
            Self::Changed { number } | Self::Personal { number } | Self::OtherAnchor { number } => number,
            Self::Short { last, .. } => last.saturating_add(1),
        }
    }
}

/// Goes through the log in order.
#[derive(Clone, Debug)]
pub struct Verifier {
    head: Anchor,
    anchor: Option<Anchor>,
    erased: u64,
    is_confirmed: bool,
}

impl Verifier {
    /// Begins before the first entry.
    #[must_use]
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self::after(Anchor::EMPTY, anchor)
    }

    /// Begins after an entry up to which the log was looked through before. It is [confirmed](Self::confirm) first.
    #[must_use]
    pub fn after(head: Anchor, anchor: Option<Anchor>) -> Self {
        Self { head, anchor, erased: 0, is_confirmed: head == Anchor::EMPTY }
    }

    /// Number of the entry that must be confirmed before another is taken.
    #[must_use]
    pub fn unconfirmed(&self) -> Option<i64> {
        (!self.is_confirmed).then_some(self.head.number)
    }

    /// Compares the entry that this begins after with the one of the log, which may not be there.
    ///
    /// # Errors
    /// [`Broken::OtherAnchor`].
    pub fn confirm(&mut self, hash: Option<[u8; 32]>) -> Result<(), Broken> {
        if hash != Some(self.head.hash) {
            return Err(Broken::OtherAnchor { number: self.head.number });
        }
        self.is_confirmed = true;
        Ok(())
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Broken`]; nothing after that is worth looking at.
    pub fn take(&mut self, digests: &dyn Digests, recorded: &Recorded) -> Result<(), Broken> {
        let Recorded { number, entry, salt, seal: kept, hash } = recorded;
        let (number, expected) = (*number, self.head.number.saturating_add(1));
        if number != expected {
            return Err(Broken::Missing { expected, found: number });
        }
        if link(digests, &self.head.hash, number, entry, kept.as_ref()) != *hash {
            return Err(Broken::Changed { number });
        }
        match (&entry.personal, salt, kept) {
            (Some(personal), Some(salt), Some(kept)) if seal(digests, salt, personal) == *kept => {}
            (None, None, Some(_)) => self.erased = self.erased.saturating_add(1),
            (None, None, None) => {}
            _ => return Err(Broken::Personal { number }),
        }
        if self.anchor.is_some_and(|anchor| anchor.number == number && anchor.hash != *hash) {
            return Err(Broken::OtherAnchor { number });
        }
        self.head = Anchor { number, hash: *hash };
        Ok(())
    }

    /// The last entry taken.
    #[must_use]
    pub fn head(&self) -> Anchor {
        self.head
    }

    /// Entries whose personal data were erased, so far.
    #[must_use]
    pub fn erased(&self) -> u64 {
        self.erased
    }

    /// Ends; gives the head, to be kept elsewhere.
    ///
    /// # Errors
    /// [`Broken::Short`] if the entry of the anchor never came; [`Broken::OtherAnchor`] for an anchor of an empty log
    /// that is none.
    pub fn end(&self) -> Result<Anchor, Broken> {
        match self.anchor {
            Some(anchor) if anchor.number > self.head.number => {
                Err(Broken::Short { last: self.head.number, anchor: anchor.number })
            }
            Some(anchor) if anchor.number == 0 && anchor.hash != GENESIS => Err(Broken::OtherAnchor { number: 0 }),
            _ => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_reads_as_it_was_written_and_other_text_is_none() {
        let anchor = Anchor { number: 17, hash: [0xa5; 32] };
        assert_eq!(Anchor::parse(&anchor.to_string()), Ok(anchor));
        for text in ["", "17", "17:", "x:00", "-1:00", "17:zz", &format!("1:{}", "é".repeat(32))] {
            assert_eq!(Anchor::parse(text), Err(NotAnAnchor), "{text}");
        }
    }

    #[test]
    fn an_anchor_beyond_the_end_says_that_entries_are_missing() {
        let verifier = Verifier::new(Some(Anchor { number: 3, hash: [1; 32] }));
        assert_eq!(verifier.end(), Err(Broken::Short { last: 0, anchor: 3 }));
        assert_eq!(Verifier::new(Some(Anchor::EMPTY)).end(), Ok(Anchor::EMPTY));
    }
}
