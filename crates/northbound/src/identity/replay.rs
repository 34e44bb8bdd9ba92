//! Digests that were used: each is good once.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use muster_broker::time::Timestamp;

/// Used digests until the end of their window.
pub(super) struct Replays {
    used: HashMap<[u8; 32], Timestamp>,
    max: usize,
}

impl Replays {
    pub(super) fn new(max: usize) -> Self {
        Self { used: HashMap::new(), max }
    }

    /// Notes a digest until `until`. False if it was used, and also when there is no room: refused rather than
    /// forgotten.
    pub(super) fn is_new(&mut self, name: &str, nonce: &[u8], created: &str, until: Timestamp, now: Timestamp) -> bool {
        let mut context = Context::new(&SHA256);
        for part in [name.as_bytes(), nonce, created.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        if self.used.len() >= self.max {
            self.used.retain(|_, until| now <= *until);
        }
        if self.used.contains_key(&key) {
            return false;
        }
        if self.used.len() >= self.max {
            tracing::error!(digests_max = self.max, "no room for further digests: they are refused");
            return false;
        }
        self.used.insert(key, until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_good_once_and_when_there_is_no_room_none_is() {
        let (now, until) = (Timestamp(0), Timestamp(300_000));
        let mut replays = Replays::new(2);
        assert!(replays.is_new("care", b"1", "t", until, now));
        assert!(!replays.is_new("care", b"1", "t", until, now));
        assert!(replays.is_new("else", b"1", "t", until, now));
        assert!(!replays.is_new("care", b"2", "t", until, now));
        assert!(replays.is_new("care", b"2", "t", until, until.plus_s(1)));
    }
}
