use super::retry::{EVENT_LIFE_S, delay_ms};
use crate::time::Timestamp;

/// Bounds of one message.
///
/// Source: DM WSI contract, section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits;

impl Limits {
    /// Most events in a message.
    pub const EVENTS_MAX: usize = 100;
    /// Most octets of a message, unless a single event has more.
    pub const BYTES_MAX: usize = 1 << 20;
    /// Most requests that a message relates to: each takes a header block, and receivers bound those.
    pub const RELATIONS_MAX: usize = 16;
}

/// What a receiver made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took so many of the events, counted from the first.
    Took(usize),
    /// It is gone for good: HTTP 410.
    Gone,
    /// It did not take anything, or was not reached; why, in words for people.
    Failed(String),
}

/// What becomes of a queue after a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many events, counted from the first, are delivered; the queue goes on at once.
    On {
        /// Events taken.
        taken: usize,
    },
    /// So many are delivered; the rest is tried again later.
    Later {
        /// Events taken.
        taken: usize,
        /// When.
        due_at: Timestamp,
        /// Attempts that failed in a row.
        failed: u32,
        /// Why, in words for people.
        reason: String,
    },
    /// Nothing may be sent there any more: what waits is given up.
    GivenUp {
        /// Why, in words for people.
        reason: String,
    },
    /// The receiver is gone: what waits is given up, and so is what was asked for before.
    Ended {
        /// Why, in words for people.
        reason: String,
    },
}

/// Decides what becomes of a queue after a message with `sent` events, `failed` attempts having failed before it. The
/// first event that waits was queued at `oldest`. `chance` spreads attempts.
#[must_use]
pub fn after(answer: Answer, sent: usize, failed: u32, oldest: Timestamp, now: Timestamp, chance: u16) -> Progress {
    match answer {
        Answer::Gone => Progress::Ended { reason: "the receiver answered 410, that it is gone".to_owned() },
        Answer::Took(taken) if taken == sent => Progress::On { taken },
        // It works, but does not keep up: this is no failure in a row.
        Answer::Took(taken) if 0 < taken && taken < sent => Progress::Later {
            taken,
            due_at: now.plus_ms(delay_ms(1, chance)),
            failed: 0,
            reason: format!("the receiver took {taken} of {sent} events"),
        },
        Answer::Took(0) => later(failed, oldest, now, chance, "the receiver took no event".to_owned()),
        Answer::Took(more) => {
            later(failed, oldest, now, chance, format!("the receiver says it took {more} of {sent} events"))
        }
        Answer::Failed(reason) => later(failed, oldest, now, chance, reason),
    }
}

fn later(failed: u32, oldest: Timestamp, now: Timestamp, chance: u16, reason: String) -> Progress {
    let failed = failed.saturating_add(1);
    // An event that is given up meanwhile must not wait for the attempt after it.
    let given_up_at = oldest.plus_s(EVENT_LIFE_S).max(now);
    let due_at = now.plus_ms(delay_ms(failed, chance)).min(given_up_at);
    Progress::Later { taken: 0, due_at, failed, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);

    fn decided(answer: Answer, failed: u32) -> Progress {
        after(answer, 3, failed, NOW, NOW, 0)
    }

    #[test]
    fn what_was_taken_is_done_and_the_rest_comes_again() {
        assert_eq!(decided(Answer::Took(3), 7), Progress::On { taken: 3 });
        let Progress::Later { taken: 2, due_at, failed: 0, .. } = decided(Answer::Took(2), 7) else {
            panic!("not later")
        };
        assert_eq!(due_at, NOW.plus_ms(800));
    }

    #[test]
    fn a_receiver_that_takes_nothing_is_asked_ever_less_often() {
        for answer in [Answer::Took(0), Answer::Took(4), Answer::Failed("broken".into())] {
            for (failed, wait_ms) in [(0, 800), (1, 4_000), (9, 1_440_000)] {
                let Progress::Later { taken: 0, due_at, failed: counted, .. } = decided(answer.clone(), failed) else {
                    panic!("not later")
                };
                assert_eq!((due_at, counted), (NOW.plus_ms(wait_ms), failed + 1));
            }
        }
    }

    #[test]
    fn the_last_attempt_lies_at_the_end_of_the_oldest_event() {
        let oldest = NOW.plus_s(60 - EVENT_LIFE_S);
        let progress = after(Answer::Took(0), 3, 9, oldest, NOW, 0);
        assert!(matches!(progress, Progress::Later { due_at, .. } if due_at == NOW.plus_s(60)), "{progress:?}");
    }

    #[test]
    fn a_receiver_that_is_gone_ends_its_queue() {
        assert!(matches!(decided(Answer::Gone, 0), Progress::Ended { .. }));
    }
}
