//! Counting what comes and what becomes of it, for the operator. Counting takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};

use muster_protocol::syncml::{DecodeFault, Encoding, StatusCode};

use super::Refusal;
use super::arrival::SealedReply;

/// Several counters under one name, told apart by one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Name in the manner of Prometheus.
    pub name: &'static str,
    /// What is counted.
    pub help: &'static str,
    /// Name of the label; empty for one value that needs none.
    pub label: &'static str,
    /// Values of the label, and how many there were.
    pub values: Vec<(&'static str, u64)>,
}

/// Counters by the values of one label.
struct Counts<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Counts<N> {
    fn add(&self, place: usize) {
        if let Some(count) = self.0.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn named(&self, names: &[&'static str; N]) -> Vec<(&'static str, u64)> {
        names.iter().zip(&self.0).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
    }
}

const ENCODINGS: [&str; 2] = ["xml", "wbxml"];
/// What the header of an answer says; the last two for every other code, and for an answer that was given again.
const STATUSES: [&str; 12] =
    ["200", "212", "400", "401", "403", "404", "407", "500", "505", "513", "other", "repeated"];
const REFUSALS: [&str; 7] =
    ["unreadable", "not_syncml", "too_large", "content_encoding", "not_post", "not_now", "failed"];
const PROOFS: [&str; 2] = ["right", "wrong"];
const SESSIONS: [&str; 2] = ["begun", "ended"];
const RECORDED: [&str; 3] = ["kept", "skipped", "failed"];

/// A message that never became one, because HTTP forbade it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {
    /// It had a `Content-Encoding`.
    ContentEncoding = 3,
    /// It was no POST.
    NotPost = 4,
}

/// What became of the recording of messages that change nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    Kept,
    Skipped,
    Failed,
}

/// What the device endpoint has seen since it began.
#[derive(Default)]
pub struct Counters {
    messages: Counts<2>,
    answers: Counts<12>,
    refusals: Counts<7>,
    unreadable: Counts<{ DecodeFault::KINDS.len() }>,
    proofs: Counts<2>,
    sessions: Counts<2>,
    recorded: Counts<3>,
}

impl Counters {
    /// A message was answered.
    pub(super) fn answered(&self, encoding: Encoding, reply: &SealedReply) {
        self.messages.add(match encoding {
            Encoding::Xml => 0,
            Encoding::Wbxml => 1,
        });
        let Some(StatusCode(code)) = reply.status else { return self.answers.add(STATUSES.len() - 1) };
        let place = STATUSES.iter().position(|known| known.parse() == Ok(code));
        self.answers.add(place.unwrap_or(STATUSES.len() - 2));
    }

    /// A message got no answer in SyncML.
    pub(super) fn refused(&self, refusal: &Refusal) {
        self.refusals.add(match refusal {
            Refusal::Unreadable(error) => {
                self.unreadable
                    .add(DecodeFault::KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or(usize::MAX));
                0
            }
            Refusal::NotSyncml => 1,
            Refusal::TooLarge { .. } => 2,
            Refusal::NotNow { .. } => 5,
            Refusal::Failed => 6,
        });
    }

    /// Something came that is no message.
    pub(crate) fn no_message(&self, why: NoMessage) {
        self.refusals.add(why as usize);
    }

    /// A body was longer than allowed.
    pub(crate) fn too_large(&self) {
        self.refusals.add(2);
    }

    /// A credential was looked at.
    pub(super) fn proof(&self, is_right: bool) {
        self.proofs.add(usize::from(!is_right));
    }

    /// A session of a device that proved who it is began, or ended.
    pub(super) fn session(&self, begins: bool, ends: bool) {
        if begins {
            self.sessions.add(0);
        }
        if ends {
            self.sessions.add(1);
        }
    }

    pub(super) fn recorded(&self, outcome: Recording) {
        self.recorded.add(outcome as usize);
    }

    /// Everything counted so far.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        let family = |name, help, label, values| Family { name, help, label, values };
        vec![
            family(
                "muster_dm_messages_total",
                "Messages of devices that were answered in SyncML.",
                "encoding",
                self.messages.named(&ENCODINGS),
            ),
            family(
                "muster_dm_answers_total",
                "Answers by their status for the header; 401 and 407 are challenges.",
                "status",
                self.answers.named(&STATUSES),
            ),
            family(
                "muster_dm_refused_total",
                "Requests of devices that got no answer in SyncML.",
                "reason",
                self.refusals.named(&REFUSALS),
            ),
            family(
                "muster_dm_unreadable_total",
                "Messages that could not be read, by what is wrong with them.",
                "kind",
                self.unreadable.named(&DecodeFault::KINDS),
            ),
            family(
                "muster_dm_credentials_total",
                "Credentials of devices that were looked at.",
                "outcome",
                self.proofs.named(&PROOFS),
            ),
            family(
                "muster_dm_sessions_total",
                "Sessions of devices that proved who they are; one that falls silent does not end here.",
                "event",
                self.sessions.named(&SESSIONS),
            ),
            family(
                "muster_dm_recorded_refusals_total",
                "Refused messages of devices that are recorded: kept, skipped because there were too many, or failed to \
                 be stored.",
                "outcome",
                self.recorded.named(&RECORDED),
            ),
        ]
    }
}
